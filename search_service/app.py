"""The HTTP application: routes, errors and headers around `retrieve.search`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from time import perf_counter
from typing import Annotated

import anyio.to_thread
import orjson
from fastapi import FastAPI, Query
from fastapi.responses import Response
from starlette.requests import Request

from dataspoke.core.errors import DataSpokeError, RetriableError
from dataspoke.core.index.model import Payload
from dataspoke.core.settings import Settings
from dataspoke.search_service import schemas
from dataspoke.search_service.access.answers import answer_key
from dataspoke.search_service.access.door import Door
from dataspoke.search_service.access.service import Access
from dataspoke.search_service.access.settings import AccessSettings
from dataspoke.search_service.access.view import Rights
from dataspoke.search_service.entity_routes import Find, entity_router
from dataspoke.search_service.errors import SEARCH_PROBLEMS, add_errors
from dataspoke.search_service.filters import checked, parse_filter
from dataspoke.search_service.fusion import Weights
from dataspoke.search_service.gate import ANY_HOST, Gate
from dataspoke.search_service.health import add_health
from dataspoke.search_service.metrics import Metrics
from dataspoke.search_service.neighbours import Surroundings
from dataspoke.search_service.observe import Observer, no_span
from dataspoke.search_service.page import page_router
from dataspoke.search_service.results import applied_filter, result
from dataspoke.search_service.runtime import SearchRuntime, Serving
from dataspoke.search_service.traces import Traces
from dataspoke.search_service.understand import Question, answer_to

log = logging.getLogger(__name__)

_DESCRIPTION = (
    "Find the right dataset with a plain question. Answers come from an index that follows "
    "DataHub; every hit says why it was found."
)


def create_app(
    settings: Settings,
    *,
    on_ready: Callable[[Serving], None] = lambda serving: None,
    on_fatal: Callable[[DataSpokeError], None] = lambda error: None,
    allowed_hosts: Sequence[str] = (ANY_HOST,),
    weights: Weights | None = None,
    access: Access | None = None,
    traces: Traces | None = None,
) -> FastAPI:
    """The service over the index and model that `settings` name; loads them at start-up.

    `on_ready` and `on_fatal` are called from another thread. `allowed_hosts` are the names by
    which callers may address the service. Without `access` everybody may do and see everything.
    """
    access = access or Access(AccessSettings())
    runtime = SearchRuntime(settings, on_ready=on_ready, on_fatal=on_fatal, weights=weights)
    metrics = Metrics(ready=lambda: runtime.serving is not None, drain=lambda: runtime.drain)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime.start()
        yield
        await anyio.to_thread.run_sync(runtime.stop)

    app = FastAPI(
        title="Data Spoke search",
        description=_DESCRIPTION,
        version=version("dataspoke"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    # The last one added is the first that a request meets.
    app.add_middleware(Door, access=access, refused=metrics.refused)
    app.add_middleware(Gate, allowed_hosts=allowed_hosts)
    app.add_middleware(Observer, seen=metrics.requested, span=traces.span if traces else no_span)
    add_errors(app)
    add_health(app, runtime, metrics)
    _add_search(app, runtime, metrics, settings, access, traces)

    def rights(request: Request) -> Rights:
        return access.conditions_for(request.state.caller)

    app.include_router(entity_router(_finder(runtime), rights, settings.frontend_url))
    app.include_router(
        page_router(lambda: runtime.serving.index if runtime.serving else None, rights)
    )
    return app


def _finder(runtime: SearchRuntime) -> Find:
    def find(urn: str, rights: Rights) -> tuple[Payload, Surroundings] | None:
        serving = runtime.serving
        if serving is None:
            raise RetriableError(f"{runtime.reason} Try again in a moment.")
        return serving.searcher.entity(urn, rights=rights or ())

    return find


def _add_search(
    app: FastAPI,
    runtime: SearchRuntime,
    metrics: Metrics,
    settings: Settings,
    access: Access,
    traces: Traces | None,
) -> None:
    def answer(asked: Question, request: Request) -> Response:
        started = perf_counter()
        serving = runtime.serving
        if serving is None:
            raise RetriableError(f"{runtime.reason} Try again in a moment.")
        rights = access.conditions_for(request.state.caller)
        key = answer_key(rights, serving.embedder.model_id, asked) if access.answers else ""
        if access.answers:
            kept = access.answers.get(key)
            metrics.looked_up(hit=kept is not None)
            if kept is not None:
                return Response(kept, media_type="application/json")
        understood = answer_to(
            asked,
            serving.searcher,
            serving.vocabularies.of(rights),
            settings.now or datetime.now(UTC),
            rights=rights or (),
        )
        found = understood.answer
        body = {
            "query": asked.text,
            "searched": understood.rest,
            "corrections": [
                {"typed": each.typed, "read": each.read} for each in understood.corrections
            ],
            "results": [result(hit, settings.frontend_url) for hit in found.hits],
            "filters": [applied_filter(given) for given in understood.applied],
            "total": found.total,
            "limit": asked.limit,
            "offset": asked.offset,
        }
        seconds = perf_counter() - started
        metrics.searched(200, {**found.seconds, "total": seconds})
        if traces:
            traces.stages(found.seconds)
        body["took_ms"] = round(seconds * 1000, 2)
        encoded = orjson.dumps(body)
        if access.answers:
            access.answers.put(key, encoded, age=perf_counter() - started)
        return Response(encoded, media_type="application/json")

    @app.get(
        "/search/semantic",
        response_model=schemas.SearchResponse,
        responses=SEARCH_PROBLEMS,
        summary="Search by meaning and by words",
        operation_id="search",
    )
    def search_by_get(
        request: Request,
        q: Annotated[str, Query(max_length=schemas.LONGEST_QUESTION)] = "",
        limit: Annotated[int, Query(ge=1, le=schemas.MOST_RESULTS)] = 10,
        offset: Annotated[int, Query(ge=0, le=schemas.DEEPEST_OFFSET)] = 0,
        filter: Annotated[
            list[Annotated[str, Query(max_length=2000)]],
            Query(description=schemas.FILTER_HELP, max_length=schemas.MOST_FILTERS),
        ] = [],  # noqa: B006
        parse: Annotated[bool, Query(description=schemas.PARSE_HELP)] = True,
        drop_filter: Annotated[
            list[Annotated[str, Query(max_length=2000)]],
            Query(description=schemas.DROP_HELP, max_length=schemas.MOST_FILTERS),
        ] = [],  # noqa: B006
    ) -> Response:
        filters = tuple(parse_filter(text) for text in filter)
        asked = Question(q.strip(), filters, limit, offset, parse, frozenset(drop_filter))
        return answer(asked, request)

    @app.post(
        "/search/semantic",
        response_model=schemas.SearchResponse,
        responses=SEARCH_PROBLEMS,
        summary="Search by meaning and by words",
        operation_id="search_with_body",
    )
    def search_by_post(asked: schemas.SearchRequest, request: Request) -> Response:
        request.state.question = asked.q
        filters = tuple(checked(given.filter()) for given in asked.filters)
        dropped = frozenset(asked.drop_filters)
        question = Question(
            asked.q.strip(), filters, asked.limit, asked.offset, asked.parse, dropped
        )
        return answer(question, request)
