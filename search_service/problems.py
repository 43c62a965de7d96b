"""Errors as problem documents (RFC 9457): what was tried, what was found, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from http import HTTPStatus

from fastapi.responses import JSONResponse

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
"""Names the request that is being answered, in its answer and in every line of the log."""

MEDIA_TYPE = "application/problem+json"


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer to a request that cannot be fulfilled; `detail` is for its caller."""
    # A lone surrogate in what was asked has no UTF-8 form.
    readable = detail.encode("utf-8", "replace").decode("utf-8")
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": readable,
        "correlation_id": correlation_id.get(),
    }
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)
