"""Documents: written in the hub, arranged as a tree, related to assets."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from dataspoke.local_hub import timeline
from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.filters import Criterion, Groups
from dataspoke.local_hub.graphql.creators import groups_of, owned_by_creator
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import given_only, page
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Resolver, Room
from dataspoke.local_hub.timeline.model import ChangeEvent

_INFO, _SETTINGS = "documentInfo", "documentSettings"
_OWN_PLATFORM = "urn:li:dataPlatform:datahub"
_MOST_PARENTS = 100
_HISTORY_MILLIS = 30 * 24 * 60 * 60 * 1000
_CATEGORIES = ("DOCUMENTATION", "LIFECYCLE", "PARENT", "RELATED_ENTITIES")

Info = dict[str, Any]


def _create(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    name = given.get("id") or str(uuid.uuid4())
    urn = f"urn:li:document:{name}"
    if context.exists(urn):
        raise BadRequest(f"Failed to create Document: Document with ID {name} already exists")
    info: Info = {
        "title": given.get("title"),
        "source": {"sourceType": "NATIVE"},
        "status": {"state": given.get("state") or "UNPUBLISHED"},
        "contents": {"text": given["contents"]["text"]},
        "created": context.stamp,
        "lastModified": context.stamp,
    }
    _relate(info, given)
    _place(info, given.get("parentDocument"))
    shown = (given.get("settings") or {}).get("showInGlobalContext")
    settings = {"showInGlobalContext": shown is not False, "lastModified": context.stamp}
    changes: list[tuple[str, str, str, Any]] = [
        (urn, _INFO, "UPSERT", given_only(info)),
        (urn, _SETTINGS, "UPSERT", settings),
        (urn, "ownership", "UPSERT", _ownership(context, given.get("owners"))),
    ]
    if given.get("subType"):
        changes.append((urn, "subTypes", "UPSERT", {"typeNames": [given["subType"]]}))
    context.write(changes)
    return urn


def _ownership(context: Context, owners: Sequence[Arguments] | None) -> dict[str, Any]:
    if not owners:
        return owned_by_creator(context)
    found = [
        given_only(
            {
                "owner": owner["ownerUrn"],
                "type": "CUSTOM" if owner.get("ownershipTypeUrn") else owner.get("type") or "NONE",
                "typeUrn": owner.get("ownershipTypeUrn"),
            }
        )
        for owner in owners
    ]
    return {"owners": found, "lastModified": context.stamp}


def _relate(info: Info, given: Arguments) -> None:
    """Set related assets and documents; null leaves them, an empty list clears them."""
    for name, item in (("relatedAssets", "asset"), ("relatedDocuments", "document")):
        urns = given.get(name)
        if urns:
            info[name] = [{item: urn} for urn in urns]
        elif urns is not None:
            info.pop(name, None)


def _place(info: Info, parent: str | None) -> None:
    info.pop("parentDocument", None)
    if parent is not None:
        info["parentDocument"] = {"document": parent}


def _stored(context: Context, urn: str) -> Info:
    info = context.value(urn, _INFO)
    if info is None:
        raise NotFound(f"Document with URN {urn} does not exist")
    return info


def _changing(change: Callable[[Context, Info, Arguments], None]) -> Resolver:
    """A mutation that changes the document of `input.urn` in place."""

    def resolve(context: Context, arguments: Arguments) -> bool:
        given = arguments["input"]
        info = _stored(context, given["urn"])
        change(context, info, given)
        context.upsert(given["urn"], _INFO, {**info, "lastModified": context.stamp})
        return True

    return resolve


def _set_contents(context: Context, info: Info, given: Arguments) -> None:
    if given.get("contents") is not None:
        info["contents"] = {"text": given["contents"]["text"]}
    if given.get("title") is not None:
        info["title"] = given["title"]
    if given.get("subType") is not None:
        context.upsert(given["urn"], "subTypes", {"typeNames": [given["subType"]]})


def _set_related(_: Context, info: Info, given: Arguments) -> None:
    _relate(info, given)


def _set_parent(context: Context, info: Info, given: Arguments) -> None:
    parent = given.get("parentDocument")
    if parent is not None:
        _stored(context, parent)
        if given["urn"] in (parent, *_parents(context, parent)):
            raise BadRequest("Cannot move a document to itself or below itself")
    _place(info, parent)


def _set_state(_: Context, info: Info, given: Arguments) -> None:
    info["status"] = {"state": given["state"]}


def _set_sub_type(context: Context, _: Info, given: Arguments) -> None:
    names = [given["subType"]] if given.get("subType") else []
    context.upsert(given["urn"], "subTypes", {"typeNames": names})


def _update_settings(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _stored(context, given["urn"])
    settings = {
        "showInGlobalContext": given["showInGlobalContext"],
        "lastModified": context.stamp,
    }
    context.upsert(given["urn"], _SETTINGS, settings)
    return True


def _delete(context: Context, arguments: Arguments) -> bool:
    _stored(context, arguments["urn"])
    remove_entity(context, arguments["urn"])
    return True


def _parents(context: Context, urn: str) -> list[str]:
    """The documents above, the direct parent first."""
    found: list[str] = []
    while len(found) < _MOST_PARENTS:
        info = context.value(urn, _INFO) or {}
        parent = (info.get("parentDocument") or {}).get("document")
        if parent is None or parent in found:
            break
        found.append(parent)
        urn = parent
    return found


def _conditions(given: Arguments) -> tuple[Criterion, ...]:
    fields = {
        "parentDocument": given.get("parentDocuments"),
        "typeNames": given.get("types"),
        "domains": given.get("domains"),
        "relatedAssets": given.get("relatedAssets"),
        "sourceType": [given["sourceType"]] if given.get("sourceType") else None,
    }
    found = [Criterion(name, values=tuple(values)) for name, values in fields.items() if values]
    if given.get("rootOnly") and not given.get("parentDocuments"):
        found.append(Criterion("parentDocument", "IS_NULL"))
    return tuple(found)


def _visible(context: Context, base: tuple[Criterion, ...]) -> Groups:
    """What is published, and what is not but belongs to the caller or a group of theirs."""
    owners = (context.actor, *groups_of(context, context.actor))
    return (
        (*base, Criterion("state", values=("PUBLISHED",))),
        (
            *base,
            Criterion("state", values=("UNPUBLISHED",)),
            Criterion("owners", values=owners),
        ),
    )


def _found(context: Context, given: Arguments, base: tuple[Criterion, ...]) -> dict[str, Any]:
    groups = _visible(context, base)
    return {**page(context, "document", "documents", given, groups=groups), "facets": []}


def _search(context: Context, arguments: Arguments) -> dict[str, Any]:
    given = arguments["input"]
    shown = Criterion("showInGlobalContext", values=("false",), negated=True)
    return _found(context, given, (*_conditions(given), shown))


def _related(entity: Entity, arguments: Arguments) -> dict[str, Any]:
    given = {**arguments["input"], "relatedAssets": [entity.urn]}
    return _found(entity.context, given, _conditions(given))


def _history(document: Entity, arguments: Arguments) -> list[dict[str, Any]]:
    """The changes of a document, the newest first."""
    context, limit = document.context, arguments.get("limit")
    end, start = arguments.get("endTimeMillis"), arguments.get("startTimeMillis")
    end = context.now if end is None else end
    moments = timeline.changes(
        context.hub.store,
        document.urn,
        _CATEGORIES,
        start=end - _HISTORY_MILLIS if start is None else start,
        end=end,
    )
    found = [
        {
            "changeType": kind,
            "description": event.description,
            "actor": moment.actor,
            "timestamp": moment.at,
            "details": {name: str(value) for name, value in (event.parameters or {}).items()},
        }
        for moment in reversed(moments)
        for event in moment.events
        if (kind := _change_type(event)) is not None
    ]
    return found if limit is None else found[:limit]


def _change_type(event: ChangeEvent) -> str | None:
    match event.category, event.operation:
        case _, "CREATE":
            return "CREATED"
        case "DOCUMENTATION", _:
            titled = "newTitle" in (event.parameters or {})
            return "TITLE_CHANGED" if titled else "TEXT_CHANGED"
        case "LIFECYCLE", "REMOVE":
            return "DELETED"
        case "LIFECYCLE", _:
            return "STATE_CHANGED"
        case "PARENT", _:
            return "PARENT_CHANGED"
        case "RELATED_ENTITIES", _:
            of_asset = event.description.startswith("Related asset")
            return "RELATED_ASSETS_CHANGED" if of_asset else "RELATED_DOCUMENTS_CHANGED"
    return None


def _parents_of(document: Entity, _: Arguments) -> dict[str, Any]:
    found = _parents(document.context, document.urn)
    return {"count": len(found), "documents": found}


def _sub_type(document: Entity, _: Arguments) -> str | None:
    names: list[str] = document.aspect("subTypes").get("typeNames") or []
    return names[0] if names else None


def _platform(document: Entity, _: Arguments) -> str:
    return document.aspect("dataPlatformInstance").get("platform") or _OWN_PLATFORM


ROOM = Room(
    schema="documents.graphql",
    queries={"searchDocuments": _search},
    mutations={
        "createDocument": _create,
        "updateDocumentContents": _changing(_set_contents),
        "updateDocumentRelatedEntities": _changing(_set_related),
        "moveDocument": _changing(_set_parent),
        "updateDocumentStatus": _changing(_set_state),
        "updateDocumentSubType": _changing(_set_sub_type),
        "updateDocumentSettings": _update_settings,
        "deleteDocument": _delete,
    },
    fields={
        ("Document", "info"): lambda document, _: document.aspect(_INFO) or None,
        ("Document", "settings"): lambda document, _: document.aspect(_SETTINGS) or None,
        ("Document", "subType"): _sub_type,
        ("Document", "platform"): _platform,
        ("Document", "changeHistory"): _history,
        ("Document", "parentDocuments"): _parents_of,
        ("Entity", "relatedDocuments"): _related,
    },
    aspects={
        "structuredProperties": (
            "relatedDocuments(input: RelatedDocumentsInput!): RelatedDocumentsResult"
        )
    },
)
