"""OpenAPI version 3: what only it offers, batches above all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import reads
from dataspoke.local_hub.errors import BadRequest, BadUrn
from dataspoke.local_hub.filters import groups_of
from dataspoke.local_hub.http import answer, hub_of, in_thread, path_text, trace_of
from dataspoke.local_hub.proposals import read_json
from dataspoke.local_hub.registry import EntitySpec
from dataspoke.local_hub.routes.openapi import (
    GENERIC,
    EntityRoutes,
    aspect_of,
    flag,
    listed,
    read_proposals,
    write,
)
from dataspoke.local_hub.routes.openapi_scroll import read_scroll, scrolled
from dataspoke.local_hub.shapes import V3

_VERSION_HEADER = "If-Version-Match"


async def _scroll(request: Request) -> Response:
    """Entities of several types in one stream, with the aspects that the body names.

    Without `aspects` only urns are answered, with an empty list all aspects.
    """
    body = read_json(await request.body() or b"{}")
    if not isinstance(body, Mapping):
        raise BadRequest("Cannot parse the request: it is no JSON object")
    aspects = _names(body, "aspects")
    scroll = read_scroll(
        request,
        _names(body, "entities") or [],
        body.get("sortCriteria"),
        groups_of(body.get("filter")),
    )
    return await scrolled(request, V3, scroll, aspects or None, facets=True, bare=aspects is None)


def _names(body: Mapping[str, Any], name: str) -> list[str] | None:
    found = body.get(name)
    if found is not None and (
        not isinstance(found, list) or not all(isinstance(item, str) for item in found)
    ):
        raise BadRequest(f"Parameter {name} must be a list of names")
    return found


async def _batch_get(request: Request) -> Response:
    spec = _spec(request, path_text(request, "entity"))
    body = read_json(await request.body())
    return answer(await _read_batch(request, spec, body))


async def _read_batch(request: Request, spec: EntitySpec | None, body: Any) -> bytes:
    """`batchGet`: of each entity the aspects asked for (all if none); absent ones are left out.

    An aspect may ask for a version with ``{"headers": {"If-Version-Match": "3"}}``.
    """
    hub = hub_of(request)
    wanted: dict[str, dict[str, int] | None] = {}
    for urn, aspects in V3.read_entities(body):
        entity = hub.registry.entity_of(urn)
        if spec is not None and entity is not spec:
            raise BadUrn(urn, f"it names no {spec.name}")
        names = {aspect_of(entity, name).name: _version(given) for name, given in aspects.items()}
        wanted[urn] = {**(wanted.get(urn) or {}), **names} or None
    found = await in_thread(lambda: reads.latest_versions(hub.registry, hub.store, wanted))
    metadata = flag(request, "systemMetadata")
    return listed(V3.entity(urn, aspects, metadata=metadata) for urn, aspects in found.items())


def _version(given: Any) -> int:
    headers = given.get("headers") if isinstance(given, Mapping) else None
    version = headers.get(_VERSION_HEADER, "0") if isinstance(headers, Mapping) else "0"
    try:
        return int(version)
    except (TypeError, ValueError) as exc:
        raise BadRequest(f"{_VERSION_HEADER} must be a number: {version!r}") from exc


def _spec(request: Request, name: str) -> EntitySpec | None:
    return None if name == GENERIC else hub_of(request).registry.entity(name)


async def _patch_entities(request: Request) -> Response:
    spec = hub_of(request).registry.entity(path_text(request, "entity"))
    body = read_json(await request.body())
    asynchronous = flag(request, "async", default=True)
    proposals = read_proposals(request, V3, spec, body, "PATCH")
    entities = await write(request, V3, proposals, asynchronous=asynchronous)
    return answer(
        listed(entities.values()),
        status=202 if asynchronous else 200,
        headers=trace_of(request).headers,
    )


async def _post_generic(request: Request) -> Response:
    return await _write_generic(request, "UPSERT")


async def _patch_generic(request: Request) -> Response:
    return await _write_generic(request, "PATCH")


async def _write_generic(request: Request, change: str) -> Response:
    """Entities of several types, ``{"dataset": […], "chart": […]}``, in one transaction."""
    groups = _by_type(read_json(await request.body()))
    asynchronous = flag(request, "async", default=True)
    proposals, urns = [], {}
    for name, entities in groups.items():
        found = read_proposals(request, V3, _spec(request, name), entities, change)
        urns[name] = list(dict.fromkeys(proposal.urn for proposal in found))
        proposals.extend(found)
    written = await write(request, V3, proposals, asynchronous=asynchronous)
    parts = {
        name: listed(written[urn] for urn in asked if urn in written)
        for name, asked in urns.items()
    }
    return answer(
        _object(parts), status=202 if asynchronous else 200, headers=trace_of(request).headers
    )


async def _batch_get_generic(request: Request) -> Response:
    groups = _by_type(read_json(await request.body()))
    return answer(
        _object(
            {
                name: await _read_batch(request, _spec(request, name), entities)
                for name, entities in groups.items()
            }
        )
    )


def _by_type(body: Any) -> Mapping[str, list[Any]]:
    if not isinstance(body, Mapping):
        raise BadRequest("Cannot parse the request: expected lists of entities by their type")
    for name, entities in body.items():
        if not isinstance(entities, list):
            raise BadRequest(f"Value of property '{name}' must be an array")
    return body


def _object(parts: Mapping[str, bytes]) -> bytes:
    return b"{%s}" % b",".join(orjson.dumps(name) + b":" + part for name, part in parts.items())


_KIND = f"{V3.base}/{{entity}}"

routes = [
    Route(f"{V3.base}/scroll", _scroll, methods=["POST"]),
    Route(f"{V3.base}/{GENERIC}/batchGet", _batch_get_generic, methods=["POST"]),
    Route(f"{V3.base}/{GENERIC}", _post_generic, methods=["POST"]),
    Route(f"{V3.base}/{GENERIC}", _patch_generic, methods=["PATCH"]),
    Route(f"{_KIND}/batchGet", _batch_get, methods=["POST"]),
    Route(_KIND, _patch_entities, methods=["PATCH"]),
    *EntityRoutes(V3).routes(),
]
