"""`/openapi/v2/timeseries`: the history of an aspect over all entities of a type."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import timeseries
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.http import answer, hub_of, in_thread, number, path_text

_MOST_COUNT = 10_000


async def _scroll(request: Request) -> Response:
    hub, query = hub_of(request), request.query_params
    entity = hub.registry.entity(path_text(request, "entity"))
    aspect = hub.registry.aspect(entity, path_text(request, "aspect"))
    if not aspect.timeseries:
        raise BadRequest("Only timeseries aspects are supported.")
    count = number(query.get("count"), "count", 10, most=_MOST_COUNT)
    metadata = any(
        query.get(name, "false").lower() == "true"
        for name in ("systemMetadata", "withSystemMetadata")
    )
    start, end = _millis(request, "startTimeMillis"), _millis(request, "endTimeMillis")

    def read() -> bytes:
        points, after = timeseries.scroll(
            hub.store,
            aspect.name,
            entity.name,
            count,
            after=query.get("scrollId"),
            start=start,
            end=end,
        )
        parts = b",".join(_item(point, metadata=metadata) for point in points)
        scroll = b"" if after is None else b'"scrollId":%s,' % orjson.dumps(after)
        return b'{%s"results":[%s]}' % (scroll, parts)

    return answer(await in_thread(read))


def _item(point: timeseries.Point, *, metadata: bool) -> bytes:
    message = orjson.loads(point.value).get("messageId")
    parts = [
        b'"urn":' + orjson.dumps(point.urn),
        b'"timestampMillis":%d' % point.at,
        b'"event":' + point.value.encode(),
    ]
    if message is not None:
        parts.append(b'"messageId":' + orjson.dumps(message))
    if metadata:
        parts.append(b'"systemMetadata":' + point.meta.encode())
    return b"{" + b",".join(parts) + b"}"


def _millis(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    return None if not text else number(text, name, 0)


routes = [Route("/openapi/v2/timeseries/{entity}/{aspect}", _scroll, methods=["GET"])]
