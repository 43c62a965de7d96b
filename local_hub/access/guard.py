"""Keeps callers to what policies allow them: the middleware for reads, and the check of writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataspoke.local_hub.access.asks import Ask, asks_of, on_entity
from dataspoke.local_hub.access.authorizer import Authorizer
from dataspoke.local_hub.access.privileges import (
    CREATE,
    DELETE,
    GUARDED_READS,
    GUARDED_WRITES,
    UPDATE,
)
from dataspoke.local_hub.errors import Forbidden
from dataspoke.local_hub.http import refusal
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.search_sql import VISIBLE


class WriteGuard:
    """Checks proposals for an actor whom policies restrict."""

    def __init__(self, authorizer: Authorizer, actor: str) -> None:
        self._authorizer = authorizer
        self._actor = actor

    def __call__(self, proposals: Sequence[Proposal]) -> None:
        """Raises Forbidden unless the actor may make all these changes."""
        together: dict[str, dict[str, Any]] = {}
        for proposal in proposals:
            together.setdefault(proposal.urn, {})[proposal.aspect.name] = proposal.value
        for urn, aspects in together.items():
            if self._authorizer.exists(urn):
                self._need(on_entity(urn, UPDATE))
            else:
                self._need(on_entity(urn, CREATE), aspects)
        for proposal in proposals:
            if proposal.change == "DELETE":
                self._need(on_entity(proposal.urn, DELETE))
            privileges = GUARDED_WRITES.get(proposal.aspect.name)
            if privileges is not None:
                self._need(Ask(privileges, None, f"update {proposal.aspect.name} of"))

    def _need(self, ask: Ask, proposed: Mapping[str, Any] | None = None) -> None:
        demand(self._authorizer, self._actor, ask, proposed)


def demand(
    authorizer: Authorizer, actor: str, ask: Ask, proposed: Mapping[str, Any] | None = None
) -> None:
    """Raises Forbidden unless the actor has what is asked for."""
    if not authorizer.allowed_any(actor, ask.privileges, ask.urn, proposed):
        needed = " or ".join(ask.privileges)
        raise Forbidden(f"{actor} is unauthorized to {ask.verb} entities. Needed: {needed}.")


class Guard:
    """Answers 403 to what the actor may not ask; only for those whom policies restrict."""

    def __init__(self, app: ASGIApp, hub: Hub, authorizer: Authorizer) -> None:
        self._app = app
        self._hub = hub
        self._authorizer = authorizer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        actor = scope.get("state", {}).get("actor") if scope["type"] == "http" else None
        if actor is None or not self._authorizer.restricts(actor):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        path: str = scope["path"]
        query = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            for ask in asks_of(scope["method"], path, query, _json(body)):
                demand(self._authorizer, actor, ask)
        except Forbidden as exc:
            restli = not path.startswith(("/openapi", "/api"))
            await refusal(exc, restli=restli)(scope, receive, send)
            return
        hidden = [
            name
            for name, privileges in GUARDED_READS.items()
            if not self._authorizer.allowed_any(actor, privileges)
        ]
        scope["state"]["hub"] = replace(self._hub, guard=WriteGuard(self._authorizer, actor))
        if hidden:  # what is compressed cannot be looked into
            scope["headers"] = [item for item in scope["headers"] if item[0] != b"accept-encoding"]
        VISIBLE.set(self._authorizer.sees(actor))
        await self._app(scope, _replayed(body, receive), _Redacted(send, hidden).send)


class _Redacted:
    """Passes an answer on, but for the aspects that are not for the actor's eyes."""

    def __init__(self, send: Send, hidden: Sequence[str]) -> None:
        self._send = send
        self._hidden = [name.encode() for name in hidden]
        self._start: Message | None = None
        self._body: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body.append(message.get("body", b""))
        if message.get("more_body") or self._start is None:
            return
        body = b"".join(self._body)
        if any(name in body for name in self._hidden):
            body = _without(body, frozenset(name.decode() for name in self._hidden))
            headers = [item for item in self._start["headers"] if item[0] != b"content-length"]
            headers.append((b"content-length", str(len(body)).encode()))
            self._start["headers"] = headers
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


def _without(body: bytes, names: frozenset[str]) -> bytes:
    try:
        return orjson.dumps(_strip(orjson.loads(body), names))
    except orjson.JSONDecodeError:  # no JSON, so no aspect
        return body


def _strip(value: Any, names: frozenset[str]) -> Any:
    """Leave out members called so, and list items that say `aspectName` of it."""
    if isinstance(value, list):
        return [
            _strip(item, names)
            for item in value
            if not (isinstance(item, dict) and item.get("aspectName") in names)
        ]
    if isinstance(value, dict):
        return {name: _strip(item, names) for name, item in value.items() if name not in names}
    return value


async def _read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _json(body: bytes) -> Any:
    """The body if it is JSON; what it should have been, the route says."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
