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

from dataspoke.local_hub.access import sessions
from dataspoke.local_hub.access.door import Access, Door
from dataspoke.local_hub.access.guard import Guard
from dataspoke.local_hub.boot.bootstrap import bootstrap
from dataspoke.local_hub.discovery import Discovery
from dataspoke.local_hub.errors import HubError, NotFound
from dataspoke.local_hub.http import finish, refusal
from dataspoke.local_hub.hub import Hub, now_millis
from dataspoke.local_hub.middleware import BodyLimit, Failures, RawPath, is_restli
from dataspoke.local_hub.news import News
from dataspoke.local_hub.routes import (
    events,
    graph,
    graphql,
    maintenance,
    messaging,
    openapi_v2,
    openapi_v3,
    openlineage,
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
    schema_fields: bool = False,
) -> FastAPI:
    """The application over the data in `home`; `models` are folders of custom aspects.

    With `schema_fields` the columns of datasets become entities of their own.

    With `token`, every call but the health probes and the schema registry needs that token, whose
    bearer is the root user, or one that the hub has made; without, only who brings a token or a
    session of the hub's own is anybody but the root user. While it runs, events also go to the
    Kafka at `kafka` (HOST:PORT) and to the queue in the PostgreSQL at `pg_queue` (URL). Opening
    raises FatalError when the folder is in use or damaged.
    """
    with ExitStack() as opening:
        hub = Hub.open(home, models, schema_fields=schema_fields)
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
        app.state.consumers = asyncio.Semaphore(events.MOST_CONSUMERS)
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
        *openlineage.routes,
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
    app.add_middleware(BodyLimit)
    return app


async def _trim_events(hub: Hub, discovery: Discovery) -> None:
    """Keep the change log as long as Kafka keeps its topics by default, but for the index."""
    while True:
        if not await finish(_trim(hub, discovery.index.cursor)):
            await asyncio.sleep(_TRIM_SECONDS)


def _trim(hub: Hub, up_to: int) -> Future[int]:
    before = now_millis() - _KEEP_EVENTS_MILLIS
    return hub.store.submit(lambda tx: tx.trim_events(before, up_to, _TRIMMED_AT_ONCE))


async def _refuse(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HubError)
    return refusal(exc, restli=is_restli(request.url.path))


async def _refuse_http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    error = NotFound(f"{request.method} {request.url.path}: {exc.detail}")
    error.status = error.restli_status = exc.status_code
    return refusal(error, restli=is_restli(request.url.path))
