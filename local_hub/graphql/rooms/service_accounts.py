"""Service accounts: users that are programs, told by their subtype."""

from __future__ import annotations

import uuid
from typing import Any

from dataspoke.local_hub.errors import NotFound
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import every, page
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

_SUBTYPE = "SERVICE_ACCOUNT"
_PREFIX = "urn:li:corpuser:service_"


def is_service_account(context: Context, urn: str) -> bool:
    """Whether the user is one."""
    return _SUBTYPE in ((context.value(urn, "subTypes") or {}).get("typeNames") or ())


def _list(context: Context, arguments: Arguments) -> Any:
    found = page(
        context,
        "corpuser",
        "serviceAccounts",
        arguments["input"],
        groups=every(typeNames=_SUBTYPE),
    )
    accounts = [_shown(account) for account in found["serviceAccounts"]]
    return {**found, "count": len(accounts), "serviceAccounts": accounts}


def _get(context: Context, arguments: Arguments) -> Any:
    account = context.loader.entity(arguments["urn"])
    if account is None or not is_service_account(context, account.urn):
        return None
    return _shown(account)


def _shown(account: Entity) -> dict[str, Any]:
    info = account.aspect("corpUserInfo")
    settings = account.aspect("corpUserSettings")
    return {
        "urn": account.urn,
        "type": "CORP_USER",
        "name": account.urn.removeprefix(_PREFIX),
        "displayName": info.get("displayName"),
        "description": info.get("title"),
        "defaultView": (settings.get("views") or {}).get("defaultView"),
    }


def _create(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    urn = f"{_PREFIX}{uuid.uuid4()}"
    name = urn.removeprefix("urn:li:corpuser:")
    info = {"active": True, "displayName": given.get("displayName") or name}
    if given.get("description"):
        info["title"] = given["description"]
    context.write(
        [
            (urn, "corpUserInfo", "UPSERT", info),
            (urn, "subTypes", "UPSERT", {"typeNames": [_SUBTYPE]}),
        ]
    )
    return {
        "urn": urn,
        "type": "CORP_USER",
        "name": name,
        "displayName": given.get("displayName"),
        "description": given.get("description"),
        "createdBy": context.actor,
        "createdAt": context.now,
    }


def _delete(context: Context, arguments: Arguments) -> bool:
    remove_entity(context, _existing(context, arguments["urn"]))
    return True


def _set_view(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    urn = _existing(context, given["urn"])
    settings = context.value(urn, "corpUserSettings") or {}
    views = {"defaultView": given["defaultView"]} if given.get("defaultView") else {}
    appearance = settings.get("appearance") or {"showSimplifiedHomepage": False}
    context.upsert(urn, "corpUserSettings", {**settings, "appearance": appearance, "views": views})
    return True


def _existing(context: Context, urn: str) -> str:
    if not is_service_account(context, urn):
        raise NotFound(f"Service account {urn} does not exist")
    return urn


ROOM = Room(
    schema="service_accounts.graphql",
    queries={"listServiceAccounts": _list, "getServiceAccount": _get},
    mutations={
        "createServiceAccount": _create,
        "deleteServiceAccount": _delete,
        "updateServiceAccountDefaultView": _set_view,
    },
)
