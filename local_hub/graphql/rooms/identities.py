"""Users and groups: list them, change them, and who belongs to which group."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.creators import owned_by_creator
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import given_only, page
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.relationships import INCOMING, related

_NATIVE, _EXTERNAL = "nativeGroupMembership", "groupMembership"
_MOST_MEMBERS = 10_000
# What GraphQL calls the fields of `corpUserEditableInfo`, where the aspect says otherwise.
_USER_FIELDS = {"platformUrns": "platforms", "personaUrn": "persona"}

Change = tuple[str, str, str, Any]


def _list_users(context: Context, arguments: Arguments) -> dict[str, Any]:
    return page(context, "corpuser", "users", _numbers(arguments["input"]))


def _list_groups(context: Context, arguments: Arguments) -> dict[str, Any]:
    order = [("createdTime", True)]
    return page(context, "corpGroup", "groups", _numbers(arguments["input"]), sort=order)


def _numbers(given: Arguments) -> dict[str, Any]:
    """The paging as numbers: GMS takes texts of digits too. Raises BadRequest."""
    try:
        paging = {
            name: int(given[name]) for name in ("start", "count") if given.get(name) is not None
        }
    except ValueError as exc:
        raise BadRequest("start and count must be numbers") from exc
    return {**given, **paging}


def _create_group(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn = f"urn:li:corpGroup:{given.get('id') or uuid.uuid4()}"
    if context.exists(urn):
        raise BadRequest("This Group already exists!")
    info = {
        "displayName": given["name"],
        "description": given.get("description"),
        "admins": [],
        "members": [],
        "groups": [],
        "created": context.stamp,
    }
    context.write(
        [
            (urn, "corpGroupInfo", "UPSERT", given_only(info)),
            (urn, "origin", "UPSERT", {"type": "NATIVE"}),
            (urn, "ownership", "UPSERT", owned_by_creator(context)),
        ]
    )
    return urn


def _groups(context: Context, user: str, aspect: str) -> list[str]:
    name = "nativeGroups" if aspect == _NATIVE else "groups"
    return list((context.value(user, aspect) or {}).get(name) or ())


def _membership(context: Context, user: str, group: str, *, native: bool) -> list[Change]:
    """The changes after which a user belongs to a group natively, or not at all."""
    changes: list[Change] = []
    known = _groups(context, user, _NATIVE)
    wanted = [urn for urn in known if urn != group] + ([group] if native else [])
    if wanted != known:
        changes.append((user, _NATIVE, "UPSERT", {"nativeGroups": wanted}))
    known = _groups(context, user, _EXTERNAL)
    if group in known:
        left = [urn for urn in known if urn != group]
        changes.append((user, _EXTERNAL, "UPSERT", {"groups": left}))
    return changes


def _check_group(context: Context, group: str) -> None:
    if not context.exists(group):
        raise BadRequest(f"Failed to change members of group {group}. Group does not exist.")
    if (context.value(group, "origin") or {}).get("type") == "EXTERNAL":
        raise BadRequest(
            f"Group {group} was ingested from an external provider and cannot have members "
            "manually added to it"
        )


def _made_native(context: Context, group: str) -> list[Change]:
    """The changes that make a group of unknown origin native, with its members."""
    if context.value(group, "origin") is not None:
        return []
    _, found = related(context.index, group, INCOMING, ["IsMemberOfGroup"], 0, _MOST_MEMBERS)
    changes: list[Change] = [(group, "origin", "UPSERT", {"type": "NATIVE"})]
    for member in found:
        changes += _membership(context, member.urn, group, native=True)
    return changes


def _change_members(context: Context, group: str, users: Sequence[str], *, native: bool) -> None:
    _check_group(context, group)
    context.write(_made_native(context, group))
    changes = [
        change
        for user in users
        if context.exists(user)
        for change in _membership(context, user, group, native=native)
    ]
    context.write(changes)


def _add_members(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _change_members(context, given["groupUrn"], given["userUrns"], native=True)
    return True


def _remove_members(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _change_members(context, given["groupUrn"], given["userUrns"], native=False)
    return True


def _remove(context: Context, arguments: Arguments) -> bool:
    remove_entity(context, arguments["urn"])
    return True


def _update_status(context: Context, arguments: Arguments) -> str:
    status: str = arguments["status"]
    value = {"status": status, "lastModified": context.stamp}
    context.upsert(arguments["urn"], "corpUserStatus", value)
    return status


def _update_user(context: Context, arguments: Arguments) -> Entity | None:
    urn = arguments["urn"]
    given = {_USER_FIELDS.get(name, name): value for name, value in arguments["input"].items()}
    known = context.value(urn, "corpUserEditableInfo") or {}
    context.upsert(urn, "corpUserEditableInfo", {**known, **given_only(given)})
    return context.loader.entity(urn)


def _update_group(context: Context, arguments: Arguments) -> Entity | None:
    urn = arguments["urn"]
    known = context.value(urn, "corpGroupEditableInfo") or {}
    context.upsert(urn, "corpGroupEditableInfo", {**known, **given_only(arguments["input"])})
    return context.loader.entity(urn)


ROOM = Room(
    schema="identities.graphql",
    queries={"listUsers": _list_users, "listGroups": _list_groups},
    mutations={
        "createGroup": _create_group,
        "addGroupMembers": _add_members,
        "removeGroupMembers": _remove_members,
        "removeGroup": _remove,
        "removeUser": _remove,
        "updateUserStatus": _update_status,
        "updateCorpUserProperties": _update_user,
        "updateCorpGroupProperties": _update_group,
    },
)
