"""Search, relationships and lineage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import references, relationships
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import criteria, groups_of
from dataspoke.local_hub.http import answer, finish, hub_of, in_thread, number, path_text
from dataspoke.local_hub.proposals import read_json
from dataspoke.local_hub.routes.openapi_scroll import MOST_COUNT, discovery
from dataspoke.local_hub.search import Query


async def _related(request: Request) -> Response:
    query = request.query_params
    urn = query.get("urn")
    if not urn:
        raise BadRequest("Parameter urn is required")
    direction = query.get("direction", relationships.OUTGOING).upper()
    if direction not in (relationships.OUTGOING, relationships.INCOMING):
        raise BadRequest(f"Parameter direction must be OUTGOING or INCOMING: {direction!r}")
    kinds = [kind for part in query.getlist("relationshipTypes") for kind in part.split(",")]
    kinds = [kind for kind in kinds if kind]
    start = number(query.get("start"), "start", 0)
    count = number(query.get("count"), "count", 200, most=MOST_COUNT)
    index = discovery(request).index
    total, page = await in_thread(
        lambda: relationships.related(index, urn, direction, kinds, start, count)
    )
    return answer(
        {
            "start": start,
            "count": len(page),
            "total": total,
            "entities": [{"urn": one.urn, "relationshipType": one.kind} for one in page],
        }
    )


async def _scroll_relationships(request: Request) -> Response:
    """Relationships by the urns and types of their ends, by their own type, by one entity."""
    body = _body(read_json(await request.body() or b"{}"))
    query = request.query_params
    direction = (query.get("direction") or relationships.OUTGOING).upper()
    sources, destinations = _urns_of(body, "sourceFilter"), _urns_of(body, "destinationFilter")
    entity = query.get("entityUrn")
    if entity:
        if direction == relationships.INCOMING:
            destinations = [entity]
        else:
            sources = [entity]
    elif direction == relationships.INCOMING:
        sources, destinations = destinations, sources
    elif direction not in (relationships.OUTGOING, relationships.UNDIRECTED):
        raise BadRequest(f"Direction must be INCOMING, OUTGOING, or UNDIRECTED, got: {direction}")
    ends = relationships.Ends(
        sources,
        destinations,
        _names_in(query.getlist("sourceTypes")),
        _names_in(query.getlist("destinationTypes")),
        either=direction == relationships.UNDIRECTED and not entity,
    )
    kinds = _kinds(query.getlist("relationshipTypes"), _edge_kinds(body.get("edgeFilter")))
    return await _scrolled(request, ends, kinds, relationships.shown)


async def _relationships_of_type(request: Request) -> Response:
    ends = relationships.Ends()
    return await _scrolled(request, ends, [path_text(request, "kind")], relationships.shown)


async def _relationships_of_entity(request: Request) -> Response:
    query, urn = request.query_params, path_text(request, "urn")
    direction = (query.get("direction") or relationships.OUTGOING).upper()
    if direction not in (relationships.OUTGOING, relationships.INCOMING):
        raise BadRequest("Direction must be INCOMING or OUTGOING")
    incoming = direction == relationships.INCOMING
    ends = relationships.Ends(*((None, [urn]) if incoming else ([urn], None)))
    kinds = _kinds(query.getlist("relationshipType[]"), query.getlist("relationshipTypes"))
    return await _scrolled(request, ends, kinds, relationships.shown)


async def _scroll_lineage(request: Request) -> Response:
    """Lineage at either end of some entities, or all of it, as pairs of up and downstream."""
    body = _body(read_json(await request.body() or b"{}"))
    query = request.query_params
    urns = _names(body, "urns") or None
    direction = (query.get("direction") or "").upper()
    if direction not in ("", "UPSTREAM", "DOWNSTREAM"):
        raise BadRequest(f"Direction must be UPSTREAM or DOWNSTREAM, got: {direction}")
    lineage = discovery(request).lineage
    kinds = lineage.kinds()
    asked = _kinds(query.getlist("relationshipTypes"))
    if asked is not None:
        kinds = [kind for kind in kinds if kind in asked]

    def shown(one: relationships.Relation) -> dict[str, Any] | None:
        upstream, downstream = one.destination, one.source
        if not lineage.source_is_downstream(one.kind):
            upstream, downstream = downstream, upstream
        anchor = {"UPSTREAM": downstream, "DOWNSTREAM": upstream}.get(direction)
        if anchor is not None and urns and anchor not in urns:
            return None
        return {**relationships.shown(one), "upstream": upstream, "downstream": downstream}

    return await _scrolled(request, relationships.Ends(urns, urns, either=True), kinds, shown)


async def _scrolled(
    request: Request,
    ends: relationships.Ends,
    kinds: Sequence[str] | None,
    shown: Callable[[relationships.Relation], dict[str, Any] | None],
) -> Response:
    """A page of relationships; `shown` may leave some out."""
    query = request.query_params
    count = number(query.get("count"), "count", 10, most=MOST_COUNT)
    after = query.get("scrollId")
    removed = query.get("includeSoftDelete", "false").lower() == "true"
    index = discovery(request).index
    page, scroll = await in_thread(
        lambda: relationships.scroll(index, ends, kinds, after, count, removed=removed)
    )
    results = [result for result in map(shown, page) if result is not None]
    body: dict[str, Any] = {"results": results}
    if scroll is not None:
        body["scrollId"] = scroll
    return answer(body)


def _body(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise BadRequest("Cannot parse the request: it is no JSON object")
    return body


def _names(body: Mapping[str, Any], name: str) -> list[str]:
    found = body.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise BadRequest(f"Parameter {name} must be a list of names")
    return found


def _names_in(texts: Sequence[str]) -> list[str]:
    return [name for text in texts for name in text.split(",") if name]


def _kinds(*given: Sequence[str] | None) -> list[str] | None:
    """The relationship types that all of the lists allow; a list that is empty allows all."""
    found: list[str] | None = None
    for texts in given:
        names = _names_in(texts or ())
        if names and "*" not in names:
            found = names if found is None else [name for name in found if name in names]
    return found


def _edge_kinds(filters: Any) -> list[str] | None:
    return _values_of(filters, "relationshipType")


def _urns_of(body: Mapping[str, Any], name: str) -> list[str] | None:
    return _values_of(body.get(name), "urn")


def _values_of(filters: Any, name: str) -> list[str] | None:
    """The values that a filter allows for one field, or None if it names none."""
    found = [
        value
        for group in groups_of(filters)
        for criterion in group
        if criterion.field == name
        for value in criterion.values
    ]
    return found or None


async def search(request: Request, body: Mapping[str, Any]) -> Response:
    """The rest.li search."""
    hub = hub_of(request)
    spec = hub.registry.entity(str(body.get("entity")))
    start = number(body.get("start"), "start", 0)
    count = number(body.get("count"), "count", 10, most=MOST_COUNT)
    query = Query(str(body.get("input") or "*"), (spec.name,), criteria(body.get("filter")))
    finder = discovery(request).search
    page = await in_thread(lambda: finder.find(query, start, count))
    return answer(
        {
            "value": {
                "from": start,
                "pageSize": count,
                "numEntities": page.total,
                "entities": [{"entity": hit.urn} for hit in page.hits],
                "metadata": {"aggregations": []},
            }
        }
    )


async def delete_references(request: Request, body: Mapping[str, Any]) -> Response:
    """Count, and unless `dryRun` remove, what refers to an entity."""
    hub, urn = hub_of(request), body.get("urn")
    if not isinstance(urn, str):
        raise BadRequest("Parameter urn is required and must be a string")
    index = discovery(request).index
    found = await in_thread(lambda: references.references(index, urn))
    if body.get("dryRun") is not True:
        proposals = await in_thread(lambda: references.without_references(hub, urn, found))
        if proposals:
            await finish(hub.ingest(proposals))
    related = [
        # In this order: `datahub delete references` prints the values under fixed headings.
        {"relationship": kind, "entity": source, "aspect": aspect}
        for source, kind, aspect in found[:100]
    ]
    return answer({"value": {"total": len(found), "relatedAspects": related}})


routes = [
    Route("/openapi/relationships/v1", _related, methods=["GET"]),
    Route("/openapi/v3/relationship/scroll", _scroll_relationships, methods=["POST"]),
    Route("/openapi/v3/lineage/scroll", _scroll_lineage, methods=["POST"]),
    *(
        route
        for base in ("/openapi/v2/relationship", "/openapi/v3/relationship")
        for route in (
            Route(f"{base}/{{kind}}", _relationships_of_type, methods=["GET"]),
            Route(f"{base}/{{entity}}/{{urn}}", _relationships_of_entity, methods=["GET"]),
        )
    ),
]
