"""Forms: make them, assign them to entities, answer their prompts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.filters import Criterion, criteria
from dataspoke.local_hub.graphql.creators import groups_of
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.pages import given_only
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.graphql.rooms.structured_properties import with_values
from dataspoke.local_hub.search import Query

_INFO, _FORMS = "formInfo", "forms"
_STATES = ("incompleteForms", "completedForms")
_MOST_MATCHES = 10_000

Change = tuple[str, str, str, Any]


def _prompt(given: Mapping[str, Any]) -> dict[str, Any]:
    params = given.get("structuredPropertyParams")
    if params is None:
        raise BadRequest(
            "Provided prompt with type STRUCTURED_PROPERTY or FIELDS_STRUCTURED_PROPERTY and no "
            "structured property params"
        )
    prompt = {
        "id": given.get("id") or str(uuid.uuid4()),
        "title": given["title"],
        "description": given.get("description"),
        "type": given["type"],
        "structuredPropertyParams": {"urn": params["urn"]},
        "required": bool(given.get("required")),
    }
    return given_only(prompt)


def _create(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    urn = f"urn:li:form:{given.get('id') or uuid.uuid4()}"
    if context.exists(urn):
        raise BadRequest("This form already exists!")
    actors = given.get("actors") or {}
    info = {
        "name": given["name"],
        "description": given.get("description"),
        "type": given.get("type") or "COMPLETION",
        "prompts": [_prompt(prompt) for prompt in given.get("prompts") or ()],
        "actors": given_only(
            {
                "owners": actors.get("owners") is not False,
                "users": actors.get("users"),
                "groups": actors.get("groups"),
            }
        ),
    }
    context.upsert(urn, _INFO, given_only(info))
    return context.loader.entity(urn)


def _delete(context: Context, arguments: Arguments) -> bool:
    """Entities name their forms in no relationship: those that have it are searched for."""
    urn = arguments["input"]["urn"]
    groups = tuple((Criterion(state, values=(urn,)),) for state in _STATES)
    found = context.search.find(Query("*", (), groups, include_removed=True), 0, _MOST_MATCHES)
    _unassign(context, urn, [hit.urn for hit in found.hits])
    remove_entity(context, urn)
    return True


def _form(context: Context, urn: str) -> dict[str, Any]:
    info = context.value(urn, _INFO)
    if info is None:
        raise NotFound(f"Form {urn} does not exist.")
    return info


def _check(context: Context, urns: Iterable[str]) -> None:
    missing = [urn for urn in urns if not context.exists(urn)]
    if missing:
        raise BadRequest(f"Entities do not exist: {', '.join(missing)}")


def _forms(context: Context, urn: str) -> dict[str, Any]:
    return {
        "incompleteForms": [],
        "completedForms": [],
        "verifications": [],
        **(context.value(urn, _FORMS) or {}),
    }


def _assign(context: Context, form: str, urns: Sequence[str]) -> None:
    """Assign a form to entities that do not have it yet, with all its prompts to be answered."""
    prompts = [
        {"id": prompt["id"], "lastModified": context.stamp}
        for prompt in _form(context, form).get("prompts") or ()
    ]
    changes: list[Change] = []
    for urn in dict.fromkeys(urns):
        forms = _forms(context, urn)
        if any(item["urn"] == form for state in _STATES for item in forms[state]):
            continue
        item = {"urn": form, "incompletePrompts": prompts, "completedPrompts": []}
        value = {**forms, "incompleteForms": [*forms["incompleteForms"], item]}
        changes.append((urn, _FORMS, "UPSERT", value))
    context.write(changes)


def _batch_assign(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _check(context, [given["formUrn"], *given["entityUrns"]])
    _assign(context, given["formUrn"], given["entityUrns"])
    return True


def _batch_remove(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _check(context, [given["formUrn"], *given["entityUrns"]])
    _unassign(context, given["formUrn"], given["entityUrns"])
    return True


def _unassign(context: Context, form: str, urns: Sequence[str]) -> None:
    changes: list[Change] = []
    for urn in dict.fromkeys(urns):
        forms = _forms(context, urn)
        left = {state: [item for item in forms[state] if item["urn"] != form] for state in _STATES}
        if any(len(left[state]) != len(forms[state]) for state in _STATES):
            changes.append((urn, _FORMS, "UPSERT", {**forms, **left}))
    context.write(changes)


def _assign_dynamically(context: Context, arguments: Arguments) -> bool:
    """Keep the filter, and assign the form to what meets it now."""
    given = arguments["input"]
    form = given["formUrn"]
    _form(context, form)
    groups = criteria(given["orFilters"])
    kept = [
        {
            "and": [
                {
                    "field": one.field,
                    "values": list(one.values),
                    "condition": one.condition,
                    "negated": one.negated,
                }
                for one in group
            ]
        }
        for group in groups
    ]
    context.upsert(form, "dynamicFormAssignment", {"filter": {"or": kept}})
    registry = context.hub.registry
    types = tuple(name for name, spec in registry.entities.items() if _FORMS in spec.aspects)
    found = context.search.find(Query("*", types, groups), 0, _MOST_MATCHES)
    _assign(context, form, [hit.urn for hit in found.hits])
    return True


def _submit(context: Context, urn: str, given: Mapping[str, Any]) -> None:
    """Write the answer to a prompt, and move the form to the completed ones when it is whole."""
    params = given.get("structuredPropertyParams")
    if params is None:
        raise BadRequest("structuredPropertyParams must be provided for this type of prompt")
    forms, form = _forms(context, urn), given["formUrn"]
    known = [item for state in _STATES for item in forms[state] if item["urn"] == form]
    if not known:
        raise BadRequest(f"Form {form} has not been assigned to entity {urn}")
    item, prompt = dict(known[0]), given["promptId"]
    answered = {"id": prompt, "lastModified": context.stamp}
    paths = given.get("fieldPaths") or ([given["fieldPath"]] if given.get("fieldPath") else [])
    whole = True
    if given["type"] == "FIELDS_STRUCTURED_PROPERTY":
        answered, whole = _answered_columns(context, urn, item, answered, paths)
    targets = [f"urn:li:schemaField:({urn},{path})" for path in paths] or [urn]
    own = {
        name: [one for one in item.get(name) or () if one["id"] != prompt]
        for name in ("incompletePrompts", "completedPrompts")
    }
    own["completedPrompts" if whole else "incompletePrompts"].append(answered)
    item.update(own)
    done = {one["id"] for one in item["completedPrompts"]}
    complete = all(
        one["id"] in done for one in _form(context, form)["prompts"] if one.get("required")
    )
    for state in _STATES:
        forms[state] = [one for one in forms[state] if one["urn"] != form]
    forms["completedForms" if complete else "incompleteForms"].append(item)
    context.write(
        [
            *(
                (target, "structuredProperties", "UPSERT", with_values(context, target, [params]))
                for target in targets
            ),
            (urn, _FORMS, "UPSERT", forms),
        ]
    )


def _answered_columns(
    context: Context, urn: str, item: Mapping[str, Any], answered: dict[str, Any], paths: list[str]
) -> tuple[dict[str, Any], bool]:
    """An answered prompt with its columns, and whether all columns of the schema have answers."""
    before = [
        one
        for name in ("incompletePrompts", "completedPrompts")
        for one in item.get(name) or ()
        if one["id"] == answered["id"]
    ]
    known = (before[0].get("fieldAssociations") or {}) if before else {}
    done = [
        one for one in known.get("completedFieldPrompts") or () if one["fieldPath"] not in paths
    ]
    done += [{"fieldPath": path, "lastModified": context.stamp} for path in paths]
    associations = {"completedFieldPrompts": done, "incompleteFieldPrompts": []}
    schema = (context.value(urn, "schemaMetadata") or {}).get("fields") or ()
    whole = {field["fieldPath"] for field in schema} <= {one["fieldPath"] for one in done}
    return {**answered, "fieldAssociations": associations}, whole


def _submit_one(context: Context, arguments: Arguments) -> bool:
    _check(context, [arguments["urn"]])
    _submit(context, arguments["urn"], arguments["input"])
    return True


def _submit_many(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _check(context, given["assetUrns"])
    for urn in given["assetUrns"]:
        _submit(context, urn, given["input"])
    return True


def _verify(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    form, urn = given["formUrn"], given["entityUrn"]
    if _form(context, form).get("type") != "VERIFICATION":
        raise BadRequest(f"Form {form} is not of type VERIFICATION. Cannot verify form.")
    forms = _forms(context, urn)
    if not any(item["urn"] == form for item in forms["completedForms"]):
        raise BadRequest(
            f"Form {form} is not in the list of completed forms for this entity. "
            "Skipping verification."
        )
    others = [item for item in forms["verifications"] if item["form"] != form]
    forms["verifications"] = [*others, {"form": form, "lastModified": context.stamp}]
    context.upsert(urn, _FORMS, forms)
    return True


def _forms_of(entity: Entity, _: Arguments) -> dict[str, Any] | None:
    return _forms(entity.context, entity.urn) if entity.aspect(_FORMS) else None


def _assigned_to_me(actors: Part, _: Arguments) -> bool:
    if actors.owner is None:
        return False
    context = actors.owner.context
    mine = {context.actor, *groups_of(context, context.actor)}
    return bool(mine & {*(actors.get("users") or ()), *(actors.get("groups") or ())})


ROOM = Room(
    schema="forms.graphql",
    mutations={
        "createForm": _create,
        "deleteForm": _delete,
        "batchAssignForm": _batch_assign,
        "batchRemoveForm": _batch_remove,
        "createDynamicFormAssignment": _assign_dynamically,
        "submitFormPrompt": _submit_one,
        "batchSubmitFormPrompt": _submit_many,
        "verifyForm": _verify,
    },
    fields={
        ("Entity", "forms"): _forms_of,
        ("Form", "info"): lambda form, _: form.aspect(_INFO) or None,
        ("FormAssociation", "form"): lambda item, _: item["urn"],
        ("FormInfo", "prompts"): lambda info, _: info.get("prompts") or [],
        ("FormInfo", "actors"): lambda info, _: info.get("actors") or {"owners": True},
        ("FormPrompt", "formUrn"): lambda prompt, _: prompt.owner and prompt.owner.urn,
        ("FormActorAssignment", "isAssignedToMe"): _assigned_to_me,
        ("StructuredPropertyParams", "structuredProperty"): lambda params, _: params["urn"],
    },
    aspects={_FORMS: "forms: Forms"},
)
