"""What every request passes on its way in: how large it may be, its path, what went wrong."""

from __future__ import annotations

import logging
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataspoke.local_hub.errors import BadRequest, HubError, TooLarge
from dataspoke.local_hub.http import refusal

logger = logging.getLogger(__name__)

# Clients cut their batches at 15 MiB; this leaves room for one aspect of any sensible size.
MOST_BODY_BYTES = 64 * 1024 * 1024


_ASCII = "".join(map(chr, range(33, 127)))


class BodyLimit:
    """Answers 413 to requests that are larger than the hub reads."""

    def __init__(self, app: ASGIApp, most: int = MOST_BODY_BYTES) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._most:
            await self._refused()(scope, receive, send)
            return
        read, started = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise _TooMuchError
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooMuchError:
            if started:
                raise
            await self._refused()(scope, receive, send)

    def _refused(self) -> ASGIApp:
        error = TooLarge(f"The request is larger than {self._most} bytes")
        return refusal(error, restli=False)


class _TooMuchError(BaseException):
    """More came than was announced; no handler of errors on the way may take it."""


class RawPath:
    """Routes by the path as it was sent, so that `%2F` in a urn is no slash.

    Servers decode the path before routing. Percent-escapes are kept here, and the routes decode
    the parts that they take. A trailing slash means nothing to rest.li. Bytes of a query that are
    no ASCII become escapes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw: bytes = scope.get("raw_path") or scope["path"].encode()
            path = raw.split(b"?", 1)[0].decode("latin-1")
            query: bytes = scope["query_string"]
            if not query.isascii():
                query = quote(query, safe=_ASCII).encode()
            scope = {**scope, "path": path.rstrip("/") or "/", "query_string": query}
        await self._app(scope, receive, send)


class Failures:
    """Answers what nobody expected with a short error; the stack trace goes to the log, once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except RecursionError:
            if started:
                raise
            error: HubError = BadRequest("Cannot parse the request: it is nested too deeply")
            await refusal(error, restli=is_restli(scope["path"]))(scope, receive, send)
        except Exception as exc:
            logger.exception("%s %s failed", scope.get("method"), scope.get("path"))
            if started or scope["type"] != "http":
                raise
            error = HubError(f"Internal server error: {type(exc).__name__}")
            await refusal(error, restli=is_restli(scope["path"]))(scope, receive, send)


def is_restli(path: str) -> bool:
    """Whether errors on this path look as rest.li's do."""
    return not path.startswith(("/openapi", "/api"))
