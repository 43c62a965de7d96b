"""The rest.li protocol: its resources, and the actions on aspects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import reads, relationships
from dataspoke.local_hub.errors import BadRequest, InvalidAspect, NotFound
from dataspoke.local_hub.http import (
    actor_of,
    answer,
    finish,
    hub_of,
    in_thread,
    number,
    path_text,
    trace_of,
)
from dataspoke.local_hub.proposals import read_json
from dataspoke.local_hub.restli_text import list_parameter
from dataspoke.local_hub.routes import analytics, entities, graph, runs, usage
from dataspoke.local_hub.routes.maintenance import OPERATIONS, PLATFORM_ACTIONS
from dataspoke.local_hub.store import TimeseriesRow
from dataspoke.local_hub.timeseries import sort_points
from dataspoke.local_hub.urns import Urn

_MOST_RELATED = 10_000
_EVERY_POINT = 2**62
_TIME = "timestampMillis"

Action = Callable[[Request, Mapping[str, Any]], Awaitable[Response]]


async def _ingest_proposal(request: Request, body: Mapping[str, Any]) -> Response:
    proposals = await _ingest(request, [body.get("proposal")], body)
    return answer({"value": proposals[0]}, headers=trace_of(request).headers)


async def _ingest_proposal_batch(request: Request, body: Mapping[str, Any]) -> Response:
    raw = body.get("proposals")
    if not isinstance(raw, list):
        raise BadRequest("Parameter proposals must be a list")
    await _ingest(request, raw, body)
    return answer({"value": "success"}, headers=trace_of(request).headers)


async def _ingest(request: Request, raw: list[Any], body: Mapping[str, Any]) -> list[str]:
    """Write; the urns. An asynchronous write is accepted with payloads that fit no schema."""
    hub, trace = hub_of(request), trace_of(request)
    asynchronous = body.get("async") in ("true", True)
    proposals, urns = [], []
    for item in raw:
        try:
            proposals.append(hub.proposals.from_restli(item))
        except InvalidAspect as exc:
            if not asynchronous or not isinstance(item, Mapping):
                raise
            name, urn = item.get("aspectName"), item.get("entityUrn")
            if not isinstance(name, str) or not isinstance(urn, str):
                raise
            hub.refused.add(trace.id, urn, name, str(exc))
        urns.append(item.get("entityUrn"))
    await finish(hub.ingest(proposals, actor_of(request), trace=trace, asynchronous=asynchronous))
    return urns


async def _timeseries(request: Request, body: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    urn, name = _text(body, "urn"), _text(body, "aspect")
    limit = number(body.get("limit"), "limit", 10_000)
    entity = hub.registry.entity(body.get("entity") or Urn.parse(urn).entity_type)
    aspect = hub.registry.aspect(entity, name)
    field, ascending = _order(body.get("sort"))

    def read() -> list[TimeseriesRow]:
        by_time = field == _TIME
        points = reads.timeseries(
            hub.store,
            urn,
            aspect.name,
            limit=limit if by_time else _EVERY_POINT,
            start=body.get("startTimeMillis"),
            end=body.get("endTimeMillis"),
            conditions=body.get("filter"),
            latest_first=not (by_time and ascending),
        )
        return points if by_time else sort_points(points, field, ascending)[:limit]

    points = await in_thread(read)
    values = [
        {
            "aspect": {"value": point.value, "contentType": "application/json"},
            "systemMetadata": orjson.Fragment(point.meta),
        }
        for point in points
    ]
    return answer(
        {
            "value": {
                "entityName": entity.name,
                "aspectName": name,
                "limit": limit,
                "values": values,
            }
        }
    )


def _order(sort: Any) -> tuple[str, bool]:
    """The field to sort by, and whether it rises; the newest first by default."""
    if not isinstance(sort, Mapping):
        return _TIME, False
    field = str(sort.get("field") or _TIME)
    return (_TIME if field == "@timestamp" else field), sort.get("order") == "ASCENDING"


async def _count(request: Request, body: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    name, like = _text(body, "aspect"), body.get("urnLike")
    return answer({"value": await in_thread(lambda: reads.count(hub.store, name, like))})


async def _get_aspect(request: Request) -> Response:
    hub, urn = hub_of(request), path_text(request, "urn").rstrip()  # as MySQL compares
    name = request.query_params.get("aspect")
    if not name:
        raise BadRequest("Parameter aspect is required")
    entity = hub.registry.entity_of(urn)
    spec = hub.registry.aspect(entity, name)
    version = number(request.query_params.get("version"), "version", 0)
    row = None if spec.timeseries else hub.store.aspect(urn, name, version)
    if row is None:
        raise NotFound(
            f"Did not find urn: {urn} aspect: {name} version: {version}",
        )
    return answer(
        b'{"version":%d,"aspect":{"%s":%s},"systemMetadata":%s}'
        % (
            version,
            spec.record_name.encode(),
            reads.visible(hub.store, name, row).value.encode(),
            row.meta.encode(),
        )
    )


async def _get_entity(request: Request) -> Response:
    hub, urn = hub_of(request), path_text(request, "urn")
    wanted = list_parameter(request, "aspects")
    return answer(reads.entity_v2(hub.registry, hub.store, urn, wanted))


async def _get_entities(request: Request) -> Response:
    """Several entities by urn."""
    hub, wanted = hub_of(request), list_parameter(request, "aspects")
    urns = list_parameter(request, "ids")
    if urns is None:
        raise BadRequest("Parameter ids is required")
    found = {
        urn: orjson.Fragment(reads.entity_v2(hub.registry, hub.store, urn, wanted)) for urn in urns
    }
    return answer({"results": found, "statuses": {}, "errors": {}})


async def _relationships(request: Request) -> Response:
    """Neighbours of an entity, as the helpers of actions ask for them."""
    query = request.query_params
    urn, direction = query.get("urn"), query.get("direction", "").upper()
    if not urn or direction not in (relationships.INCOMING, relationships.OUTGOING):
        raise BadRequest("Expected urn, and direction INCOMING or OUTGOING")
    kinds = list_parameter(request, "types") or []
    start = number(query.get("start"), "start", 0)
    count = number(query.get("count"), "count", 100, most=_MOST_RELATED)
    index = request.app.state.discovery.index
    total, page = await in_thread(
        lambda: relationships.related(index, urn, direction, kinds, start, count)
    )
    found = [{"entity": one.urn, "type": one.kind} for one in page]
    return answer({"start": start, "count": len(page), "total": total, "relationships": found})


async def _delete(request: Request, body: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    urn, name = _text(body, "urn"), body.get("aspectName")
    entity = hub.registry.entity_of(urn)
    if name is not None and hub.registry.aspect(entity, name).timeseries:
        start, end = body.get("startTimeMillis"), body.get("endTimeMillis")

        def delete_points(tx: Any, _: Any) -> int:
            row = tx.entities([urn]).get(urn)
            return 0 if row is None else int(tx.delete_points(tx.aspect_id(row, name), start, end))

        points = await finish(hub.delete(delete_points, actor_of(request)))
        value = {"urn": urn, "rows": 0, "timeseriesRows": points}
    elif name is not None and name != entity.key_aspect.name:
        found = await finish(
            hub.delete(lambda _, deletion: deletion.aspect(urn, name), actor_of(request))
        )
        value = {"urn": urn, "rows": int(found), "timeseriesRows": 0}
    else:
        rows, points = await finish(
            hub.delete(lambda _, deletion: deletion.entity(urn), actor_of(request))
        )
        value = {"urn": urn, "rows": rows, "timeseriesRows": points}
    return answer({"value": value})


async def _list_urns(request: Request, body: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    entity = hub.registry.entity(_text(body, "entity"))
    start = number(body.get("start"), "start", 0)
    count = number(body.get("count"), "count", 10)
    urns, total = await in_thread(
        lambda: (hub.store.list_urns(entity.name, start, count), hub.store.count(entity.name))
    )
    return answer({"value": {"start": start, "count": len(urns), "total": total, "entities": urns}})


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"Parameter {name} is required and must be a string")
    return value


ASPECT_ACTIONS: Mapping[str, Action] = {
    "ingestProposal": _ingest_proposal,
    "ingestProposalBatch": _ingest_proposal_batch,
    "getTimeseriesAspectValues": _timeseries,
    "getCount": _count,
}
ENTITY_ACTIONS: Mapping[str, Action] = {
    "delete": _delete,
    "listUrns": _list_urns,
}


def _actions(table: Mapping[str, Action]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        name = request.query_params.get("action")
        action = table.get(name or "")
        if action is None:
            raise BadRequest(f"POST action {name!r} is not one of {', '.join(sorted(table))}")
        return await action(request, await _read_object(request))

    return serve


async def _read_object(request: Request) -> Mapping[str, Any]:
    body = read_json(await request.body() or b"{}")
    if not isinstance(body, Mapping):
        raise BadRequest("Cannot parse the request: it is no JSON object")
    return body


async def _post_entities(request: Request) -> Response:
    """The actions on entities; those over the search index live beside it."""
    name = request.query_params.get("action") or ""
    if name == "deleteReferences":
        return await graph.delete_references(request, await _read_object(request))
    action = entities.ACTIONS.get(name)
    if action is not None:
        return await action(request, await _read_object(request))
    return await _serve_entities(request)


_serve_entities = _actions(ENTITY_ACTIONS)

routes = [
    Route("/aspects", _actions(ASPECT_ACTIONS), methods=["POST"]),
    Route("/aspects/{urn}", _get_aspect, methods=["GET"]),
    Route("/entitiesV2/{urn}", _get_entity, methods=["GET"]),
    Route("/entitiesV2", _get_entities, methods=["GET"]),
    Route("/entities", _post_entities, methods=["POST"]),
    Route("/entities", entities.batch_get, methods=["GET"]),
    Route("/entities/{urn}", entities.get, methods=["GET"]),
    Route("/relationships", _relationships, methods=["GET"]),
    Route("/usageStats", _actions(usage.ACTIONS), methods=["POST"]),
    Route("/analytics", _actions(analytics.ACTIONS), methods=["POST"]),
    Route("/operations", _actions(OPERATIONS), methods=["POST"]),
    Route("/platform", _actions(PLATFORM_ACTIONS), methods=["POST"]),
    Route("/runs", _actions(runs.ACTIONS), methods=["POST"]),
]
