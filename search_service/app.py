"""The HTTP application: routes, errors and headers around `retrieve.search`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from time import perf_counter
from typing import Annotated, Any

import anyio.to_thread
import orjson
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.requests import Request

from dataspoke.core.errors import DataSpokeError, RetriableError
from dataspoke.core.index.model import Payload
from dataspoke.core.settings import Settings
from dataspoke.search_service import schemas
from dataspoke.search_service.entity_routes import Find, entity_router
from dataspoke.search_service.filters import FilterError, checked, parse_filter
from dataspoke.search_service.fusion import Weights
from dataspoke.search_service.gate import ANY_HOST, Gate
from dataspoke.search_service.metrics import Metrics
from dataspoke.search_service.neighbours import Surroundings
from dataspoke.search_service.page import page_router
from dataspoke.search_service.results import applied_filter, result
from dataspoke.search_service.runtime import SearchRuntime, Serving
from dataspoke.search_service.understand import Question, answer_to

log = logging.getLogger(__name__)

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": schemas.Problem, "description": "A filter or the host is not allowed."},
    422: {"model": schemas.Problem, "description": "The request has not the right form."},
    503: {"model": schemas.Problem, "description": "Model or index are not loaded, or away."},
}
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
) -> FastAPI:
    """The service over the index and model that `settings` name; loads them at start-up.

    `on_ready` and `on_fatal` are called from another thread. `allowed_hosts` are the names by
    which callers may address the service.
    """
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
    app.add_middleware(Gate, allowed_hosts=allowed_hosts)
    _add_errors(app)
    _add_health(app, runtime, metrics)
    _add_search(app, runtime, metrics, settings)
    app.include_router(entity_router(_finder(runtime), settings.frontend_url))
    app.include_router(page_router(lambda: runtime.serving.index if runtime.serving else None))
    return app


def _finder(runtime: SearchRuntime) -> Find:
    def find(urn: str) -> tuple[Payload, Surroundings] | None:
        serving = runtime.serving
        if serving is None:
            raise RetriableError(f"{runtime.reason} Try again in a moment.")
        return serving.searcher.entity(urn)

    return find


def _add_search(app: FastAPI, runtime: SearchRuntime, metrics: Metrics, settings: Settings) -> None:
    def answer(asked: Question) -> Response:
        started = perf_counter()
        serving = runtime.serving
        if serving is None:
            raise RetriableError(f"{runtime.reason} Try again in a moment.")
        now = settings.now or datetime.now(UTC)
        understood = answer_to(asked, serving.searcher, serving.vocabulary.current(), now)
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
        body["took_ms"] = round(seconds * 1000, 2)
        return Response(orjson.dumps(body), media_type="application/json")

    @app.get(
        "/search/semantic",
        response_model=schemas.SearchResponse,
        responses=_PROBLEMS,
        summary="Search by meaning and by words",
        operation_id="search",
    )
    def search_by_get(
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
        return answer(Question(q.strip(), filters, limit, offset, parse, frozenset(drop_filter)))

    @app.post(
        "/search/semantic",
        response_model=schemas.SearchResponse,
        responses=_PROBLEMS,
        summary="Search by meaning and by words",
        operation_id="search_with_body",
    )
    def search_by_post(request: schemas.SearchRequest) -> Response:
        asked = tuple(checked(given.filter()) for given in request.filters)
        dropped = frozenset(request.drop_filters)
        q = request.q.strip()
        return answer(Question(q, asked, request.limit, request.offset, request.parse, dropped))


def _add_health(app: FastAPI, runtime: SearchRuntime, metrics: Metrics) -> None:
    @app.get("/healthz", response_model=schemas.Health, summary="The process lives")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz",
        response_model=schemas.Ready,
        responses={503: {"model": schemas.Ready, "description": "Not ready, with the reason."}},
        summary="Model and index are loaded",
    )
    def readyz() -> Response:
        reason: str | None = None
        details: dict[str, object] = {}
        try:
            details = runtime.details()
        except DataSpokeError as exc:
            reason = str(exc)
        if runtime.serving is None:
            reason = runtime.reason
        body = {"status": "not ready" if reason else "ready", "reason": reason, "details": details}
        return Response(
            orjson.dumps(body),
            status_code=503 if reason else 200,
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    @app.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
        summary="Metrics for Prometheus",
    )
    def prometheus() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(FilterError)
    def filter_error(request: Request, exc: FilterError) -> JSONResponse:
        return _problem(400, str(exc))

    @app.exception_handler(RequestValidationError)
    def validation_error(request: Request, exc: RequestValidationError) -> JSONResponse:
        return _problem(422, "Cannot read the request: " + "; ".join(map(_in_words, exc.errors())))

    @app.exception_handler(RetriableError)
    def away(request: Request, exc: RetriableError) -> JSONResponse:
        return _problem(503, str(exc), {"Retry-After": "2"})

    @app.exception_handler(DataSpokeError)
    def unusable(request: Request, exc: DataSpokeError) -> JSONResponse:
        return _problem(503, str(exc))

    @app.exception_handler(Exception)
    def unexpected(request: Request, exc: Exception) -> JSONResponse:
        return _problem(500, "Cannot answer: the service failed. Its log has the details.")


def _in_words(error: dict[str, object]) -> str:
    place = error["loc"]
    names = [str(part) for part in place[1:]] if isinstance(place, tuple) else []
    return f"{'.'.join(names) or 'body'}: {error['msg']}"


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    # A lone surrogate in what was asked has no UTF-8 form.
    readable = detail.encode("utf-8", "replace").decode("utf-8")
    return JSONResponse({"detail": readable}, status_code=status, headers=headers)
