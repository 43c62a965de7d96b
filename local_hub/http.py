"""Answers and small readers that the routes share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar, cast
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dataspoke.local_hub.errors import BadRequest, HubError
from dataspoke.local_hub.hub import DEFAULT_ACTOR, Hub
from dataspoke.local_hub.trace import Trace

T = TypeVar("T")

JSON = "application/json"


def hub_of(request: Request) -> Hub:
    """The hub that serves this request; it refuses writes that the caller may not make."""
    return cast(Hub, getattr(request.state, "hub", request.app.state.hub))


def actor_of(request: Request) -> str:
    """The urn of who calls, as the door found it."""
    return cast(str, getattr(request.state, "actor", DEFAULT_ACTOR))


def answer(
    content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer; bytes are taken as JSON that is already written."""
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    return Response(body, status, headers, media_type=JSON)


def refusal(exc: HubError, *, restli: bool) -> Response:
    """The error body of GMS: rest.li names an exception class, the others a short error."""
    if not restli:
        return answer({"error": exc.kind, "message": str(exc)}, status=exc.status)
    body = {
        "exceptionClass": "com.linkedin.restli.server.RestLiServiceException",
        "message": str(exc),
        "status": exc.restli_status,
    }
    return answer(body, status=exc.restli_status)


def trace_of(request: Request) -> Trace:
    """The trace of a request that writes."""
    trace: Trace | None = getattr(request.state, "trace", None)
    if trace is None:
        trace = request.state.trace = Trace.new()
    return trace


def path_text(request: Request, name: str) -> str:
    """A part of the path, decoded; it may hold slashes that came as %2F."""
    return unquote(request.path_params[name])


def number(value: Any, name: str, default: int, *, most: int | None = None) -> int:
    """A count, start or limit; raises BadRequest for what is no number or negative."""
    if value is None or value == "":
        return default
    try:
        found = int(value)
    except (TypeError, ValueError) as exc:
        raise BadRequest(f"Parameter {name} must be a number: {value!r}") from exc
    if found < 0:
        raise BadRequest(f"Parameter {name} must not be negative: {found}")
    if found >= 2**63:
        raise BadRequest(f"Parameter {name} is too large: {str(value)[:100]}")
    return found if most is None else min(found, most)


async def finish(future: Future[T]) -> T:
    """Wait for the writing thread without blocking the loop."""
    return await asyncio.wrap_future(future)


async def in_thread(work: Callable[[], T]) -> T:
    """Run a long read beside the loop."""
    return await asyncio.to_thread(work)
