"""The hub as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataspoke.local_hub.access import sessions
from dataspoke.local_hub.access.door import Access, Door
from dataspoke.local_hub.access.guard import Guard
from dataspoke.local_hub.boot.bootstrap import bootstrap
from dataspoke.local_hub.discovery import Discovery
from dataspoke.local_hub.errors import HubError, NotFound
from dataspoke.local_hub.http import finish, refusal
from dataspoke.local_hub.hub import Hub, now_millis
from dataspoke.local_hub.news import News
from dataspoke.local_hub.routes import (
    events,
    graph,
    graphql,
    maintenance,
    messaging,
    openapi_v2,
    openapi_v3,
    operations,
    restli,
    timeline,
    timeseries,
)
from dataspoke.local_hub.transports import publishing, schema_registry

logger = logging.getLogger(__name__)

_KEEP_EVENTS_MILLIS = 7 * 86_400_000
_TRIM_SECONDS = 600
_TRIMMED_AT_ONCE = 5000


def create_app(
    home: Path,
    *,
    token: str | None = None,
    models: Sequence[Path] = (),
    kafka: str | None = None,
    pg_queue: str | None = None,
) -> FastAPI:
    """The application over the data in `home`; `models` are folders of custom aspects.

    With `token`, every call but the health probes and the schema registry needs that token, whose
    bearer is the root user, or one that the hub has made; without, only who brings a token or a
    session of the hub's own is anybody but the root user. While it runs, events also go to the
    Kafka at `kafka` (HOST:PORT) and to the queue in the PostgreSQL at `pg_queue` (URL). Opening
    raises FatalError when the folder is in use or damaged.
    """
    with ExitStack() as opening:
        hub = Hub.open(home, models)
        opening.callback(hub.close)
        bootstrap(hub)
        access = Access.open(home, hub, token)
        discovery = Discovery.open(home, hub, access)
        opening.callback(discovery.close)
        opening.enter_context(publishing(hub.store, kafka=kafka, pg_queue=pg_queue))
        resources = opening.pop_all()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        news = app.state.news = News(asyncio.get_running_loop())
        with resources:
            remove = hub.store.add_listener(news.announce)
            trimming = asyncio.create_task(_trim_events(hub, discovery))
            try:
                yield
            finally:
                trimming.cancel()
                remove()
                news.close()

    app = FastAPI(
        title="Data Spoke local hub",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.hub = hub
    app.state.discovery = discovery
    app.state.access = access
    for route in (
        *operations.routes,
        *sessions.routes,
        *restli.routes,
        *events.routes,
        *timeline.routes,
        *timeseries.routes,
        *maintenance.routes,
        *messaging.routes,
        *graph.routes,
        *graphql.routes,
        *openapi_v3.routes,
        *openapi_v2.routes,
    ):
        app.router.routes.append(route)
    app.include_router(schema_registry.router)
    app.add_exception_handler(HubError, _refuse)
    app.add_exception_handler(HTTPException, _refuse_http)
    app.add_middleware(Failures)
    app.add_middleware(Guard, hub=hub, authorizer=access.authorizer)
    app.add_middleware(RawPath)
    app.add_middleware(Door, access=access)
    return app


async def _trim_events(hub: Hub, discovery: Discovery) -> None:
    """Keep the change log as long as Kafka keeps its topics by default, but for the index."""
    while True:
        if not await finish(_trim(hub, discovery.index.cursor)):
            await asyncio.sleep(_TRIM_SECONDS)


def _trim(hub: Hub, up_to: int) -> Future[int]:
    before = now_millis() - _KEEP_EVENTS_MILLIS
    return hub.store.submit(lambda tx: tx.trim_events(before, up_to, _TRIMMED_AT_ONCE))


class RawPath:
    """Routes by the path as it was sent, so that `%2F` in a urn is no slash.

    Servers decode the path before routing. Percent-escapes are kept here, and the routes decode
    the parts that they take. A trailing slash means nothing to rest.li.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw: bytes = scope.get("raw_path") or scope["path"].encode()
            path = raw.split(b"?", 1)[0].decode("latin-1")
            scope = {**scope, "path": path.rstrip("/") or "/"}
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
        except Exception as exc:
            logger.exception("%s %s failed", scope.get("method"), scope.get("path"))
            if started or scope["type"] != "http":
                raise
            error = HubError(f"Internal server error: {type(exc).__name__}")
            await refusal(error, restli=_is_restli(scope["path"]))(scope, receive, send)


def _is_restli(path: str) -> bool:
    return not path.startswith(("/openapi", "/api"))


async def _refuse(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HubError)
    return refusal(exc, restli=_is_restli(request.url.path))


async def _refuse_http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    error = NotFound(f"{request.method} {request.url.path}: {exc.detail}")
    error.status = error.restli_status = exc.status_code
    return refusal(error, restli=_is_restli(request.url.path))
