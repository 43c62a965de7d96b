"""Around every request: a correlation id, a line for the audit log, figures and a trace."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataspoke.search_service.problems import correlation_id

audit = logging.getLogger("dataspoke.audit")
log = logging.getLogger(__name__)

HEADER = "X-Request-ID"

_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = frozenset(("/healthz", "/readyz", "/metrics"))

Span = Callable[[Scope], AbstractContextManager[Any]]


def no_span(scope: Scope) -> AbstractContextManager[Any]:
    """Where no traces are written."""
    return nullcontext()


class Observer:
    """The outermost room. A good id of the caller's own (8 to 64 letters, digits, `.`, `_`, `-`)
    is kept, so that requests can be followed through several services; any other is replaced."""

    def __init__(
        self,
        app: ASGIApp,
        seen: Callable[[str, int, float], None] = lambda route, status, seconds: None,
        span: Span = no_span,
    ) -> None:
        self._app = app
        self._seen = seen
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        name = given if _GOOD_ID.fullmatch(given) else uuid.uuid4().hex
        reset = correlation_id.set(name)
        started, status = perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        try:
            with self._span(scope) as span:
                await self._app(scope, receive, send_with_id)
                if span is not None:
                    span.set_attribute("http.response.status_code", status)
        finally:
            seconds = perf_counter() - started
            route = getattr(scope.get("route"), "path", "none")
            self._seen(route, status, seconds)
            if scope["path"] not in _QUIET:
                _write(scope, status, seconds)
            correlation_id.reset(reset)


def _write(scope: Scope, status: int, seconds: float) -> None:
    """One line of the audit log. No header is written, so no credentials are."""
    if not audit.isEnabledFor(logging.INFO):
        return
    caller = scope.get("state", {}).get("caller")
    client = scope.get("client")
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("q", [])
    audit.info(
        "request",
        extra={
            "facts": {
                "subject": caller.subject if caller else None,
                "address": client[0] if client else None,
                "method": scope["method"],
                "path": scope["path"],
                "question": (asked or [scope.get("state", {}).get("question")])[0],
                "status": status,
                "ms": round(seconds * 1000, 1),
            }
        },
    )
