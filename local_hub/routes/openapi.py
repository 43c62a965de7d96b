"""OpenAPI v3: entities by type, one aspect, batches, patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import reads
from dataspoke.local_hub.errors import BadRequest, BadUrn, NotFound
from dataspoke.local_hub.http import (
    answer,
    finish,
    hub_of,
    in_thread,
    number,
    path_text,
    trace_headers,
)
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.ingest import Written
from dataspoke.local_hub.proposals import Proposal, read_json
from dataspoke.local_hub.registry import EntitySpec


def _entity_spec(request: Request) -> EntitySpec:
    return hub_of(request).registry.entity(path_text(request, "entity"))


def _flag(request: Request, name: str, *, default: bool = False) -> bool:
    text = request.query_params.get(name)
    return default if text is None else text.lower() == "true"


def _urn(request: Request, spec: EntitySpec) -> str:
    urn = path_text(request, "urn")
    if hub_of(request).registry.entity_of(urn) is not spec:
        raise BadUrn(urn, f"it names no {spec.name}")
    return urn


async def _batch_get(request: Request) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    body = read_json(await request.body())
    if not isinstance(body, list):
        raise BadRequest("Cannot parse the request: expected a list of entities")
    metadata = _flag(request, "systemMetadata")
    return answer(
        await in_thread(
            lambda: reads.batch_get(hub.registry, hub.store, spec, body, metadata=metadata)
        )
    )


async def _get_entity(request: Request) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    urn = _urn(request, spec)
    aspects = hub.store.aspects([urn]).get(urn)
    names = request.query_params.getlist("aspects")
    names = [name for part in names for name in part.split(",") if name]
    found = aspects and (not names or any(name in aspects for name in names))
    if not found or aspects is None:
        raise NotFound(f"No entity {urn}")
    return answer(
        reads.entity_v3(urn, aspects, names or None, metadata=_flag(request, "systemMetadata"))
    )


async def _head_entity(request: Request) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    urn = _urn(request, spec)
    status = hub.store.aspect(urn, "status")
    removed = status is not None and bool(orjson.loads(status.value).get("removed"))
    exists = hub.store.entity_id(urn) is not None and (
        not removed or _flag(request, "includeSoftDelete")
    )
    return Response(status_code=204 if exists else 404)


async def _delete_entity(request: Request) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    urn = _urn(request, spec)
    names = request.query_params.getlist("aspects")
    if names and spec.key_aspect.name not in names:
        for name in names:
            hub.registry.aspect(spec, name)
        await finish(hub.delete(lambda _, deletion: [deletion.aspect(urn, name) for name in names]))
    else:
        await finish(hub.delete(lambda _, deletion: deletion.entity(urn)))
    return Response(status_code=200)


async def _get_aspect(request: Request) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    urn = _urn(request, spec)
    aspect = hub.registry.aspect(spec, path_text(request, "aspect"))
    version = number(request.query_params.get("version"), "version", 0)
    if aspect.timeseries:
        for point in hub.store.timeseries(urn, aspect.name):
            return answer(b'{"value":%s}' % point.value.encode())
    row = hub.store.aspect(urn, aspect.name, version)
    if row is None:
        raise NotFound(f"No aspect {aspect.name} of {urn}")
    return answer(reads.aspect_v3(row, metadata=_flag(request, "systemMetadata")))


async def _head_aspect(request: Request) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    aspect = hub.registry.aspect(spec, path_text(request, "aspect"))
    found = hub.store.aspect(_urn(request, spec), aspect.name) is not None
    return Response(status_code=204 if found else 404)


async def _delete_aspect(request: Request) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    urn = _urn(request, spec)
    aspect = hub.registry.aspect(spec, path_text(request, "aspect"))
    if aspect is spec.key_aspect:
        await finish(hub.delete(lambda _, deletion: deletion.entity(urn)))
    else:
        await finish(hub.delete(lambda _, deletion: deletion.aspect(urn, aspect.name)))
    return Response(status_code=200)


async def _post_aspect(request: Request) -> Response:
    return await _write_aspect(request, "UPSERT")


async def _patch_aspect(request: Request) -> Response:
    return await _write_aspect(request, "PATCH")


async def _write_aspect(request: Request, change: str) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    urn, name = _urn(request, spec), path_text(request, "aspect")
    body = read_json(await request.body())
    given = body if isinstance(body, Mapping) and "value" in body else {"value": body}
    if change == "UPSERT" and _flag(request, "createIfNotExists"):
        change = "CREATE"
    proposal = hub.proposals.build(
        spec.name,
        urn,
        name,
        change,
        given["value"],
        given.get("systemMetadata"),
        given.get("headers"),
    )
    written = await finish(hub.ingest([proposal]))
    return answer(
        _written(written, metadata=_flag(request, "systemMetadata"))[0], headers=trace_headers()
    )


async def _post_entities(request: Request) -> Response:
    change = "UPSERT"
    if _flag(request, "createIfEntityNotExists"):
        change = "CREATE_ENTITY"
    elif _flag(request, "createIfNotExists"):
        change = "CREATE"
    return await _write_entities(request, change)


async def _patch_entities(request: Request) -> Response:
    return await _write_entities(request, "PATCH")


async def _write_entities(request: Request, change: str) -> Response:
    hub, spec = hub_of(request), _entity_spec(request)
    body = read_json(await request.body())
    proposals = _read_entities(hub, spec, body, change)
    written = await finish(hub.ingest(proposals))
    asynchronous = _flag(request, "async", default=True)
    entities = _written(written, metadata=_flag(request, "systemMetadata"))
    return answer(
        b"[" + b",".join(entities) + b"]",
        status=202 if asynchronous else 200,
        headers=trace_headers(),
    )


def _read_entities(hub: Hub, spec: EntitySpec, body: Any, change: str) -> list[Proposal]:
    if not isinstance(body, list):
        raise BadRequest("Cannot parse the request: expected a list of entities")
    proposals = []
    for entity in body:
        if not isinstance(entity, Mapping) or not isinstance(entity.get("urn"), str):
            raise BadRequest("Each entity needs its urn")
        names = [name for name in entity if name != "urn"]
        for name in names or [spec.key_aspect.name]:
            proposals.append(_read_aspect(hub, spec, entity, name, change))
    return proposals


def _read_aspect(
    hub: Hub, spec: EntitySpec, entity: Mapping[str, Any], name: str, change: str
) -> Proposal:
    urn = entity["urn"]
    if name not in entity:  # a urn alone creates the entity
        return hub.proposals.build(spec.name, urn, name, change, hub.registry.key_of(urn))
    given = entity[name]
    if not isinstance(given, Mapping) or "value" not in given:
        raise BadRequest(f"Aspect {name} of {urn} needs a value")
    return hub.proposals.build(
        spec.name,
        urn,
        name,
        change,
        given["value"],
        given.get("systemMetadata"),
        given.get("headers"),
    )


def _written(written: Sequence[Written], *, metadata: bool) -> list[bytes]:
    """One object per entity with what its aspects are now."""
    entities: dict[str, list[bytes]] = {}
    for aspect in written:
        parts = entities.setdefault(aspect.urn, [b'"urn":' + orjson.dumps(aspect.urn)])
        if aspect.value is None:
            continue
        inner = b'"value":' + aspect.value.encode()
        if metadata and aspect.meta is not None:
            inner += b',"systemMetadata":' + aspect.meta.encode()
        parts.append(b'"%s":{%s}' % (aspect.aspect.encode(), inner))
    return [b"{" + b",".join(parts) + b"}" for parts in entities.values()]


_BASE = "/openapi/v3/entity/{entity}"

routes = [
    Route(f"{_BASE}/batchGet", _batch_get, methods=["POST"]),
    Route(_BASE, _post_entities, methods=["POST"]),
    Route(_BASE, _patch_entities, methods=["PATCH"]),
    Route(f"{_BASE}/{{urn}}", _head_entity, methods=["HEAD"]),
    Route(f"{_BASE}/{{urn}}", _get_entity, methods=["GET"]),
    Route(f"{_BASE}/{{urn}}", _delete_entity, methods=["DELETE"]),
    Route(f"{_BASE}/{{urn}}/{{aspect}}", _head_aspect, methods=["HEAD"]),
    Route(f"{_BASE}/{{urn}}/{{aspect}}", _get_aspect, methods=["GET"]),
    Route(f"{_BASE}/{{urn}}/{{aspect}}", _post_aspect, methods=["POST"]),
    Route(f"{_BASE}/{{urn}}/{{aspect}}", _patch_aspect, methods=["PATCH"]),
    Route(f"{_BASE}/{{urn}}/{{aspect}}", _delete_aspect, methods=["DELETE"]),
]
