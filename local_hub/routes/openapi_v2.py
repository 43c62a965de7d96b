"""OpenAPI version 2, and what is left of version 1, as far as clients still use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub import reads
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.http import (
    actor_of,
    answer,
    finish,
    hub_of,
    in_thread,
    path_text,
    trace_of,
)
from dataspoke.local_hub.proposals import Proposal, read_json
from dataspoke.local_hub.reads import Reading
from dataspoke.local_hub.routes.openapi import (
    EntityRoutes,
    aspect_of,
    flag,
    names_of,
    proposal_of,
    system_metadata,
    with_keys,
)
from dataspoke.local_hub.shapes import V2


async def _batch(request: Request) -> Response:
    """Entities by their urns, `{urns, aspectNames, withSystemMetadata}`."""
    hub, spec = hub_of(request), hub_of(request).registry.entity(path_text(request, "entity"))
    body = read_json(await request.body())
    if not isinstance(body, Mapping) or not _are_texts(body.get("urns")):
        raise BadRequest("Parameter urns must be a list of urns")
    names = body.get("aspectNames") or []
    if not _are_texts(names):
        raise BadRequest("Parameter aspectNames must be a list of names")
    urns = list(dict.fromkeys(body["urns"]))
    asked = dict.fromkeys((aspect_of(spec, name).name for name in names), 0) or None
    found = await in_thread(
        lambda: reads.latest_versions(hub.registry, hub.store, dict.fromkeys(urns, asked))
    )
    metadata = body.get("withSystemMetadata") is True
    entities = [
        V2.entity(urn, aspects, metadata=metadata)
        for urn, aspects in with_keys(hub.registry, urns, found).items()
    ]
    return answer(b'{"entities":[%s]}' % b",".join(entities))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


async def _propose(request: Request) -> Response:
    """MetadataChangeProposals whose aspect is JSON or a text of JSON; answers with the urns."""
    body = read_json(await request.body())
    if not isinstance(body, list):
        raise BadRequest("Cannot parse the request: expected a list of proposals")
    proposals = []
    for raw in body:
        if isinstance(raw, Mapping) and isinstance(raw.get("aspect"), Mapping):
            value = raw["aspect"].get("value")
            if not isinstance(value, str):
                value = orjson.dumps(_without_types(value)).decode()
            metadata = system_metadata(request, raw.get("systemMetadata"))
            raw = {**raw, "aspect": {**raw["aspect"], "value": value}, "systemMetadata": metadata}
        proposals.append(hub_of(request).proposals.from_restli(raw))
    return await _written(request, proposals)


async def _post_aspects(request: Request) -> Response:
    """Aspects as `{entityType, entityUrn, aspect}`, whose `__type` names their record."""
    body = read_json(await request.body())
    if not isinstance(body, list):
        raise BadRequest("Cannot parse the request: expected a list of aspects")
    registry, proposals = hub_of(request).registry, []
    for item in body:
        aspect = item.get("aspect") if isinstance(item, Mapping) else None
        if not isinstance(aspect, Mapping) or not isinstance(item.get("entityUrn"), str):
            raise BadRequest("Each aspect needs entityType, entityUrn and aspect")
        spec = registry.entity(str(item.get("entityType")))
        kind = aspect.get("__type")
        names = [name for name, each in spec.aspects.items() if each.schema["name"] == kind]
        if not names:
            raise BadRequest(f"Entity {spec.name} has no aspect of the type {kind!r}")
        given = {"value": _without_types(aspect)}
        proposals.append(proposal_of(request, spec, item["entityUrn"], names[0], "UPSERT", given))
    return await _written(request, proposals)


async def _written(request: Request, proposals: list[Proposal]) -> Response:
    await finish(hub_of(request).ingest(proposals, actor_of(request), trace=trace_of(request)))
    return answer(
        list(dict.fromkeys(proposal.urn for proposal in proposals)),
        headers=trace_of(request).headers,
    )


def _without_types(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_types(item) for name, item in value.items() if name != "__type"}
    return [_without_types(item) for item in value] if isinstance(value, list) else value


async def _latest(request: Request) -> Response:
    """The latest aspects of entities, each value with the `__type` of its record."""
    hub = hub_of(request)
    urns = request.query_params.getlist("urns")
    if not urns:
        raise BadRequest("Parameter urns is required")
    names = names_of(request, "aspectNames")
    wanted = {}
    for urn in urns:
        spec = hub.registry.entity_of(urn)
        wanted[urn] = {n: 0 for n in names if n in spec.aspects} if names else None
    found = await in_thread(lambda: reads.latest_versions(hub.registry, hub.store, wanted))
    shown = with_keys(hub.registry, urns, found)
    responses = {
        urn: {
            "entityName": (spec := hub.registry.entity_of(urn)).name,
            "urn": urn,
            "aspects": {
                name: _typed(name, spec.aspects[name].schema["name"], reading)
                for name, reading in aspects.items()
            },
        }
        for urn, aspects in shown.items()
    }
    return answer({"responses": responses})


def _typed(name: str, kind: str, reading: Reading) -> dict[str, Any]:
    aspect = {
        "name": name,
        "type": "VERSIONED",
        "version": 0,
        "value": {"__type": kind, **orjson.loads(reading.value)},
    }
    if reading.modified_at is not None:
        aspect["created"] = {"time": reading.modified_at, "actor": reading.actor}
    return aspect


async def _delete(request: Request) -> Response:
    """Soft deletion, or with `soft=false` hard, of several entities."""
    hub, urns = hub_of(request), request.query_params.getlist("urns")
    if not urns:
        raise BadRequest("Parameter urns is required")
    soft = flag(request, "soft", default=True)
    if soft:
        proposals = []
        for urn in urns:
            spec = hub.registry.entity_of(urn)
            given = {"value": {"removed": True}}
            proposals.append(proposal_of(request, spec, urn, "status", "UPSERT", given))
        await finish(hub.ingest(proposals, actor_of(request), trace=trace_of(request)))
        rows = len(urns)
    else:
        deleted = await finish(
            hub.delete(
                lambda _, deletion: [deletion.entity(urn) for urn in urns], actor_of(request)
            )
        )
        rows = sum(aspects for aspects, _ in deleted)
    result = {
        "rowsRolledBack": [],
        "rowsDeletedFromEntityDeletion": 0 if soft else rows,
        "rowsAffected": rows,
    }
    return answer([result])


routes = [
    Route(f"{V2.base}/batch/{{entity}}", _batch, methods=["POST"]),
    *EntityRoutes(V2).routes(),
    Route("/openapi/v2/platform/entities/v1", _propose, methods=["POST"]),
    Route("/openapi/platform/entities/v1", _propose, methods=["POST"]),
    Route("/openapi/entities/v1/latest", _latest, methods=["GET"]),
    Route("/openapi/entities/v1", _post_aspects, methods=["POST"]),
    Route("/openapi/entities/v1", _delete, methods=["DELETE"]),
]
