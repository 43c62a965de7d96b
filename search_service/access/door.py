"""What a request passes before the application: who calls, how often, and how much they send."""

from __future__ import annotations

from collections.abc import Callable

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataspoke.core.errors import DataSpokeError
from dataspoke.search_service.access.caller import (
    ANONYMOUS,
    Caller,
    RefusedError,
    TooLargeError,
    UnauthenticatedError,
)
from dataspoke.search_service.access.rates import Budget
from dataspoke.search_service.access.service import Access
from dataspoke.search_service.problems import problem

OPEN_PATHS = frozenset(
    ("/", "/web/app.js", "/web/style.css", "/web/icon.svg", "/healthz", "/readyz", "/openapi.json")
)
"""Answered to anybody: they hold nothing of the catalogue."""


class Door:
    """Sets `request.state.caller`, or answers 401, 413, 429 or 503."""

    def __init__(
        self, app: ASGIApp, access: Access, refused: Callable[[int], None] = lambda status: None
    ) -> None:
        self._app = app
        self._access = access
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            caller, budget = await self._admitted(scope)
            scope.setdefault("state", {})["caller"] = caller
            receive = await _read_whole(scope, receive, self._access.settings.max_body)
        except RefusedError as exc:
            self._refused(exc.status)
            await problem(exc.status, str(exc), exc.headers)(scope, receive, send)
            return
        except DataSpokeError as exc:
            self._refused(503)
            await problem(503, str(exc), {"Retry-After": "2"})(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if budget is not None:
                    headers["RateLimit-Limit"] = str(budget.limit)
                    headers["RateLimit-Remaining"] = str(budget.remaining)
                    headers["RateLimit-Reset"] = str(budget.reset_seconds)
                if self._access.settings.authenticates:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)

    async def _admitted(self, scope: Scope) -> tuple[Caller | None, Budget | None]:
        """The caller, None for somebody unknown who asks for what is open to all."""
        access, path = self._access, scope["path"]
        if path in OPEN_PATHS and path != "/readyz":
            return None, None
        address = scope["client"][0] if scope.get("client") else "unknown"
        if access.rates:
            await anyio.to_thread.run_sync(access.rates.count_address, address)
        caller = await self._caller(Headers(scope=scope).get("authorization"), path)
        if caller is None or not access.rates:
            return caller, None
        # Everybody without a name is one user to the limits, and is told apart by address.
        subject = caller.subject if caller is not ANONYMOUS else f"anonymous {address}"
        return caller, await anyio.to_thread.run_sync(access.rates.count_user, subject)

    async def _caller(self, header: str | None, path: str) -> Caller | None:
        authenticator = self._access.authenticator
        if authenticator is None:
            return ANONYMOUS
        if header is None:
            if path in OPEN_PATHS:
                return None
            raise UnauthenticatedError(
                "Cannot answer: the request does not say who asks. Send a token in the header "
                "'Authorization: Bearer TOKEN'.",
                error="",
            )
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthenticatedError(
                "Cannot accept the credentials: they are no bearer token. Send a token in the "
                "header 'Authorization: Bearer TOKEN'.",
                error="invalid_request",
            )
        known = authenticator.remembered(token.strip())
        return known or await anyio.to_thread.run_sync(authenticator.check, token.strip())


async def _read_whole(scope: Scope, receive: Receive, most: int) -> Receive:
    """The body read up to `most` bytes, to be received once more. Raises TooLargeError."""
    too_large = TooLargeError(
        f"Cannot read the request: its body is longer than {most} bytes. Ask for less at once.",
        {"Connection": "close"},
    )
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return receive
    declared = Headers(scope=scope).get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise too_large
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        if len(body) > most:
            raise too_large
        more = message.get("more_body", False)
    replayed = False

    async def again() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return again
