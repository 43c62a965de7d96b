"""Lineage: what is up and down the stream of an entity, with the paths that lead there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.filters import Groups, criteria
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.names import entity_names
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.urns import Urn

_MOST_HOPS = 20


def _scroll_lineage(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    upstream = given["direction"] == "UPSTREAM"
    urn = given.get("urn") or ""
    degrees = _degrees(criteria(given.get("orFilters")))
    hops = _MOST_HOPS if degrees is None or "3+" in degrees else max(map(int, degrees))
    paths = context.lineage.walk(context.index, urn, upstream=upstream, hops=hops)
    names = entity_names(context.hub.registry)
    wanted = {names[name] for name in given.get("types") or ()}
    results = []
    for path in paths.values():
        entity = context.loader.entity(path[-1])
        degree = len(path) - 1
        if entity is None or (wanted and entity.spec.name not in wanted):
            continue
        if degrees is not None and (str(degree) if degree < 3 else "3+") not in degrees:
            continue
        trail = {"path": context.loader.many(path)}
        results.append({"entity": entity, "degree": degree, "paths": [trail]})
    start, count = int(given.get("scrollId") or 0), given.get("count") or 10
    page = results[start : start + count]
    more = start + count < len(results)
    return {
        "nextScrollId": str(start + count) if more else None,
        "count": len(page),
        "total": len(results),
        "searchResults": page,
    }


def _degrees(groups: Groups) -> set[str] | None:
    found = {
        value
        for group in groups
        for criterion in group
        if criterion.field == "degree"
        for value in criterion.values
    }
    return found or None


def _fine_grained(entity: Entity, _: Arguments) -> Any:
    def reference(urn: str) -> Mapping[str, str]:
        parent, path = Urn.parse(urn).parts
        return {"urn": parent, "path": path}

    return [
        {
            **lineage,
            "upstreams": [reference(urn) for urn in lineage.get("upstreams") or ()],
            "downstreams": [reference(urn) for urn in lineage.get("downstreams") or ()],
        }
        for lineage in entity.aspect("upstreamLineage").get("fineGrainedLineages") or ()
    ]


ROOM = Room(
    schema="lineage.graphql",
    queries={"scrollAcrossLineage": _scroll_lineage},
    fields={("Entity", "fineGrainedLineages"): _fine_grained},
    aspects={"upstreamLineage": "fineGrainedLineages: [FineGrainedLineage!]"},
)
