"""Changing any aspect by JSON Patch, and naming the logical parent of a dataset or column."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from dataspoke.local_hub.access.privileges import GUARDED_WRITES
from dataspoke.local_hub.errors import Forbidden, HubError
from dataspoke.local_hub.graphql.room import Arguments, Context, Room


def _patch_one(context: Context, arguments: Arguments) -> Any:
    return _patched(context, arguments["input"])


def _patch_many(context: Context, arguments: Arguments) -> Any:
    return [_patched(context, given) for given in arguments["input"]]


def _patched(context: Context, given: Arguments) -> dict[str, Any]:
    """What was refused is told in the answer, not as an error of GraphQL."""
    urn = given.get("urn") or f"urn:li:{given['entityType']}:{uuid.uuid4()}"
    try:
        _demand(context, urn, given["aspectName"])
        value: dict[str, Any] = {"patch": [_operation(step) for step in given["patch"]]}
        if given.get("arrayPrimaryKeys"):
            value["arrayPrimaryKeys"] = {
                keys["arrayField"]: keys["keys"] for keys in given["arrayPrimaryKeys"]
            }
        if given.get("forceGenericPatch") is not None:
            value["forceGenericPatch"] = given["forceGenericPatch"]
        context.write([(urn, given["aspectName"], "PATCH", value)])
    except HubError as exc:
        return {"urn": urn, "success": False, "error": str(exc)}
    return {"urn": urn, "success": True}


def _demand(context: Context, urn: str, aspect: str) -> None:
    """Raises Forbidden: the entity has to be the actor's to edit, and some aspects need more."""
    if not context.may("EDIT_ENTITY", on=urn):
        raise Forbidden(f"{context.actor} is unauthorized to update entities.")
    privileges = GUARDED_WRITES.get(aspect, ())
    if privileges and not context.may(*privileges):
        raise Forbidden(f"{context.actor} needs {' or '.join(privileges)} to update {aspect}.")


def _operation(step: Arguments) -> dict[str, Any]:
    made: dict[str, Any] = {"op": step["op"].lower(), "path": step["path"]}
    if step.get("from") is not None:
        made["from"] = step["from"]
    if step.get("value") is not None:
        made["value"] = _value(step["value"])
    return made


def _value(text: str) -> Any:
    """JSON if the text is JSON, else the text itself."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _set_logical_parent(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    parent = given.get("parentUrn")
    edge = {"destinationUrn": parent, "created": context.stamp, "lastModified": context.stamp}
    value = {} if parent is None else {"parent": edge}
    context.upsert(given["resourceUrn"], "logicalParent", value)
    return True


ROOM = Room(
    schema="patches.graphql",
    mutations={
        "patchEntity": _patch_one,
        "patchEntities": _patch_many,
        "setLogicalParent": _set_logical_parent,
    },
)
