"""Managed ingestion: sources with their recipes, and requests to run them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.filters import criteria
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.pages import every, given_only, page
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.routes.operations import SERVER_VERSION

_INFO = "dataHubIngestionSourceInfo"
_INPUT, _RESULT = "dataHubExecutionRequestInput", "dataHubExecutionRequestResult"
_SIGNAL = "dataHubExecutionRequestSignal"
_DEFAULT_EXECUTOR = "default"


def _texts(entries: Any) -> dict[str, str] | None:
    if entries is None:
        return None
    return {entry["key"]: entry.get("value") or "" for entry in entries}


def _info(given: Mapping[str, Any]) -> dict[str, Any]:
    config = given["config"]
    _recipe(config["recipe"])
    schedule = given.get("schedule")
    return given_only(
        {
            "name": given["name"],
            "type": given["type"],
            "schedule": None if schedule is None else dict(schedule),
            "config": given_only(
                {
                    "recipe": config["recipe"],
                    "version": config.get("version"),
                    "executorId": config["executorId"],
                    "debugMode": config.get("debugMode"),
                    "extraArgs": _texts(config.get("extraArgs")),
                }
            ),
        }
    )


def _recipe(text: str) -> dict[str, Any]:
    try:
        recipe = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise BadRequest(f"The recipe is no JSON: {exc}") from exc
    if not isinstance(recipe, dict):
        raise BadRequest("The recipe is no JSON object")
    return recipe


def _create_source(context: Context, arguments: Arguments) -> str:
    urn = f"urn:li:dataHubIngestionSource:{uuid.uuid4()}"
    context.upsert(urn, _INFO, _info(arguments["input"]))
    return urn


def _update_source(context: Context, arguments: Arguments) -> str:
    """Also makes a source: the CLI deploys so."""
    urn: str = arguments["urn"]
    context.upsert(urn, _INFO, _info(arguments["input"]))
    return urn


def _delete_source(context: Context, arguments: Arguments) -> str:
    urn: str = arguments["urn"]
    remove_entity(context, urn)
    return urn


def _source(context: Context, arguments: Arguments) -> Entity | None:
    """The source, None if there is none with a definition."""
    entity = context.loader.entity(arguments["urn"])
    return entity if entity is not None and entity.aspect(_INFO) else None


def _list_sources(context: Context, arguments: Arguments) -> dict[str, Any]:
    given = arguments["input"]
    groups = criteria([{"and": given["filters"]}]) if given.get("filters") else ()
    sort = _order(given)
    return page(
        context, "dataHubIngestionSource", "ingestionSources", given, groups=groups, sort=sort
    )


def _order(given: Arguments) -> list[tuple[str, bool]]:
    order = given.get("sort")
    return [(order["field"], order["sortOrder"] == "DESCENDING")] if order else []


def _create_request(context: Context, arguments: Arguments) -> str:
    source = arguments["input"]["ingestionSourceUrn"]
    info = context.value(source, _INFO)
    if info is None:
        raise BadRequest(f"Failed to find ingestion source with urn {source}")
    config = info["config"]
    urn = _new_request()
    recipe = {**_recipe(config["recipe"]), "run_id": urn}
    recipe.setdefault("pipeline_name", source)
    args = {
        "recipe": orjson.dumps(recipe).decode(),
        "version": (config.get("version") or "").strip() or SERVER_VERSION.removeprefix("v"),
        **(config.get("extraArgs") or {}),
        "debug_mode": str(bool(config.get("debugMode"))).lower(),
    }
    request = {
        "task": "RUN_INGEST",
        "args": args,
        "executorId": config.get("executorId") or _DEFAULT_EXECUTOR,
        "source": {"type": "MANUAL_INGESTION_SOURCE", "ingestionSource": source},
        "requestedAt": context.now,
        "actorUrn": context.actor,
    }
    context.upsert(urn, _INPUT, request)
    return urn


def _new_request() -> str:
    return f"urn:li:dataHubExecutionRequest:{uuid.uuid4()}"


def _test_connection(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn = _new_request()
    recipe = {**_recipe(given["recipe"]), "run_id": urn}
    request = {
        "task": "TEST_CONNECTION",
        "args": {
            "recipe": orjson.dumps(recipe).decode(),
            "version": given.get("version") or SERVER_VERSION.removeprefix("v"),
        },
        "executorId": _DEFAULT_EXECUTOR,
        "source": {"type": "MANUAL_TEST_CONNECTION"},
        "requestedAt": context.now,
    }
    context.upsert(urn, _INPUT, request)
    return urn


def _cancel(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn: str = given["executionRequestUrn"]
    source = given["ingestionSourceUrn"]
    info = context.value(source, _INFO)
    if info is None:
        raise BadRequest(f"Failed to find ingestion source with urn {source}")
    if context.value(urn, _INPUT) is None:
        raise NotFound(f"Failed to find execution request with urn {urn}")
    signal = {
        "signal": "KILL",
        "executorId": info["config"].get("executorId"),
        "createdAt": context.stamp,
    }
    context.upsert(urn, _SIGNAL, given_only(signal))
    return urn


def _request(context: Context, arguments: Arguments) -> Entity | None:
    entity = context.loader.entity(arguments["urn"])
    return entity if entity is not None and entity.aspect(_INPUT) else None


def _list_requests(context: Context, arguments: Arguments) -> dict[str, Any]:
    given = arguments["input"]
    groups = criteria([{"and": given["filters"]}]) if given.get("filters") else ()
    sort = _order(given) or [("requestTimeMs", True)]
    return page(
        context,
        "dataHubExecutionRequest",
        "executionRequests",
        given,
        groups=groups,
        sort=sort,
        default=10,
    )


def _executions(source: Entity, arguments: Arguments) -> dict[str, Any]:
    return page(
        source.context,
        "dataHubExecutionRequest",
        "executionRequests",
        arguments,
        groups=every(ingestionSource=source.urn),
        sort=[("requestTimeMs", True)],
        default=10,
    )


def _of_info(name: str) -> Any:
    return lambda source, _: source.aspect(_INFO).get(name)


def _executor(config: Part, _: Arguments) -> str:
    return config.get("executorId") or _DEFAULT_EXECUTOR


ROOM = Room(
    schema="ingestion.graphql",
    queries={
        "ingestionSource": _source,
        "listIngestionSources": _list_sources,
        "executionRequest": _request,
        "listExecutionRequests": _list_requests,
    },
    mutations={
        "createIngestionSource": _create_source,
        "updateIngestionSource": _update_source,
        "deleteIngestionSource": _delete_source,
        "createIngestionExecutionRequest": _create_request,
        "createTestConnectionRequest": _test_connection,
        "cancelIngestionExecutionRequest": _cancel,
    },
    fields={
        **{
            ("IngestionSource", name): _of_info(name)
            for name in ("name", "type", "schedule", "platform", "config", "source")
        },
        ("IngestionSource", "executions"): _executions,
        ("IngestionConfig", "executorId"): _executor,
        ("ExecutionRequest", "id"): lambda request, _: request.key["id"],
        ("ExecutionRequest", "input"): lambda request, _: request.aspect(_INPUT),
        ("ExecutionRequest", "result"): lambda request, _: request.aspect(_RESULT) or None,
        ("ExecutionRequest", "source"): lambda request, _: (
            request.aspect(_INPUT).get("source") or {}
        ).get("ingestionSource"),
        ("ExecutionRequestInput", "arguments"): lambda part, _: part.get("args"),
        ("ExecutionRequestInput", "actor"): lambda part, _: part.get("actorUrn"),
    },
)
