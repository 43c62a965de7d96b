"""Incidents as they are read."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.room import Arguments, FieldReader, Room


def _of_info(name: str) -> FieldReader:
    def read(entity: Entity, _: Arguments) -> Any:
        value = entity.aspect("incidentInfo").get(name)
        return Part(entity, value) if isinstance(value, dict) else value

    return read


def _priority(entity: Entity, _: Arguments) -> str | None:
    return str(entity.aspect("incidentInfo").get("priority", "")) or None


ROOM = Room(
    schema="incidents.graphql",
    fields={
        ("Incident", "incidentType"): _of_info("type"),
        ("Incident", "incidentStatus"): _of_info("status"),
        ("Incident", "title"): _of_info("title"),
        ("Incident", "description"): _of_info("description"),
        ("Incident", "created"): _of_info("created"),
        ("Incident", "priority"): _priority,
    },
    aspects={
        "incidentsSummary": (
            "incidents(state: IncidentState, start: Int, count: Int): EntityIncidentsResult"
        )
    },
)
