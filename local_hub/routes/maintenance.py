"""What operators ask: indices, sizes, system information, tracking. The hub has little to do."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import timeseries
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.http import actor_of, answer, finish, hub_of, in_thread
from dataspoke.local_hub.hub import Hub, now_millis
from dataspoke.local_hub.mcl import PLATFORM_TOPIC
from dataspoke.local_hub.proposals import read_json
from dataspoke.local_hub.routes.openapi_scroll import discovery
from dataspoke.local_hub.routes.operations import SERVER_VERSION

Action = Callable[[Request, Mapping[str, Any]], Awaitable[Response]]

_BOOLEANS = {"true": True, "false": False}
_TASK = re.compile(r"[\w-]+:\d+")


async def _restore_indices(_: Request, __: Mapping[str, Any]) -> Response:
    return answer({"value": "The local hub has nothing to restore: its indices follow its store."})


async def _index_sizes(request: Request, _: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    return answer({"value": {"indexSizes": await in_thread(lambda: _sizes(hub))}})


def _sizes(hub: Hub) -> list[dict[str, Any]]:
    return [
        {
            "entityName": entity,
            "aspectName": aspect,
            "indexName": f"{entity}_{aspect}aspect_v1".lower(),
            "sizeInMb": size,
        }
        for entity, aspect, size in timeseries.sizes(hub.store)
    ]


async def _task_status(_: Request, body: Mapping[str, Any]) -> Response:
    """There are no tasks: what the hub is asked to do, it does before it answers."""
    task = str(body.get("task") or f"{body.get('nodeId')}:{body.get('taskId')}")
    if not _TASK.fullmatch(task):
        raise BadRequest(f"Task ID should be in the form nodeId:taskId (got {task})")
    return answer(
        {"value": orjson.dumps({"error": f"Could not get task status for {task}"}).decode()}
    )


async def _truncate(request: Request, body: Mapping[str, Any]) -> Response:
    """Take away old points of a timeseries; only counts them unless `dryRun` is false."""
    hub = hub_of(request)
    entity = hub.registry.entity(str(body.get("entityType")))
    aspect = hub.registry.aspect(entity, str(body.get("aspect")))
    end = body.get("endTimeMillis")
    if not aspect.timeseries or not isinstance(end, int):
        raise BadRequest("Expected a timeseries aspect and endTimeMillis")
    dry_run = body.get("dryRun") is not False
    number = hub.store.aspect_numbers[aspect.name]
    found, total = await finish(
        hub.delete(
            lambda tx, _: timeseries.truncate(tx, number, entity.name, end, dry_run=dry_run),
            actor_of(request),
        )
    )
    share = 100 * found / total if total else 0.0
    done = "Delete" if dry_run else "Deleted"
    return answer({"value": f"{done} {found} out of {total} rows ({share:.2f}%)."})


async def _platform_event(request: Request, body: Mapping[str, Any]) -> Response:
    """Publish an event that the client made."""
    hub = hub_of(request)
    event, name = body.get("event"), body.get("name")
    payload = event.get("payload") if isinstance(event, Mapping) else None
    if not isinstance(name, str) or not isinstance(payload, Mapping):
        raise BadRequest("Expected the name of a platform event and an event with its payload")
    assert isinstance(event, Mapping)
    now = now_millis()
    header = event.get("header") or {"timestampMillis": now}
    text = orjson.dumps({"header": header, "name": name, "payload": payload}).decode()
    key = str(body.get("key") or name)
    await finish(hub.store.submit(lambda tx: tx.add_event((PLATFORM_TOPIC, key, now, text))))
    return Response()


async def _openapi_index_sizes(request: Request) -> Response:
    sizes = await in_thread(lambda: _sizes(hub_of(request)))
    return answer({"sizes": [{**size, "sizeMb": size.pop("sizeInMb")} for size in sizes]})


async def _openapi_restore(request: Request) -> Response:
    """Nothing was missing: one result that says so."""
    await request.body()
    names = ("ignored", "rowsMigrated", "timeSqlQueryMs", "sendMessageMs", "aspectMissing")
    return answer([dict.fromkeys(names, 0)])


async def _raw_documents(request: Request) -> Response:
    """Entities as the search index holds them, by urn; those that it does not hold are left out."""
    urns = read_json(await request.body())
    if not isinstance(urns, list) or not all(isinstance(urn, str) for urn in urns):
        raise BadRequest("Cannot parse the request: expected a list of urns")
    index = discovery(request).index

    def read() -> dict[str, Any]:
        with index.reader() as connection:
            rows = connection.execute(
                "SELECT urn, fields FROM doc WHERE urn IN (SELECT value FROM json_each(?))",
                (orjson.dumps(urns).decode(),),
            )
            return {urn: _as_indexed(orjson.loads(fields)) for urn, fields in rows}

    return answer(await in_thread(read))


def _as_indexed(fields: Mapping[str, list[str]]) -> dict[str, Any]:
    """The fields with their JSON types: one value as itself, several as a list."""
    return {
        name: _BOOLEANS.get(values[0], values[0]) if len(values) == 1 else values
        for name, values in fields.items()
    }


async def _track(request: Request) -> Response:
    """Events of user interfaces are read and dropped: the hub tracks nobody."""
    if not isinstance(read_json(await request.body()), Mapping):
        raise BadRequest("Cannot parse the event: it is no JSON object")
    return answer({})


def _components(request: Request) -> dict[str, Any]:
    gms = {
        "name": "GMS",
        "status": "AVAILABLE",
        "version": SERVER_VERSION,
        "properties": _properties(request),
    }
    others = {
        name: {
            "name": label,
            "status": "UNAVAILABLE",
            "errorMessage": "The local hub does this work itself",
        }
        for name, label in (("maeConsumer", "MAE Consumer"), ("mceConsumer", "MCE Consumer"))
    }
    return {"gms": gms, **others}


def _properties(request: Request) -> dict[str, str]:
    registry = hub_of(request).registry
    return {
        "authorization.view.enabled": "true",
        "datahub.serverType": "dev",
        "datahub.version": SERVER_VERSION,
        "entityRegistry.aspects": str(len(registry.aspects)),
        "entityRegistry.entities": str(len(registry.entities)),
    }


async def _system(request: Request) -> Response:
    return answer({"springComponents": _components(request)})


async def _system_components(request: Request) -> Response:
    return answer(_components(request))


async def _system_properties(request: Request) -> Response:
    found = _properties(request)
    source = "local hub"
    detailed = {
        key: {"key": key, "value": value, "source": source, "sourceType": "Map", "resolved": value}
        for key, value in found.items()
    }
    return answer(
        {
            "properties": detailed,
            "propertySources": [{"name": source, "type": "Map", "propertyCount": len(found)}],
            "totalProperties": len(found),
            "redactedProperties": 0,
        }
    )


async def _system_simple(request: Request) -> Response:
    return answer(_properties(request))


async def _throttle(_: Request) -> Response:
    """Nothing is ever slowed down."""
    return answer({})


OPERATIONS: Mapping[str, Action] = {
    "restoreIndices": _restore_indices,
    "getIndexSizes": _index_sizes,
    "getEsTaskStatus": _task_status,
    "truncateTimeseriesAspect": _truncate,
}
PLATFORM_ACTIONS: Mapping[str, Action] = {"producePlatformEvent": _platform_event}

_SYSTEM = "/openapi/v1/system-info"
_ELASTIC = "/openapi/operations/elasticSearch"

routes = [
    Route(_SYSTEM, _system, methods=["GET"]),
    Route(f"{_SYSTEM}/spring-components", _system_components, methods=["GET"]),
    Route(f"{_SYSTEM}/properties", _system_properties, methods=["GET"]),
    Route(f"{_SYSTEM}/properties/simple", _system_simple, methods=["GET"]),
    Route(f"{_ELASTIC}/getIndexSizes", _openapi_index_sizes, methods=["GET"]),
    Route(f"{_ELASTIC}/entity/raw", _raw_documents, methods=["POST"]),
    Route(f"{_ELASTIC}/restoreIndices", _openapi_restore, methods=["GET", "POST"]),
    Route("/openapi/operations/throttle/requests", _throttle, methods=["GET"]),
    Route("/openapi/v1/tracking/track", _track, methods=["POST"]),
]
