"""Errors as answers, and what the OpenAPI document says of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dataspoke.core.errors import DataSpokeError, RetriableError
from dataspoke.search_service import schemas
from dataspoke.search_service.access.caller import ForbiddenError, Level, RefusedError
from dataspoke.search_service.filters import FilterError
from dataspoke.search_service.problems import MEDIA_TYPE, problem

Responses = dict[int | str, dict[str, Any]]


def documented(*given: tuple[int, str]) -> Responses:
    """Problem documents by status, for the OpenAPI document."""
    schema = {"$ref": f"#/components/schemas/{schemas.Problem.__name__}"}
    return {
        status: {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status, text in given
    }


CALLER_PROBLEMS = documented(
    (400, "The service does not answer to this name."),
    (401, "No token, or one that is worth nothing."),
    (403, "The caller may not do this."),
    (429, "Asked too often; Retry-After says when to ask again."),
    (503, "What the answer needs is away."),
)
SEARCH_PROBLEMS = CALLER_PROBLEMS | documented(
    (400, "A filter or the host is not allowed."),
    (413, "The body is too long."),
    (422, "The request has not the right form."),
    (503, "Model or index are not loaded, or something that the answer needs is away."),
)


def demand(request: Request, level: Level) -> None:
    """Raises ForbiddenError when the caller is below the level."""
    caller = request.state.caller
    if caller is None or caller.level < level:
        raise ForbiddenError(
            f"Cannot answer: this is for the role {level.name.lower()}. "
            f"Ask whoever runs the service to add you to DATASPOKE_{level.name}S."
        )


def add_errors(app: FastAPI) -> None:
    """Every error becomes a problem document."""

    @app.exception_handler(RefusedError)
    def refused(request: Request, exc: RefusedError) -> JSONResponse:
        return problem(exc.status, str(exc), exc.headers)

    @app.exception_handler(FilterError)
    def filter_error(request: Request, exc: FilterError) -> JSONResponse:
        return problem(400, str(exc))

    @app.exception_handler(RequestValidationError)
    def validation_error(request: Request, exc: RequestValidationError) -> JSONResponse:
        return problem(422, "Cannot read the request: " + "; ".join(map(_in_words, exc.errors())))

    @app.exception_handler(HTTPException)
    def http_error(request: Request, exc: HTTPException) -> JSONResponse:
        return problem(exc.status_code, _HTTP.get(exc.status_code, str(exc.detail)), exc.headers)

    @app.exception_handler(RetriableError)
    def away(request: Request, exc: RetriableError) -> JSONResponse:
        return problem(503, str(exc), {"Retry-After": "2"})

    @app.exception_handler(DataSpokeError)
    def unusable(request: Request, exc: DataSpokeError) -> JSONResponse:
        return problem(503, str(exc))

    @app.exception_handler(Exception)
    def unexpected(request: Request, exc: Exception) -> JSONResponse:
        return problem(500, "Cannot answer: the service failed. Its log has the details.")


_HTTP = {
    404: "Cannot answer: there is nothing at this path. See /openapi.json.",
    405: "Cannot answer: this path does not take this method. See /openapi.json.",
    400: "Cannot read the request: its body is no JSON.",
}


def _in_words(error: dict[str, object]) -> str:
    place = error["loc"]
    names = [str(part) for part in place[1:]] if isinstance(place, tuple) else []
    return f"{'.'.join(names) or 'body'}: {error['msg']}"
