"""Ownership types of one's own."""

from __future__ import annotations

import uuid
from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.filters import criteria
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import given_only, page
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

_INFO = "ownershipTypeInfo"
# Types that every hub has; they cannot be deleted.
_SYSTEM = "urn:li:ownershipType:__system__"


def _create(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    urn = f"urn:li:ownershipType:{uuid.uuid4()}"
    info = {
        "name": given["name"],
        "description": given.get("description"),
        "created": context.stamp,
        "lastModified": context.stamp,
    }
    context.upsert(urn, _INFO, given_only(info))
    return context.loader.entity(urn)


def _update(context: Context, arguments: Arguments) -> Entity | None:
    urn, given = arguments["urn"], arguments["input"]
    info = context.value(urn, _INFO)
    if info is None:
        raise NotFound(
            f"Failed to update Ownership Type. Ownership Type with urn {urn} does not exist."
        )
    names = {name: given.get(name) for name in ("name", "description")}
    context.upsert(urn, _INFO, {**info, **given_only(names), "lastModified": context.stamp})
    return context.loader.entity(urn)


def _delete(context: Context, arguments: Arguments) -> bool:
    urn = arguments["urn"]
    if urn.startswith(_SYSTEM):
        raise BadRequest("System ownership types cannot be deleted")
    if arguments.get("deleteReferences") is False:
        context.delete(urn)
    else:
        remove_entity(context, urn)
    return True


def _list(context: Context, arguments: Arguments) -> dict[str, Any]:
    given = arguments["input"]
    groups = criteria([{"and": given["filters"]}]) if given.get("filters") else ()
    return page(context, "ownershipType", "ownershipTypes", given, groups=groups)


ROOM = Room(
    schema="ownership_types.graphql",
    queries={"listOwnershipTypes": _list},
    mutations={
        "createOwnershipType": _create,
        "updateOwnershipType": _update,
        "deleteOwnershipType": _delete,
    },
    fields={("OwnershipTypeEntity", "info"): lambda entity, _: entity.aspect(_INFO) or None},
)
