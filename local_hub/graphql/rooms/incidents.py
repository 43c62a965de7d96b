"""Incidents: raise, update, and those of an entity."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.pages import every, given_only, page
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

# How the aspect keeps a priority: P0 is the most urgent.
_PRIORITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


def _priority(given: Arguments) -> int | None:
    name = given.get("priority")
    return None if name is None else _PRIORITIES.index(name)


def _assignees(context: Context, given: Arguments) -> list[dict[str, Any]] | None:
    urns = given.get("assigneeUrns")
    if urns is None:
        return None
    return [{"actor": urn, "assignedAt": context.stamp} for urn in urns]


def _status(context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
    status = {name: given.get(name) for name in ("state", "stage", "message")}
    return given_only({**status, "lastUpdated": context.stamp})


def _raise(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    entities = given.get("resourceUrns") or (
        [given["resourceUrn"]] if given.get("resourceUrn") else []
    )
    if not entities:
        raise BadRequest("At least 1 resource urn must be defined to raise an incident.")
    urn = f"urn:li:incident:{uuid.uuid4()}"
    info = {
        "type": given["type"],
        "customType": given.get("customType"),
        "title": given.get("title"),
        "description": given.get("description"),
        "entities": entities,
        "priority": _priority(given),
        "assignees": _assignees(context, given),
        "status": _status(context, given.get("status") or {"state": "ACTIVE"}),
        "source": {"type": "MANUAL"},
        "startedAt": given.get("startedAt"),
        "created": context.stamp,
    }
    context.upsert(urn, "incidentInfo", given_only(info))
    return urn


def _stored(context: Context, urn: str) -> dict[str, Any]:
    info = context.value(urn, "incidentInfo")
    if info is None:
        raise NotFound("Failed to update incident. Incident does not exist.")
    return info


def _update_status(context: Context, arguments: Arguments) -> bool:
    urn = arguments["urn"]
    info = _stored(context, urn)
    info["status"] = {**info["status"], **_status(context, arguments["input"])}
    context.upsert(urn, "incidentInfo", info)
    return True


def _update(context: Context, arguments: Arguments) -> bool:
    """What is absent stays, but for priority and assignees: GMS clears those two."""
    urn, given = arguments["urn"], arguments["input"]
    info = _stored(context, urn)
    if given.get("resourceUrns") is not None:
        if not given["resourceUrns"]:
            raise BadRequest("resourceUrns cannot be empty if provided")
        info["entities"] = given["resourceUrns"]
    for name in ("title", "description", "startedAt"):
        if given.get(name) is not None:
            info[name] = given[name]
    if given.get("status") is not None:
        info["status"] = _status(context, given["status"])
    info["priority"] = _priority(given)
    info["assignees"] = _assignees(context, given)
    context.upsert(urn, "incidentInfo", given_only(info))
    return True


def _incidents_of(entity: Entity, arguments: Arguments) -> dict[str, Any]:
    """A page of the incidents of an entity, the newest first."""
    priority = _priority(arguments)
    groups = every(
        entities=entity.urn,
        state=arguments.get("state"),
        stage=arguments.get("stage"),
        priority=None if priority is None else str(priority),
        assignees=arguments.get("assigneeUrns"),
    )
    paging = {name: arguments.get(name) for name in ("start", "count")}
    return page(
        entity.context, "incident", "incidents", paging, groups=groups, sort=[("created", True)]
    )


def _info(name: str) -> Callable[[Entity, Arguments], Any]:
    return lambda incident, _: incident.aspect("incidentInfo").get(name)


def _priority_of(incident: Entity, _: Arguments) -> str | None:
    priority: int | None = incident.aspect("incidentInfo").get("priority")
    return None if priority is None else _PRIORITIES[priority]


def _source_of(source: Part, _: Arguments) -> str | None:
    return source.get("sourceUrn")


ROOM = Room(
    schema="incidents.graphql",
    mutations={
        "raiseIncident": _raise,
        "updateIncidentStatus": _update_status,
        "updateIncident": _update,
    },
    fields={
        ("Entity", "incidents"): _incidents_of,
        ("Incident", "incidentType"): _info("type"),
        ("Incident", "incidentStatus"): _info("status"),
        ("Incident", "priority"): _priority_of,
        ("Incident", "assignees"): lambda incident, _: [
            item["actor"] for item in incident.aspect("incidentInfo").get("assignees") or ()
        ],
        ("Incident", "entity"): lambda incident, _: next(
            iter(incident.aspect("incidentInfo").get("entities") or ()), None
        ),
        **{
            ("Incident", name): _info(name)
            for name in (
                "customType",
                "title",
                "description",
                "status",
                "source",
                "startedAt",
                "created",
            )
        },
        ("IncidentSource", "source"): _source_of,
    },
    aspects={
        "incidentsSummary": (
            "incidents(state: IncidentState, stage: IncidentStage, priority: IncidentPriority,"
            " assigneeUrns: [String!], start: Int, count: Int): EntityIncidentsResult"
        )
    },
)
