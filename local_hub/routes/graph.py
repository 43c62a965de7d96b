"""Search, relationships and lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import reads, relationships
from dataspoke.local_hub.discovery import Discovery
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Groups, criteria
from dataspoke.local_hub.http import answer, finish, hub_of, in_thread, number, path_text
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.proposals import read_json
from dataspoke.local_hub.search import Page, Query

_MOST_COUNT = 10_000


def _discovery(request: Request) -> Discovery:
    return cast(Discovery, request.app.state.discovery)


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
    count = number(query.get("count"), "count", 200, most=_MOST_COUNT)
    index = _discovery(request).index
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


async def _scroll_entities(request: Request) -> Response:
    """Entities of several types in one stream, with the aspects that the body names."""
    body = read_json(await request.body() or b"{}")
    if not isinstance(body, Mapping):
        raise BadRequest("Cannot parse the request: it is no JSON object")
    types, aspects = _names(body, "entities"), _names(body, "aspects")
    return await _scrolled(request, types, aspects, body.get("filter"))


def _names(body: Mapping[str, Any], name: str) -> list[str]:
    found = body.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise BadRequest(f"Parameter {name} must be a list of names")
    return found


async def _list_entities(request: Request) -> Response:
    spec = hub_of(request).registry.entity(path_text(request, "entity"))
    names = [name for part in request.query_params.getlist("aspects") for name in part.split(",")]
    return await _scrolled(request, [spec.name], [name for name in names if name], None)


async def _scrolled(
    request: Request, types: Sequence[str], aspects: Sequence[str], filters: Any
) -> Response:
    hub, query = hub_of(request), request.query_params
    search = _discovery(request).search
    wanted = Query(
        query.get("query") or "*",
        tuple(hub.registry.entity(name).name for name in types),
        _groups(filters),
        include_removed=query.get("includeSoftDelete", "false").lower() == "true",
    )
    count = number(query.get("count"), "count", 10, most=_MOST_COUNT)
    metadata = query.get("systemMetadata", "false").lower() == "true"
    scroll = query.get("scrollId")
    if scroll in ("", "null"):
        scroll = None
    body = await in_thread(
        lambda: _scroll_body(
            hub,
            search.scroll(wanted, scroll, count, fields=False),
            aspects,
            metadata=metadata,
        )
    )
    return answer(body)


def _groups(filters: Any) -> Groups:
    """The filter of the OpenAPI `{"and": [{"criteria": […]}]}`, or an OR of ANDs as elsewhere."""
    if isinstance(filters, Mapping) and isinstance(filters.get("and"), list):
        joined: list[Any] = []
        for group in filters["and"]:
            inside = group.get("criteria") if isinstance(group, Mapping) else None
            joined.extend(inside if isinstance(inside, list) else [group])
        return criteria([{"and": joined}])
    return criteria(filters)


def _scroll_body(hub: Hub, page: Page, aspects: Sequence[str], *, metadata: bool) -> bytes:
    found = hub.store.aspects([hit.urn for hit in page.hits])
    entities = [
        reads.entity_v3(urn, rows, list(aspects) or None, metadata=metadata)
        for urn, rows in found.items()
    ]
    return b'{"scrollId":%s,"entities":[%s],"totalCount":%d}' % (
        orjson.dumps(page.scroll),
        b",".join(entities),
        page.total,
    )


async def _scroll_relationships(request: Request) -> Response:
    body = read_json(await request.body() or b"{}")
    if not isinstance(body, Mapping):
        raise BadRequest("Cannot parse the request: it is no JSON object")
    query = request.query_params
    count = number(query.get("count"), "count", 10, most=_MOST_COUNT)
    after = number(query.get("scrollId"), "scrollId", 0)
    sources = _urns_of(body.get("sourceFilter"))
    destinations = _urns_of(body.get("destinationFilter"))
    given = query.getlist("relationshipTypes") or _names(body, "relationshipTypes")
    kinds = None if given in ([], ["*"]) else given
    index = _discovery(request).index
    page = await in_thread(
        lambda: relationships.scroll(index, sources, destinations, kinds, after, count)
    )
    return answer(
        {
            "scrollId": str(page[-1].number) if len(page) == count and page else None,
            "results": [
                {
                    "relationshipType": one.kind,
                    "source": relationships.parts(one.source),
                    "destination": relationships.parts(one.destination),
                }
                for one in page
            ],
        }
    )


def _urns_of(filters: Any) -> list[str] | None:
    """The urns that a filter allows, or None if it names none."""
    found = [
        value
        for group in _groups(filters)
        for criterion in group
        if criterion.field == "urn"
        for value in criterion.values
    ]
    return found or None


async def _scroll_lineage(request: Request) -> Response:
    body = read_json(await request.body() or b"{}")
    urns = _names(body, "urns") if isinstance(body, Mapping) else []
    if not urns:
        raise BadRequest("The request needs a list of urns")
    query = request.query_params
    count = number(query.get("count"), "count", 10, most=_MOST_COUNT)
    after = number(query.get("scrollId"), "scrollId", 0)
    direction = str(query.get("direction") or body.get("direction") or "").upper()
    found = _discovery(request)
    kinds = found.lineage.kinds()

    def read() -> list[relationships.Relation]:
        rows: dict[int, relationships.Relation] = {}
        for sources, destinations in ((urns, None), (None, urns)):
            page = relationships.scroll(found.index, sources, destinations, kinds, after, count)
            rows.update({row.number: row for row in page})
        return [rows[number] for number in sorted(rows)][:count]

    page = await in_thread(read)
    results = []
    for one in page:
        source_is_downstream = found.lineage.source_is_downstream(one.kind)
        upstream = one.destination if source_is_downstream else one.source
        downstream = one.source if source_is_downstream else one.destination
        if direction == "UPSTREAM" and downstream not in urns:
            continue
        if direction == "DOWNSTREAM" and upstream not in urns:
            continue
        results.append(
            {
                "relationshipType": one.kind,
                "source": relationships.parts(one.source),
                "destination": relationships.parts(one.destination),
                "upstream": relationships.parts(upstream),
                "downstream": relationships.parts(downstream),
            }
        )
    scroll = str(page[-1].number) if len(page) == count and page else None
    return answer({"scrollId": scroll, "results": results})


async def search(request: Request, body: Mapping[str, Any]) -> Response:
    """The rest.li search."""
    hub = hub_of(request)
    spec = hub.registry.entity(str(body.get("entity")))
    start = number(body.get("start"), "start", 0)
    count = number(body.get("count"), "count", 10, most=_MOST_COUNT)
    query = Query(str(body.get("input") or "*"), (spec.name,), criteria(body.get("filter")))
    finder = _discovery(request).search
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
    index = _discovery(request).index
    found = await in_thread(lambda: relationships.references(index, urn))
    if body.get("dryRun") is not True and found:
        proposals = await in_thread(lambda: relationships.without_references(hub, urn, found))
        await finish(hub.ingest(proposals))
    related = [
        {"entity": source, "relationship": kind, "aspect": aspect}
        for source, kind, aspect in found[:100]
    ]
    return answer({"value": {"total": len(found), "relatedAspects": related}})


routes = [
    Route("/openapi/relationships/v1", _related, methods=["GET"]),
    Route("/openapi/v3/entity/scroll", _scroll_entities, methods=["POST"]),
    Route("/openapi/v3/relationship/scroll", _scroll_relationships, methods=["POST"]),
    Route("/openapi/v3/lineage/scroll", _scroll_lineage, methods=["POST"]),
    Route("/openapi/v3/entity/{entity}", _list_entities, methods=["GET"]),
]
