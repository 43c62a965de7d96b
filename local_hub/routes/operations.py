"""Health, configuration, traces, the model registry: what clients ask about the hub itself."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.http import answer, hub_of, number, path_text
from dataspoke.local_hub.proposals import read_json
from dataspoke.local_hub.registry import AspectSpec, EntitySpec
from dataspoke.local_hub.trace import status_of

_SDK_VERSION = version("acryl-datahub")
# The release of the server that the installed SDK belongs to: 1.7.0.17 → v1.7.0.
SERVER_VERSION = "v" + ".".join(_SDK_VERSION.split(".")[:3])


async def _health(_: Request) -> Response:
    return answer({"status": "UP"})


async def _config(request: Request) -> Response:
    """What clients decide on; `noCode` must be the text "true", `serverEnv` core is open source."""
    return answer(
        {
            "models": {},
            "noCode": "true",
            "patchCapable": True,
            "statefulIngestionCapable": True,
            "supportsImpactAnalysis": True,
            "timeZone": "GMT",
            "retention": "true",
            "versions": {
                "acryldata/datahub": {
                    "version": SERVER_VERSION,
                    # Clients cache the registry under this name.
                    "commit": f"local-hub-{len(hub_of(request).registry.aspects)}",
                }
            },
            "managedIngestion": {"defaultCliVersion": _SDK_VERSION, "enabled": False},
            "telemetry": {"enabledCli": False, "enabledIngestion": False},
            "datahub": {"serverType": "dev", "serverEnv": "core"},
        }
    )


async def _trace(request: Request) -> Response:
    """What a write did to the aspects asked for; without errors they are left out by default."""
    body = read_json(await request.body() or b"{}")
    if not isinstance(body, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names)
        for names in body.values()
    ):
        raise BadRequest("Cannot parse the request: expected aspect names by urn")
    hub, trace = hub_of(request), path_text(request, "trace")
    only_errors = request.query_params.get("onlyIncludeErrors", "true").lower() == "true"
    detailed = request.query_params.get("detailed", "false").lower() == "true"
    found: dict[str, dict[str, Any]] = {}
    for urn, aspects in body.items():
        for name in aspects:
            status = status_of(
                hub.registry, hub.store, hub.refused, trace, urn, name, detailed=detailed
            )
            if not (only_errors and status["success"]):
                found.setdefault(urn, {})[name] = status
    return answer(found)


async def _entity_specifications(request: Request) -> Response:
    hub, query = hub_of(request), request.query_params
    entities = sorted(hub.registry.entities.values(), key=lambda entity: entity.name)
    start = number(query.get("start"), "start", 0)
    count = number(query.get("count"), "count", 20)
    page = entities[start : start + count]
    return answer(
        {
            "start": start,
            "count": len(page),
            "total": len(entities),
            "elements": [_specification(entity) for entity in page],
        }
    )


async def _entity_specification(request: Request) -> Response:
    return answer(_specification(hub_of(request).registry.entity(path_text(request, "entity"))))


def _specification(entity: EntitySpec) -> dict[str, Any]:
    return {
        "name": entity.name,
        "category": entity.category,
        "keyAspectName": entity.key_aspect.name,
        "keyAspectSpec": _aspect_specification(entity.key_aspect),
        "aspectSpecs": [_aspect_specification(aspect) for aspect in entity.aspects.values()],
    }


def _aspect_specification(aspect: AspectSpec) -> dict[str, Any]:
    return {
        "name": aspect.name,
        "timeseries": aspect.timeseries,
        "aspectAnnotation": {
            "name": aspect.name,
            "timeseries": aspect.timeseries,
            "schemaVersion": aspect.schema["Aspect"].get("schemaVersion", 1),
        },
    }


routes = [
    Route("/health", _health, methods=["GET"]),
    Route("/admin", _health, methods=["GET"]),
    Route("/config", _config, methods=["GET"]),
    Route("/openapi/v1/trace/write/{trace}", _trace, methods=["POST"]),
    Route(
        "/openapi/v1/registry/models/entity/specifications",
        _entity_specifications,
        methods=["GET"],
    ),
    Route(
        "/openapi/v1/registry/models/entity/specifications/{entity}",
        _entity_specification,
        methods=["GET"],
    ),
]
