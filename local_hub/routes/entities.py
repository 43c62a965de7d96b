"""The rest.li resource `/entities`: snapshots in and out, and questions to the search index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dataspoke.local_hub.discovery import Discovery
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import criteria
from dataspoke.local_hub.http import actor_of, answer, finish, hub_of, in_thread, number, path_text
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.restli_text import list_parameter
from dataspoke.local_hub.search import Page, Query
from dataspoke.local_hub.snapshots import Snapshots

Body = Mapping[str, Any]
Action = Callable[[Request, Body], Awaitable[Response]]

_MOST_COUNT = 10_000


def _snapshots(hub: Hub) -> Snapshots:
    return Snapshots(hub.registry, hub.proposals)


def _finder(request: Request) -> Discovery:
    return cast(Discovery, request.app.state.discovery)


async def get(request: Request) -> Response:
    """One entity as a snapshot."""
    hub, urn = hub_of(request), path_text(request, "urn")
    wanted = list_parameter(request, "aspects")
    return answer(_snapshots(hub).read(hub.store, urn, wanted))


async def batch_get(request: Request) -> Response:
    """Several entities as snapshots, by urn."""
    hub, wanted = hub_of(request), list_parameter(request, "aspects")
    urns = list_parameter(request, "ids")
    if urns is None:
        raise BadRequest("Parameter ids is required")
    snapshots = _snapshots(hub)
    found = {urn: orjson.Fragment(snapshots.read(hub.store, urn, wanted)) for urn in urns}
    return answer({"results": found, "statuses": {}, "errors": {}})


async def _ingest(request: Request, body: Body) -> Response:
    hub = hub_of(request)
    await finish(
        hub.ingest(
            _snapshots(hub).proposals(body.get("entity"), body.get("systemMetadata")),
            actor_of(request),
        )
    )
    return Response()


async def _batch_ingest(request: Request, body: Body) -> Response:
    hub, entities = hub_of(request), _list(body, "entities")
    metadata = _list(body, "systemMetadataList") or [None] * len(entities)
    if len(metadata) != len(entities):
        raise BadRequest("entities and systemMetadata length must match")
    snapshots = _snapshots(hub)
    proposals = [
        proposal
        for entity, given in zip(entities, metadata, strict=True)
        for proposal in snapshots.proposals(entity, given)
    ]
    await finish(hub.ingest(proposals, actor_of(request)))
    return Response()


async def _exists(request: Request, body: Body) -> Response:
    urn = _text(body, "urn")
    store = hub_of(request).store
    there = store.entity_id(urn) is not None
    if there and body.get("includeSoftDelete") is False:
        status = store.aspect(urn, "status")
        there = status is None or orjson.loads(status.value).get("removed") is not True
    return answer({"value": there})


async def _count(request: Request, body: Body) -> Response:
    hub = hub_of(request)
    return answer({"value": hub.store.count(hub.registry.entity(_text(body, "entity")).name)})


async def _counts(request: Request, body: Body) -> Response:
    hub = hub_of(request)
    names = [hub.registry.entity(str(name)).name for name in _list(body, "entities")]
    return answer({"value": {name: hub.store.count(name) for name in names}})


async def _search(request: Request, body: Body) -> Response:
    return await _found(request, body, [_text(body, "entity")], str(body.get("input") or "*"))


async def _filter(request: Request, body: Body) -> Response:
    return await _found(request, body, [_text(body, "entity")], "*")


async def _search_across(request: Request, body: Body) -> Response:
    types = [str(name) for name in _list(body, "entities")]
    return await _found(request, body, types, str(body.get("input") or "*"))


async def _list_entities(request: Request, body: Body) -> Response:
    page, start, count = await _page(request, body, [_text(body, "entity")], "*")
    urns = [hit.urn for hit in page.hits]
    return answer(
        {"value": {"start": start, "count": count, "total": page.total, "entities": urns}}
    )


async def _found(request: Request, body: Body, types: list[str], text: str) -> Response:
    page, start, count = await _page(request, body, types, text)
    return answer({"value": {"from": start, "pageSize": count, **_hits(page)}})


async def _page(request: Request, body: Body, types: list[str], text: str) -> tuple[Page, int, int]:
    query = _query(request, body, types, text)
    start = number(body.get("start"), "start", 0)
    count = number(body.get("count"), "count", 10, most=_MOST_COUNT)
    search = _finder(request).search
    return await in_thread(lambda: search.find(query, start, count)), start, count


async def _scroll_across(request: Request, body: Body) -> Response:
    types = [str(name) for name in _list(body, "entities")]
    query = _query(request, body, types, str(body.get("input") or "*"))
    count = number(body.get("count"), "count", 10, most=_MOST_COUNT)
    search, after = _finder(request).search, body.get("scrollId")
    page = await in_thread(lambda: search.scroll(query, after, count))
    scroll = {} if page.scroll is None else {"scrollId": page.scroll}
    return answer({"value": {"pageSize": count, **scroll, **_hits(page)}})


async def _autocomplete(request: Request, body: Body) -> Response:
    """Entities whose texts have words that begin as the query's do."""
    text = _text(body, "query")
    query = _query(request, body, [_text(body, "entity")], f"{text}*")
    limit = number(body.get("limit"), "limit", 10, most=_MOST_COUNT)
    search = _finder(request).search
    page = await in_thread(lambda: search.find(query, 0, limit))
    names = [next(iter(hit.fields.get("name", ())), hit.urn) for hit in page.hits]
    return answer(
        {
            "value": {
                "query": text,
                "suggestions": list(dict.fromkeys(names)),
                "entities": [{"urn": hit.urn} for hit in page.hits],
            }
        }
    )


async def _browse_paths(request: Request, body: Body) -> Response:
    row = hub_of(request).store.aspect(_text(body, "urn"), "browsePaths")
    return answer({"value": [] if row is None else orjson.loads(row.value).get("paths", [])})


async def _set_writable(request: Request, body: Body) -> Response:
    """The hub can always be written; only to say so again is allowed."""
    if body.get("value") is not True:
        raise BadRequest("The local hub cannot be made read-only")
    return Response()


def _query(request: Request, body: Body, types: list[str], text: str) -> Query:
    registry = hub_of(request).registry
    sort = body.get("sort")
    order: tuple[tuple[str, bool], ...] = ()
    if isinstance(sort, Mapping) and sort.get("field"):
        order = ((str(sort["field"]), sort.get("order") == "DESCENDING"),)
    names = tuple(registry.entity(name).name for name in types)
    return Query(text, names, criteria(body.get("filter")), sort=order)


def _hits(page: Page) -> dict[str, Any]:
    return {
        "numEntities": page.total,
        "entities": [{"entity": hit.urn, "matchedFields": []} for hit in page.hits],
        "metadata": {"aggregations": []},
    }


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"Parameter {name} is required and must be a string")
    return value


def _list(body: Body, name: str) -> list[Any]:
    value = body.get(name)
    if value is not None and not isinstance(value, list):
        raise BadRequest(f"Parameter {name} must be a list")
    return value or []


ACTIONS: Mapping[str, Action] = {
    "ingest": _ingest,
    "batchIngest": _batch_ingest,
    "exists": _exists,
    "getTotalEntityCount": _count,
    "batchGetTotalEntityCount": _counts,
    "search": _search,
    "filter": _filter,
    "list": _list_entities,
    "searchAcrossEntities": _search_across,
    "scrollAcrossEntities": _scroll_across,
    "autocomplete": _autocomplete,
    "getBrowsePaths": _browse_paths,
    "setWritable": _set_writable,
}
