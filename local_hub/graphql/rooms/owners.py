"""Owners of entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.edits import Edits, require, without
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

_TYPE_URN = "urn:li:ownershipType:__system__"


def _owner(given: Mapping[str, Any], default: str | None) -> dict[str, Any]:
    """An owner as the aspect keeps it: the system's types have both a name and a urn."""
    urn = given.get("ownershipTypeUrn") or default
    kind = given.get("type")
    if kind is None:
        system = (urn or "").removeprefix(_TYPE_URN)
        kind = system.upper() if urn and urn.startswith(_TYPE_URN) else "CUSTOM"
        kind = "NONE" if urn is None else kind
    if urn is None:
        urn = _TYPE_URN + kind.lower()
    return {
        "owner": given["ownerUrn"],
        "type": kind,
        "typeUrn": urn,
        "source": {"type": "MANUAL"},
    }


def _add(
    context: Context, owners: Iterable[Mapping[str, Any]], urns: Iterable[str], default: str | None
) -> bool:
    made = [_owner(given, default) for given in owners]
    for owner in made:
        if not context.exists(owner["owner"]):
            raise BadRequest(
                f"Failed to change ownership: owner with urn {owner['owner']} does not exist."
            )
    edits = Edits(context)
    for urn in urns:
        require(context, urn)
        ownership = edits.aspect(urn, "ownership")
        ownership["lastModified"] = context.stamp
        items = edits.items(urn, "ownership", "owners")
        for owner in made:
            _take_out(items, owner["owner"], owner["typeUrn"])
            items.append(owner)
    return edits.save()


def _same(item: Mapping[str, Any], owner: str, kind: str | None) -> bool:
    """Whether an item names `owner`, with the ownership type `kind` if one is given."""
    if item["owner"] != owner:
        return False
    known = item.get("typeUrn") or _TYPE_URN + str(item.get("type", "NONE")).lower()
    return kind is None or known == kind


def _take_out(items: list[Any], owner: str, kind: str | None) -> None:
    without(items, lambda item: _same(item, owner, kind))


def _remove(context: Context, owners: Iterable[str], urns: Iterable[str], kind: str | None) -> bool:
    edits = Edits(context)
    for urn in urns:
        require(context, urn)
        ownership = edits.aspect(urn, "ownership")
        ownership["lastModified"] = context.stamp
        items = edits.items(urn, "ownership", "owners")
        for owner in owners:
            _take_out(items, owner, kind)
    return edits.save()


def _add_one(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    return _add(context, [given], [given["resourceUrn"]], None)


def _add_many(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    return _add(context, given["owners"], [given["resourceUrn"]], None)


def _add_batch(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urns = [resource["resourceUrn"] for resource in given["resources"]]
    return _add(context, given["owners"], urns, given.get("ownershipTypeUrn"))


def _remove_one(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    kind = given.get("ownershipTypeUrn")
    return _remove(context, [given["ownerUrn"]], [given["resourceUrn"]], kind)


def _remove_batch(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urns = [resource["resourceUrn"] for resource in given["resources"]]
    return _remove(context, given["ownerUrns"], urns, given.get("ownershipTypeUrn"))


ROOM = Room(
    schema="owners.graphql",
    mutations={
        "addOwner": _add_one,
        "addOwners": _add_many,
        "batchAddOwners": _add_batch,
        "removeOwner": _remove_one,
        "batchRemoveOwners": _remove_batch,
    },
)
