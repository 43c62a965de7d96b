"""Points of timeseries aspects."""

from __future__ import annotations

from typing import Any

import orjson

from dataspoke.local_hub import reads
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.room import Arguments


def points(entity: Entity, aspect: str, arguments: Arguments, most: int) -> list[dict[str, Any]]:
    """Points of a timeseries aspect, the newest first; at most `limit`, else `most`."""
    found = reads.timeseries(
        entity.context.hub.store,
        entity.urn,
        aspect,
        limit=arguments.get("limit") or most,
        start=arguments.get("startTimeMillis"),
        end=arguments.get("endTimeMillis"),
        conditions={"or": [arguments["filter"]]} if arguments.get("filter") else None,
    )
    return [orjson.loads(point.value) for point in found]
