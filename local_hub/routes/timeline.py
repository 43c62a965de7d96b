"""The timeline of an entity, at each of the paths under which GMS serves it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import timeline
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.http import answer, hub_of, in_thread, path_text
from dataspoke.local_hub.hub import now_millis

_WEEK_MILLIS = 7 * 86_400_000


async def _timeline(request: Request) -> Response:
    """Changes of `categories` from `startTime` (-1: a week back) to `endTime` (0: now)."""
    hub, urn, query = hub_of(request), path_text(request, "urn"), request.query_params
    names = [name for part in query.getlist("categories") for name in part.split(",") if name]
    if not names:
        raise BadRequest("Required parameter 'categories' is not present.")
    categories = {timeline.read_category(name) for name in names}
    end = _millis(request, "endTime", 0) or now_millis()
    start = _millis(request, "startTime", -1)
    if start == -1:
        start = end - _WEEK_MILLIS
    raw = _flag(request, "raw")
    together = _flag(request, "includeVersionSet")

    found = await in_thread(
        lambda: timeline.changes(
            hub.store, urn, categories, start=start, end=end, raw=raw, version_set=together
        )
    )
    return answer([moment.as_json(raw=raw) for moment in found])


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "false").lower() == "true"


def _millis(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError as exc:
        raise BadRequest(f"Parameter {name} must be a number of milliseconds: {text!r}") from exc


routes = [
    Route(path, _timeline, methods=["GET"])
    for path in (
        "/openapi/v1/timeline/{urn}",
        "/openapi/v2/timeline/v1/{urn}",
        "/openapi/timeline/v1/{urn}",
    )
]
