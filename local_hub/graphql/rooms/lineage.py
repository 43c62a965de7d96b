"""Lineage: what is up and down the stream of an entity, with the paths that lead there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dataspoke.local_hub import relationships
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Groups, criteria
from dataspoke.local_hub.graphql.edits import Edits, add_missing, require
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.names import entity_names
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.graphql.rooms.search import aggregated, query_of
from dataspoke.local_hub.relationships import Reached
from dataspoke.local_hub.search import Query
from dataspoke.local_hub.urns import Urn

_MOST_HOPS = 20
_MOST = 10_000
_FACETS = ("degree", "_entityType", "platform", "origin", "tags", "glossaryTerms", "owners")


def _reached(context: Context, given: Arguments) -> list[dict[str, Any]]:
    """What an entity's lineage reaches under the filters, the nearest first."""
    upstream = given["direction"] == "UPSTREAM"
    groups = criteria(given.get("orFilters"))
    if given.get("filters"):
        extra = criteria([{"and": given["filters"]}])[0]
        groups = tuple((*group, *extra) for group in groups) or (extra,)
    degrees = _degrees(groups)
    hops = _MOST_HOPS if degrees is None or "3+" in degrees else max(map(int, degrees))
    ways: dict[str, list[Reached]] = {}
    for one in context.lineage.walk(
        context.index, given.get("urn") or "", upstream=upstream, hops=hops
    ):
        ways.setdefault(_asset(one.urn), []).append(one)
    names = entity_names(context.hub.registry)
    wanted = {names[name] for name in given.get("types") or ()}
    allowed = _allowed(context, given, groups, list(ways))
    results = []
    for urn, found in ways.items():
        entity = context.loader.entity(urn)
        away = sorted({one.degree for one in found})
        if entity is None or not (entity.spec.name in wanted if wanted else _told(entity)):
            continue
        if degrees is not None and degrees.isdisjoint(map(_degree_name, away)):
            continue
        if allowed is not None and entity.urn not in allowed:
            continue
        results.append(
            {
                "entity": entity,
                "degree": away[0],
                "degrees": away,
                "paths": [{"path": context.loader.many(one.path)} for one in found],
                "explored": True,
            }
        )
    return results


def _asset(urn: str) -> str:
    """What a result is told as: a column is found as the dataset that has it."""
    parsed = Urn.parse(urn)
    return parsed.parts[0] if parsed.entity_type == "schemaField" else urn


def _told(entity: Entity) -> bool:
    """Whether an entity is found when no type is named; a query only leads to others."""
    return entity.spec.name != "query"


def _degree_name(degree: int) -> str:
    return str(degree) if degree < 3 else "3+"


def _allowed(
    context: Context, given: Arguments, groups: Groups, urns: list[str]
) -> set[str] | None:
    """Which of `urns` meet the text and the filters other than `degree`; None: all of them."""
    text = given.get("query") or "*"
    rest = tuple(
        tuple(criterion for criterion in group if criterion.field != "degree") for group in groups
    )
    if text == "*" and not any(rest):
        return None
    within = {"field": "urn", "values": urns, "condition": "EQUAL"}
    inside = criteria([{"and": [within]}])[0]
    query = Query(text, (), tuple((*group, *inside) for group in rest) or (inside,))
    page = context.search.find(query, 0, len(urns))
    return {hit.urn for hit in page.hits}


def _degrees(groups: Groups) -> set[str] | None:
    found = {
        value
        for group in groups
        for criterion in group
        if criterion.field == "degree"
        for value in criterion.values
    }
    return found or None


def _search(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    results = _reached(context, given)
    start = given.get("start") or 0
    count = 10 if given.get("count") is None else given["count"]
    return {
        "start": start,
        "count": count,
        "total": len(results),
        "searchResults": results[start : start + count],
        "facets": lambda: _facets(context, results),
        "freshness": {"cached": False, "systemFreshness": []},
        "lineageSearchPath": "TORTOISE",
    }


def _scroll(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    results = _reached(context, given)
    try:
        start = int(given.get("scrollId") or 0)
    except ValueError as exc:
        raise BadRequest(f"Invalid scrollId {given['scrollId']!r}") from exc
    count = 10 if given.get("count") is None else given["count"]
    page = results[start : start + count]
    more = start + count < len(results)
    return {
        "nextScrollId": str(start + count) if more else None,
        "count": len(page),
        "total": len(results),
        "searchResults": page,
        "facets": lambda: _facets(context, results),
    }


def _facets(context: Context, results: list[dict[str, Any]]) -> Any:
    urns = [result["entity"].urn for result in results]
    query = query_of(context, {"orFilters": [{"and": [{"field": "urn", "values": urns}]}]}, [])
    counts: dict[str, int] = {}
    for result in results:
        name = _degree_name(result["degree"])
        counts[name] = counts.get(name, 0) + 1
    degrees = [{"value": name, "count": count} for name, count in sorted(counts.items())]
    return [
        {"field": "degree", "displayName": "Degree of Dependencies", "aggregations": degrees},
        *aggregated(context, query, _FACETS[1:], 20),
    ]


def _lineage(entity: Entity, arguments: Arguments) -> Any:
    """The neighbours of an entity in one direction."""
    given = arguments["input"]
    context, upstream = entity.context, given["direction"] == "UPSTREAM"
    found: dict[str, str] = {}
    for direction in (relationships.OUTGOING, relationships.INCOMING):
        outgoing = direction == relationships.OUTGOING
        kinds = [
            kind
            for kind in context.lineage.kinds()
            if context.lineage.source_is_downstream(kind) == (upstream == outgoing)
        ]
        _, page = relationships.related(context.index, entity.urn, direction, kinds, 0, _MOST)
        found.update((one.urn, one.kind) for one in page if one.urn != entity.urn)
    if not given.get("includeGhostEntities"):
        entities = context.loader.many(found)
        found = {one.urn: found[one.urn] for one in entities if one.exists}
    start = given.get("start") or 0
    count = 100 if given.get("count") is None else given["count"]
    page_urns = list(found)[start : start + count]
    return {
        "start": start,
        "count": len(page_urns),
        "total": len(found),
        "filtered": 0,
        "relationships": [{"type": found[urn], "entity": urn, "degree": 1} for urn in page_urns],
    }


def _update(context: Context, arguments: Arguments) -> bool:
    given = arguments["input"]
    edits = Edits(context)
    for edge in given["edgesToAdd"]:
        require(context, edge["downstreamUrn"], edge["upstreamUrn"])
        place = _place(context, edits, edge)
        add_missing(place.items, place.key, [{place.key: place.end, **place.extra}])
    for edge in given["edgesToRemove"]:
        require(context, edge["downstreamUrn"])
        place = _place(context, edits, edge)
        place.items[:] = [item for item in place.items if item[place.key] != place.end]
    return edits.save()


class Place(NamedTuple):
    """Where an edge is kept: in `items`, naming its other end; `extra` is what else it says."""

    items: list[Any]
    key: str
    end: str
    extra: Mapping[str, Any]


def _place(context: Context, edits: Edits, edge: Mapping[str, str]) -> Place:
    urn, end = edge["downstreamUrn"], edge["upstreamUrn"]
    upstream = Urn.parse(end).entity_type
    stamp = context.stamp
    manual = {"created": stamp, "lastModified": stamp, "properties": {"source": "UI"}}
    match Urn.parse(urn).entity_type, upstream:
        case "dataset", "dataset":
            extra = {
                "type": "TRANSFORMED",
                "auditStamp": stamp,
                "created": stamp,
                "properties": {"source": "UI"},
            }
            return Place(edits.items(urn, "upstreamLineage", "upstreams"), "dataset", end, extra)
        case "dataJob", "dataset" | "dataJob":
            name = "inputDatasetEdges" if upstream == "dataset" else "inputDatajobEdges"
            edits.aspect(urn, "dataJobInputOutput", {"inputDatasets": [], "outputDatasets": []})
            items = edits.items(urn, "dataJobInputOutput", name)
            return Place(items, "destinationUrn", end, manual)
        case "dataset", "dataJob":
            # The job states what it writes, so the edge is kept there, by its downstream end.
            job = edge["upstreamUrn"]
            edits.aspect(job, "dataJobInputOutput", {"inputDatasets": [], "outputDatasets": []})
            items = edits.items(job, "dataJobInputOutput", "outputDatasetEdges")
            return Place(items, "destinationUrn", urn, manual)
        case "chart", "dataset":
            return Place(edits.items(urn, "chartInfo", "inputEdges"), "destinationUrn", end, manual)
        case "dashboard", "dataset" | "chart":
            name = "datasetEdges" if upstream == "dataset" else "chartEdges"
            return Place(edits.items(urn, "dashboardInfo", name), "destinationUrn", end, manual)
    raise BadRequest(
        f"Tried to add lineage edge with non-supported type: upstream {edge['upstreamUrn']}, "
        f"downstream {urn}"
    )


def fine_grained(lineages: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """`FineGrainedLineage`s: columns by dataset and path."""

    def reference(urn: str) -> Mapping[str, str]:
        parent, path = Urn.parse(urn).parts
        return {"urn": parent, "path": path}

    return [
        {
            **lineage,
            "upstreams": [reference(urn) for urn in lineage.get("upstreams") or ()],
            "downstreams": [reference(urn) for urn in lineage.get("downstreams") or ()],
        }
        for lineage in lineages
    ]


def _of_dataset(entity: Entity, _: Arguments) -> Any:
    return fine_grained(entity.aspect("upstreamLineage").get("fineGrainedLineages") or ())


ROOM = Room(
    schema="lineage.graphql",
    queries={
        "searchAcrossLineage": _search,
        "scrollAcrossLineage": _scroll,
    },
    mutations={"updateLineage": _update},
    fields={
        ("Entity", "lineage"): _lineage,
        ("Dataset", "fineGrainedLineages"): _of_dataset,
    },
)
