"""Users and groups as they are managed: listed, changed, put together, removed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.creators import owned_by_creator
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import given_only, page
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Resolver, Room

_MEMBERSHIP = "nativeGroupMembership"
_RENAMED = {"platformUrns": "platforms", "personaUrn": "persona"}


def _listed(kind: str, name: str) -> Resolver:
    def resolve(context: Context, arguments: Arguments) -> Any:
        found = page(context, kind, name, arguments["input"], sort=[("createdTime", True)])
        return {**found, "count": len(found[name])}

    return resolve


def _remove(context: Context, arguments: Arguments) -> bool:
    remove_entity(context, arguments["urn"])
    return True


def _set_status(context: Context, arguments: Arguments) -> str:
    status: str = arguments["status"]
    value = {"status": status, "lastModified": context.stamp}
    context.upsert(arguments["urn"], "corpUserStatus", value)
    return status


def _edited(aspect: str) -> Resolver:
    """Changes what people say of themselves, or a group says; what is not given stays."""

    def resolve(context: Context, arguments: Arguments) -> Entity | None:
        urn = arguments["urn"]
        given = given_only(arguments["input"])
        changed = {_RENAMED.get(name, name): value for name, value in given.items()}
        context.upsert(urn, aspect, {**(context.value(urn, aspect) or {}), **changed})
        return context.loader.entity(urn)

    return resolve


def _create_group(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn = f"urn:li:corpGroup:{given.get('id') or uuid.uuid4()}"
    if context.exists(urn):
        raise BadRequest("This Group already exists!")
    info = {
        "displayName": given["name"],
        "description": given.get("description") or "",
        "admins": [],
        "members": [],
        "groups": [],
    }
    context.write(
        [
            (urn, "corpGroupInfo", "UPSERT", info),
            (urn, "origin", "UPSERT", {"type": "NATIVE"}),
            (urn, "ownership", "UPSERT", owned_by_creator(context)),
        ]
    )
    return urn


def _members(change: Callable[[list[str], str], list[str]]) -> Resolver:
    """Changes the groups of users; `change` takes their groups and the group."""

    def resolve(context: Context, arguments: Arguments) -> bool:
        given = arguments["input"]
        group = given["groupUrn"]
        if not context.exists(group):
            raise BadRequest(f"Group {group} does not exist")
        origin = context.value(group, "origin") or {}
        if origin.get("type") == "EXTERNAL":
            raise BadRequest(f"Group {group} was ingested from an external provider")
        changes = []
        for user in given["userUrns"]:
            if not context.exists(user):
                raise BadRequest(f"User {user} does not exist")
            groups = (context.value(user, _MEMBERSHIP) or {}).get("nativeGroups") or []
            value = {"nativeGroups": change(groups, group)}
            changes.append((user, _MEMBERSHIP, "UPSERT", value))
        context.write(changes)
        return True

    return resolve


def _joined(groups: list[str], group: str) -> list[str]:
    return groups if group in groups else [*groups, group]


def _left(groups: list[str], group: str) -> list[str]:
    return [one for one in groups if one != group]


ROOM = Room(
    schema="identities.graphql",
    queries={
        "listUsers": _listed("corpuser", "users"),
        "listGroups": _listed("corpGroup", "groups"),
    },
    mutations={
        "removeUser": _remove,
        "updateUserStatus": _set_status,
        "updateCorpUserProperties": _edited("corpUserEditableInfo"),
        "createGroup": _create_group,
        "removeGroup": _remove,
        "addGroupMembers": _members(_joined),
        "removeGroupMembers": _members(_left),
        "updateCorpGroupProperties": _edited("corpGroupEditableInfo"),
    },
)
