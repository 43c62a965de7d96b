"""Access tokens of people and services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.access.tokens import token_urn
from dataspoke.local_hub.errors import BadRequest, Forbidden, NotFound
from dataspoke.local_hub.filters import criteria
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import page
from dataspoke.local_hub.graphql.permissions import UNAUTHORIZED
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.graphql.rooms.service_accounts import is_service_account

_DAY = 86_400_000
_DURATIONS: Mapping[str, int | None] = {
    "ONE_HOUR": _DAY // 24,
    "ONE_DAY": _DAY,
    "ONE_WEEK": 7 * _DAY,
    "ONE_MONTH": 30 * _DAY,
    "THREE_MONTHS": 90 * _DAY,
    "SIX_MONTHS": 180 * _DAY,
    "ONE_YEAR": 365 * _DAY,
    "NO_EXPIRY": None,
}
_MANAGE, _GENERATE = "MANAGE_ACCESS_TOKENS", "GENERATE_PERSONAL_ACCESS_TOKENS"
_INFO = "dataHubAccessTokenInfo"


def _create(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    _may_create(context, given)
    tokens = context.access.tokens
    text = tokens.issue(
        given["actorUrn"],
        given["type"],
        millis=_DURATIONS[given["duration"]],
        name=given["name"],
        description=given.get("description"),
        owner=context.actor,
    )
    return {"accessToken": text, "metadata": token_urn(tokens.id_of(text))}


def _get(context: Context, arguments: Arguments) -> Any:
    """A token of which nothing is kept, as older clients ask for it; only for oneself."""
    given = arguments["input"]
    if given["actorUrn"] != context.actor or not context.may(_GENERATE):
        raise Forbidden(UNAUTHORIZED)
    return {"accessToken": context.access.tokens.session(given["actorUrn"])}


def _may_create(context: Context, given: Arguments) -> None:
    """Raises Forbidden: people make tokens for themselves, some for others and for services."""
    actor = given["actorUrn"]
    if given["type"] == "SERVICE_ACCOUNT":
        if not is_service_account(context, actor):
            raise BadRequest(f"The specified URN is not a service account: {actor}")
        allowed = context.may("MANAGE_SERVICE_ACCOUNTS")
    else:
        own = actor == context.actor and context.may(_GENERATE)
        allowed = own or context.may(_MANAGE)
    if not allowed:
        raise Forbidden(UNAUTHORIZED)


def _list(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    filters = given.get("filters") or []
    if not context.may(_MANAGE) and not _about_oneself(context, filters):
        raise Forbidden(UNAUTHORIZED)
    found = page(
        context,
        "dataHubAccessToken",
        "tokens",
        given,
        groups=criteria([{"and": filters}]) if filters else (),
        sort=[("expiresAt", True)],
    )
    return {**found, "count": len(found["tokens"])}


def _about_oneself(context: Context, filters: list[Arguments]) -> bool:
    return any(
        one["field"] in ("ownerUrn", "actorUrn") and one.get("values") == [context.actor]
        for one in filters
    )


def _revoke(context: Context, arguments: Arguments) -> bool:
    token_id: str = arguments["tokenId"]
    info = context.value(token_urn(token_id), _INFO)
    own = info is not None and context.actor in (info["ownerUrn"], info["actorUrn"])
    if not own and not context.may(_MANAGE):
        raise Forbidden(UNAUTHORIZED)
    if info is None:
        raise BadRequest("Access token no longer exists")
    context.access.tokens.revoke(token_id, context.actor)
    return True


def _metadata(context: Context, arguments: Arguments) -> Entity | None:
    urn = token_urn(context.access.tokens.id_of(arguments["token"]))
    if not context.exists(urn):
        raise NotFound("Access token does not exist")
    return context.loader.entity(urn)


ROOM = Room(
    schema="tokens.graphql",
    queries={
        "getAccessToken": _get,
        "listAccessTokens": _list,
        "getAccessTokenMetadata": _metadata,
    },
    mutations={"createAccessToken": _create, "revokeAccessToken": _revoke},
)
