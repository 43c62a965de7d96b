"""Roles, who has them, and the invitations that give them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import given_only, page
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

_INFO = "dataHubRoleInfo"
_BUILT_IN = frozenset(f"urn:li:dataHubRole:{name}" for name in ("Admin", "Editor", "Reader"))


def _list(context: Context, arguments: Arguments) -> Any:
    found = page(context, "dataHubRole", "roles", arguments["input"])
    return {**found, "count": len(found["roles"])}


def _editable(role: Entity, _: Arguments) -> bool:
    return role.urn not in _BUILT_IN and bool(role.aspect(_INFO).get("editable"))


def _create(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn = f"urn:li:dataHubRole:{uuid.uuid4()}"
    described = {"name": given["name"], "description": given.get("description") or ""}
    context.upsert(urn, _INFO, {**described, "editable": True})
    return urn


def _update(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    info = _changeable(context, given["urn"])
    changed = {name: given.get(name) for name in ("name", "description")}
    context.upsert(given["urn"], _INFO, {**info, **given_only(changed)})
    return True


def _delete(context: Context, arguments: Arguments) -> bool:
    _changeable(context, arguments["urn"])
    remove_entity(context, arguments["urn"])
    return True


def _changeable(context: Context, urn: str) -> dict[str, Any]:
    """The role as it is. Raises NotFound, or BadRequest for one of DataHub's own."""
    info = context.value(urn, _INFO)
    if info is None:
        raise NotFound(f"Role {urn} does not exist")
    if urn in _BUILT_IN or not info.get("editable"):
        raise BadRequest(f"Role {urn} is built in and cannot be changed")
    return info


def _assign(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    _give(context, given["actors"], given.get("roleUrn"))
    return True


def _give(context: Context, actors: Sequence[str], role: str | None) -> None:
    """The role instead of those that the actors had; None takes theirs away."""
    if role is not None and not context.exists(role):
        raise BadRequest(f"Role {role} does not exist. Skipping batch role assignment")
    value = {"roles": [] if role is None else [role]}
    context.write(
        (actor, "roleMembership", "UPSERT", value) for actor in actors if context.exists(actor)
    )


def _accept(context: Context, arguments: Arguments) -> bool:
    role = context.access.users.invited_role(arguments["input"]["inviteToken"])
    _give(context, [context.actor], role)
    return True


def _get_invite(context: Context, arguments: Arguments) -> Any:
    return {"inviteToken": context.access.users.invite_token(arguments["input"].get("roleUrn"))}


def _new_invite(context: Context, arguments: Arguments) -> Any:
    role = arguments["input"].get("roleUrn")
    return {"inviteToken": context.access.users.invite_token(role, renew=True)}


def _reset_token(context: Context, arguments: Arguments) -> Any:
    return {"resetToken": context.access.users.reset_token(arguments["input"]["userUrn"])}


ROOM = Room(
    schema="roles.graphql",
    queries={"listRoles": _list, "getInviteToken": _get_invite},
    mutations={
        "createRole": _create,
        "updateRole": _update,
        "deleteRole": _delete,
        "batchAssignRole": _assign,
        "acceptRole": _accept,
        "createInviteToken": _new_invite,
        "createNativeUserResetToken": _reset_token,
    },
    fields={("DataHubRole", "editable"): _editable},
)
