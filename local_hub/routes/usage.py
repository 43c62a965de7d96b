"""`/usageStats`: usage of datasets as the older clients write and ask it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dataspoke.local_hub import reads, usage
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.http import actor_of, answer, finish, hub_of, in_thread, number
from dataspoke.local_hub.hub import Hub, now_millis


async def _batch_ingest(request: Request, body: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    buckets = body.get("buckets")
    if not isinstance(buckets, list):
        raise BadRequest("Parameter buckets must be a list")
    try:
        aspects = [(bucket["resource"], usage.to_aspect(bucket)) for bucket in buckets]
    except (KeyError, TypeError) as exc:
        raise BadRequest(f"Cannot read a bucket of usage: {exc}") from exc
    proposals = [
        hub.proposals.build("dataset", urn, usage.ASPECT, "UPSERT", aspect)
        for urn, aspect in aspects
    ]
    await finish(hub.ingest(proposals, actor_of(request)))
    return answer({})


async def _query(request: Request, body: Mapping[str, Any]) -> Response:
    most = number(body.get("maxBuckets"), "maxBuckets", 0)
    return await _answer(
        hub_of(request), body, body.get("startTime"), body.get("endTime"), most or None
    )


async def _query_range(request: Request, body: Mapping[str, Any]) -> Response:
    name = str(body.get("rangeFromEnd") or "ALL")
    try:
        start = usage.range_start(name, now_millis())
    except KeyError as exc:
        raise BadRequest(f"Parameter rangeFromEnd is unknown: {name!r}") from exc
    most = number(body.get("maxBuckets"), "maxBuckets", 0)
    return await _answer(hub_of(request), body, start, None, most or None)


async def _answer(
    hub: Hub, body: Mapping[str, Any], start: Any, end: Any, most: int | None
) -> Response:
    resource, duration = body.get("resource"), str(body.get("duration"))
    if not isinstance(resource, str):
        raise BadRequest("Parameter resource is required and must be a string")
    if duration not in usage.DURATIONS:
        raise BadRequest(f"Parameter duration must be one of {', '.join(usage.DURATIONS)}")
    points = await in_thread(
        lambda: reads.timeseries(
            hub.store, resource, usage.ASPECT, limit=10_000, start=start, end=end
        )
    )
    values = [orjson.loads(point.value) for point in points]
    return answer({"value": usage.query(resource, duration, values, most)})


ACTIONS = {"batchIngest": _batch_ingest, "query": _query, "queryRange": _query_range}
