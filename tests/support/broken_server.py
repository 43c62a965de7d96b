"""A proxy in front of a hub that breaks one behaviour."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from logged_process import free_port, wait_until
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]
_DROPPED = ("content-length", "transfer-encoding", "connection", "content-encoding")


@dataclass
class Exchange:
    """A request, and the answer to it that may be changed."""

    method: str
    path: str
    query: str
    sent: bytes
    status: int
    body: bytes


Break = Callable[[Exchange], None]


@contextmanager
def broken(hub_url: str, breaks: Break) -> Iterator[str]:
    """Serve the hub through a proxy that `breaks` its answers; yields the proxy's URL."""
    client = httpx.Client(base_url=hub_url, timeout=60)

    def forward(request: Request, sent: bytes) -> Response:
        raw = request.scope["raw_path"].decode()
        query = request.url.query
        url = raw.split("?")[0] + (f"?{query}" if query else "")
        headers = {k: v for k, v in request.headers.items() if k not in ("host", *_DROPPED)}
        answer = client.request(request.method, url, content=sent, headers=headers)
        exchange = Exchange(
            request.method, raw.split("?")[0], query, sent, answer.status_code, answer.content
        )
        breaks(exchange)
        kept = {k: v for k, v in answer.headers.items() if k not in _DROPPED}
        return Response(exchange.body, exchange.status, kept)

    async def serve(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        return await run_in_threadpool(forward, request, await request.body())

    app = Starlette(routes=[Route("/{path:path}", serve, methods=_METHODS)])
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, what="the proxy listens")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        client.close()
