"""`/analytics`: what the points of a timeseries add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dataspoke.local_hub import reads, timeseries
from dataspoke.local_hub.aggregates import table
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import criteria
from dataspoke.local_hub.http import answer, hub_of, in_thread
from dataspoke.local_hub.store import Store

_AT_ONCE = 1000


async def _stats(request: Request, body: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    entity = hub.registry.entity(str(body.get("entityName")))
    aspect = hub.registry.aspect(entity, str(body.get("aspectName")))
    metrics, buckets = body.get("metrics"), body.get("buckets") or []
    if not aspect.timeseries or not isinstance(metrics, list) or not isinstance(buckets, list):
        raise BadRequest("Expected a timeseries aspect, a list of metrics and a list of buckets")
    groups = criteria(body.get("filter"))
    found = await in_thread(
        lambda: table(
            (
                point
                for point in _points(hub.store, aspect.name, entity.name)
                if not groups or reads.meets_any(point, groups)
            ),
            metrics,
            buckets,
        )
    )
    told = {
        "entityName": entity.name,
        "aspectName": aspect.name,
        "aggregationSpecs": metrics,
        "table": found,
    }
    if body.get("filter") is not None:
        told["filter"] = body["filter"]
    if buckets:
        told["groupingBuckets"] = buckets
    return answer({"value": told})


def _points(store: Store, aspect: str, entity_type: str) -> Iterator[Mapping[str, Any]]:
    """All points of an aspect, the newest first."""
    place = None
    while True:
        page, place = timeseries.scroll(store, aspect, entity_type, _AT_ONCE, after=place)
        for point in page:
            yield orjson.loads(point.value)
        if place is None:
            return


ACTIONS = {"getTimeseriesStats": _stats}
