"""Edits of what people say about entities: descriptions, names, deprecation, links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.edits import Edits, require, without
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.generic import editable_aspect
from dataspoke.local_hub.graphql.room import Arguments, Context, Resolver, Room

# Where the description of an entity is kept that has no aspect for edits.
_DESCRIPTIONS = {
    "glossaryTerm": ("glossaryTermInfo", "definition"),
    "glossaryNode": ("glossaryNodeInfo", "definition"),
    "tag": ("tagProperties", "description"),
    "domain": ("domainProperties", "description"),
    "dataProduct": ("dataProductProperties", "description"),
    "application": ("applicationProperties", "description"),
    "businessAttribute": ("businessAttributeInfo", "description"),
    "corpGroup": ("corpGroupEditableInfo", "description"),
    "corpuser": ("corpUserEditableInfo", "aboutMe"),
}
_NAMES = {
    "glossaryTerm": ("glossaryTermInfo", "name"),
    "glossaryNode": ("glossaryNodeInfo", "name"),
    "domain": ("domainProperties", "name"),
    "corpGroup": ("corpGroupInfo", "displayName"),
    "dataProduct": ("dataProductProperties", "name"),
    "application": ("applicationProperties", "name"),
    "businessAttribute": ("businessAttributeInfo", "name"),
    "dataset": ("editableDatasetProperties", "name"),
}


def _describe(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urn, text = given["resourceUrn"], given["description"]
    require(context, urn)
    edits = Edits(context)
    if given.get("subResource"):
        edits.column(urn, given["subResource"])["description"] = text
        return edits.save()
    spec = context.hub.registry.entity_of(urn)
    editable = editable_aspect(spec)
    aspect, field = _DESCRIPTIONS.get(spec.name) or (editable, "description")
    if aspect is None:
        raise BadRequest(f"Failed to update description. Unsupported resource type {spec.name}")
    edits.aspect(urn, aspect)[field] = text
    return edits.save()


def _rename(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urn = given["urn"]
    require(context, urn)
    place = _NAMES.get(context.hub.registry.entity_of(urn).name)
    if place is None:
        raise BadRequest(f"Failed to update name. Unsupported resource urn {urn}")
    edits = Edits(context)
    edits.aspect(urn, place[0])[place[1]] = given["name"]
    return edits.save()


def _display(context: Context, arguments: Arguments) -> bool:
    urn, given = arguments["urn"], arguments["input"]
    require(context, urn)
    edits = Edits(context)
    aspect = edits.aspect(urn, "displayProperties")
    if given.get("colorHex") is not None:
        aspect["colorHex"] = given["colorHex"]
    if given.get("icon") is not None:
        icon = {name: value for name, value in given["icon"].items() if value is not None}
        aspect["icon"] = {**(aspect.get("icon") or {}), **icon}
    return edits.save()


def _deprecate(context: Context, given: Mapping[str, Any], urns: Iterable[str]) -> bool:
    edits = Edits(context)
    for urn in urns:
        require(context, urn)
        value = edits.aspect(urn, "deprecation")
        value.pop("decommissionTime", None)
        value.pop("replacement", None)
        value["deprecated"] = given["deprecated"]
        value["note"] = given.get("note") or ""
        value["actor"] = context.actor
        for name in ("decommissionTime", "replacement"):
            if given.get(name) is not None:
                value[name] = given[name]
    return edits.save()


def _deprecate_one(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urn = given["urn"]
    if given.get("subResource"):
        urn = f"urn:li:schemaField:({urn},{given['subResource']})"
    else:
        require(context, urn)
    if not context.exists(urn):
        context.upsert(urn, "status", {"removed": False})
    return _deprecate(context, given, [urn])


def _deprecate_batch(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    return _deprecate(context, given, [item["resourceUrn"] for item in given["resources"]])


def _soft_delete(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    require(context, *given["urns"])
    value = {"removed": given["deleted"]}
    context.write((urn, "status", "UPSERT", value) for urn in given["urns"])
    return True


def _is(link: Mapping[str, Any], url: str, label: str | None) -> bool:
    return link["url"] == url and (label is None or link.get("description") == label)


def _fill(link: dict[str, Any], given: Arguments) -> None:
    link["url"], link["description"] = given["linkUrl"], given["label"]
    if given.get("settings") is not None:
        link["settings"] = dict(given["settings"])


def _add_link(context: Context, arguments: Arguments, *, may_exist: bool = False) -> bool:
    given = arguments["input"]
    urn = given["resourceUrn"]
    require(context, urn)
    edits = Edits(context)
    links = edits.items(urn, "institutionalMemory", "elements")
    known = [link for link in links if _is(link, given["linkUrl"], given["label"])]
    if known and not may_exist:
        raise BadRequest(
            f"The link '{given['label']}' with URL '{given['linkUrl']}' already exists."
        )
    if known:
        known[0]["updateStamp"] = context.stamp
        _fill(known[0], given)
    else:
        links.append({"createStamp": context.stamp})
        _fill(links[-1], given)
    return edits.save()


def _upsert_link(context: Context, arguments: Arguments) -> bool:
    return _add_link(context, arguments, may_exist=True)


def _update_link(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    require(context, given["resourceUrn"])
    edits = Edits(context)
    links = edits.items(given["resourceUrn"], "institutionalMemory", "elements")
    url, label = given["currentUrl"], given["currentLabel"]
    for link in links:
        if _is(link, url, label):
            link["updateStamp"] = context.stamp
            _fill(link, given)
            return edits.save()
    raise BadRequest(f"The link '{label}' with URL '{url}' does not exist.")


def _remove_link(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    require(context, given["resourceUrn"])
    edits = Edits(context)
    links = edits.items(given["resourceUrn"], "institutionalMemory", "elements")
    without(links, lambda link: _is(link, given["linkUrl"], given.get("label")))
    return edits.save()


def _embed(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    require(context, given["urn"])
    url = given.get("renderUrl")
    context.upsert(given["urn"], "embed", {"renderUrl": url} if url else {})
    return True


def _update_entity(context: Context, arguments: Arguments) -> Entity | None:
    """The older form: one input with whole aspects."""
    edits = Edits(context)
    _take(context, edits, arguments["urn"], arguments["input"])
    edits.save()
    return context.loader.entity(arguments["urn"])


def _update_entities(context: Context, arguments: Arguments) -> list[Entity]:
    edits = Edits(context)
    for item in arguments["input"]:
        _take(context, edits, item["urn"], item["update"])
    edits.save()
    return context.loader.many(item["urn"] for item in arguments["input"])


def _take(context: Context, edits: Edits, urn: str, given: Arguments) -> None:
    spec = context.hub.registry.entity_of(urn)
    editable = editable_aspect(spec)
    if given.get("editableProperties") and editable:
        edits.aspect(urn, editable).update(given["editableProperties"])
    tags = given.get("tags") or given.get("globalTags")
    if tags:
        edits.aspect(urn, "globalTags")["tags"] = _tags(tags)
    if given.get("ownership"):
        ownership = edits.aspect(urn, "ownership")
        ownership["owners"] = [
            {"type": "NONE", "source": {"type": "MANUAL"}} | _present(owner)
            for owner in given["ownership"].get("owners") or ()
        ]
        ownership["lastModified"] = context.stamp
    if given.get("deprecation"):
        value = {"note": "", **_present(given["deprecation"]), "actor": context.actor}
        edits.aspect(urn, "deprecation").update(value)
    if given.get("institutionalMemory"):
        edits.aspect(urn, "institutionalMemory")["elements"] = [
            {
                "url": link["url"],
                "description": link.get("description") or "",
                "createStamp": {
                    "actor": link["author"],
                    "time": link.get("createdAt") or context.now,
                },
            }
            for link in given["institutionalMemory"]["elements"]
        ]
    for field in (given.get("editableSchemaMetadata") or {}).get("editableSchemaFieldInfo") or ():
        column = edits.column(urn, field["fieldPath"])
        if field.get("description") is not None:
            column["description"] = field["description"]
        if field.get("globalTags"):
            column["globalTags"] = {"tags": _tags(field["globalTags"])}


def _present(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        ("typeUrn" if name == "ownershipTypeUrn" else name): value
        for name, value in given.items()
        if value is not None
    }


def _tags(given: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"tag": item["tag"]["urn"]} for item in given.get("tags") or ()]


def _updating(*types: str) -> dict[str, Resolver]:
    return {f"update{name}": _update_entity for name in types}


ROOM = Room(
    schema="editing.graphql",
    mutations={
        "updateDescription": _describe,
        "updateName": _rename,
        "updateDisplayProperties": _display,
        "updateDeprecation": _deprecate_one,
        "batchUpdateDeprecation": _deprecate_batch,
        "batchUpdateSoftDeleted": _soft_delete,
        "addLink": _add_link,
        "upsertLink": _upsert_link,
        "updateLink": _update_link,
        "removeLink": _remove_link,
        "updateEmbed": _embed,
        "updateDatasets": _update_entities,
        **_updating("Dataset", "Chart", "Dashboard", "DataFlow", "DataJob", "Notebook"),
    },
    fields={
        ("InstitutionalMemoryMetadata", "label"): lambda link, _: link.get("description"),
        ("InstitutionalMemoryMetadata", "created"): lambda link, _: link.get("createStamp"),
        ("InstitutionalMemoryMetadata", "updated"): lambda link, _: link.get("updateStamp"),
        ("InstitutionalMemoryMetadata", "author"): lambda link, _: link["createStamp"]["actor"],
        ("InstitutionalMemoryMetadata", "actor"): lambda link, _: link["createStamp"]["actor"],
        ("Deprecation", "actorEntity"): lambda deprecation, _: deprecation.get("actor"),
    },
    aspects={
        "deprecation": "deprecation: Deprecation",
        "institutionalMemory": "institutionalMemory: InstitutionalMemory",
        "displayProperties": "displayProperties: DisplayProperties",
        "embed": "embed: Embed",
        "status": "status: Status",
    },
)
