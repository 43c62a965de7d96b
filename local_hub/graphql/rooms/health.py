"""The health badge of an asset: its active incidents and its latest assertion results."""

from __future__ import annotations

from typing import Any

import orjson

from dataspoke.local_hub import reads
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import every
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.relationships import INCOMING, related
from dataspoke.local_hub.search import Query

_MOST_ASSERTIONS = 500


def _health(entity: Entity, _: Arguments) -> list[dict[str, Any]]:
    found = [_incidents(entity)]
    # GMS evaluates assertions of datasets only.
    if entity.spec.name == "dataset":
        found.append(_assertions(entity))
    found.append(_tests(entity))
    return [health for health in found if health is not None]


def _incidents(entity: Entity) -> dict[str, Any] | None:
    context = entity.context
    groups = every(entities=entity.urn, state="ACTIVE")
    active = context.search.find(
        Query("*", ("incident",), groups, sort=(("lastUpdated", True),)), 0, 1
    )
    if not active.total:
        return {"type": "INCIDENTS", "status": "PASS"}
    latest = active.hits[0].urn
    info = context.value(latest, "incidentInfo") or {}
    at = info["status"]["lastUpdated"]["time"] if info else None
    return {
        "type": "INCIDENTS",
        "status": "FAIL",
        "reportedAt": at or 0,
        "message": f"{active.total} active incident{'s' if active.total > 1 else ''}",
        "causes": ["ACTIVE_INCIDENTS"],
        "activeIncidentHealthDetails": {
            "latestIncidentUrn": latest,
            "latestIncidentTitle": info.get("title"),
            "lastActivityAt": at,
            "count": active.total,
        },
    }


def _assertions(entity: Entity) -> dict[str, Any] | None:
    context = entity.context
    _, found = related(context.index, entity.urn, INCOMING, ["Asserts"], 0, _MOST_ASSERTIONS)
    assertions = [one.urn for one in found]
    results = {urn: _latest_result(context, urn, entity.urn) for urn in assertions}
    evaluated = {urn: result for urn, result in results.items() if result is not None}
    if not evaluated:
        return None
    failing = [urn for urn, result in evaluated.items() if result != "SUCCESS"]
    if not failing:
        return {"type": "ASSERTIONS", "status": "PASS", "message": "All assertions are passing"}
    return {
        "type": "ASSERTIONS",
        "status": "FAIL",
        "message": f"{len(failing)} of {len(assertions)} assertions are failing",
        "causes": failing,
    }


def _latest_result(context: Context, assertion: str, assertee: str) -> str | None:
    """The result of the newest complete run of an assertion on an asset."""
    conditions = [{"field": "asserteeUrn", "value": assertee, "condition": "EQUAL"}]
    conditions.append({"field": "status", "value": "COMPLETE", "condition": "EQUAL"})
    found = reads.timeseries(
        context.hub.store,
        assertion,
        "assertionRunEvent",
        limit=1,
        conditions={"or": [{"and": conditions}]},
    )
    for point in found:
        return str((orjson.loads(point.value).get("result") or {}).get("type"))
    return None


def _tests(entity: Entity) -> dict[str, Any] | None:
    if "testResults" not in entity.spec.aspects:
        return None
    results = entity.aspect("testResults")
    failing, passing = len(results.get("failing") or ()), len(results.get("passing") or ())
    if not failing + passing:
        return None
    if not failing:
        return {"type": "TESTS", "status": "PASS", "message": "All tests are passing"}
    message = f"{failing} of {failing + passing} tests failing"
    return {"type": "TESTS", "status": "FAIL", "message": message}


ROOM = Room(
    schema="health.graphql",
    fields={("Entity", "health"): _health},
    aspects={"incidentsSummary": "health: [Health!]"},
)
