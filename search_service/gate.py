"""What every request passes: the name it addresses, and the headers of its answer."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataspoke.search_service.problems import problem

ANY_HOST = "*"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Gate:
    """Refuses callers that address the service by a name not among `allowed_hosts`, so that no
    web site can reach it through a name of its own that resolves to this machine. The page
    loads from here alone and can be framed by nobody."""

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str]) -> None:
        self._app = app
        self._allowed = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        host = host_name(Headers(scope=scope).get("host", ""))
        if ANY_HOST in self._allowed or host in self._allowed:
            await self._app(scope, receive, send_with_headers)
            return
        refusal = problem(
            400,
            f"Cannot answer to the name {host!r}: this service listens for this machine alone. "
            "Use http://127.0.0.1 or http://localhost with its port.",
        )
        await refusal(scope, receive, send_with_headers)


def host_name(header: str) -> str:
    """The name in a Host header, without the port.

    >>> host_name("LocalHost:8010"), host_name("[::1]:8010")
    ('localhost', '::1')
    """
    header = header.strip().lower()
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]
