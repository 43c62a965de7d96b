"""Assertions that others evaluate, and their results."""

from __future__ import annotations

import hashlib
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.points import points
from dataspoke.local_hub.graphql.room import Arguments, Context, Room


def _upsert_assertion(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    identity = f"{given['entityUrn']}\n{given['type']}\n{given['description']}"
    urn = arguments.get("urn") or (
        "urn:li:assertion:" + hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest()
    )
    custom = {"type": given["type"], "entity": given["entityUrn"]}
    if given.get("logic"):
        custom["logic"] = given["logic"]
    paths = given.get("fieldPaths") or ([given["fieldPath"]] if given.get("fieldPath") else [])
    if paths:
        custom["field"] = f"urn:li:schemaField:({given['entityUrn']},{paths[0]})"
    info = {
        "type": "CUSTOM",
        "description": given["description"],
        "customAssertion": custom,
        "source": {"type": "EXTERNAL"},
    }
    if given.get("externalUrl"):
        info["externalUrl"] = given["externalUrl"]
    platform = (
        given["platform"].get("urn") or f"urn:li:dataPlatform:{given['platform'].get('name')}"
    )
    context.write(
        [
            (urn, "assertionInfo", "UPSERT", info),
            (urn, "dataPlatformInstance", "UPSERT", {"platform": platform}),
        ]
    )
    return context.loader.entity(urn)


def _report_result(context: Context, arguments: Arguments) -> bool:
    urn, given = arguments["urn"], arguments["result"]
    info = context.value(urn, "assertionInfo")
    if not info:
        raise BadRequest(f"Assertion {urn} does not exist")
    at = given.get("timestampMillis") or context.now
    result: dict[str, Any] = {"type": given["type"]}
    native = {item["key"]: item.get("value") or "" for item in given.get("properties") or ()}
    if given.get("error"):
        native["errorMessage"] = given["error"]["message"]
    if native:
        result["nativeResults"] = native
    for name in ("externalUrl", "severity"):
        if given.get(name):
            result[name] = given[name]
    event = {
        "timestampMillis": at,
        "runId": f"native-{at}",
        "assertionUrn": urn,
        "asserteeUrn": info["customAssertion"]["entity"],
        "status": "COMPLETE",
        "result": result,
    }
    context.upsert(urn, "assertionRunEvent", event)
    return True


def _run_events(entity: Entity, arguments: Arguments) -> Any:
    events = points(entity, "assertionRunEvent", arguments, 100)
    kinds = [(event.get("result") or {}).get("type") for event in events]
    return {
        "total": len(events),
        "failed": kinds.count("FAILURE"),
        "succeeded": kinds.count("SUCCESS"),
        "errored": kinds.count("ERROR"),
        "runEvents": [Part(entity, event) for event in events],
    }


def _info(entity: Entity, _: Arguments) -> Any:
    info = entity.aspect("assertionInfo")
    return Part(entity, info) if info else None


ROOM = Room(
    schema="assertions.graphql",
    mutations={
        "upsertCustomAssertion": _upsert_assertion,
        "reportAssertionResult": _report_result,
    },
    fields={
        ("Assertion", "info"): _info,
        ("Assertion", "runEvents"): _run_events,
    },
)
