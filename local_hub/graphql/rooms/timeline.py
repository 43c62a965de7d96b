"""The timeline of an entity, and the versions of its schema."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub import timeline
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

_SCHEMA = ("TECHNICAL_SCHEMA",)


def _timeline(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    found = timeline.changes(
        context.hub.store,
        given["urn"],
        given.get("changeCategories") or timeline.CATEGORIES,
        start=given.get("startTimeMillis") or 0,
        end=given.get("endTimeMillis"),
        version_set=bool(given.get("includeVersionSet")),
    )
    shown = [_transaction(moment) for moment in found if moment.events]
    return {"changeTransactions": shown, "skippedVersionCount": 0}


def _transaction(moment: timeline.Transaction) -> Any:
    stamp = {"time": moment.at, "actor": moment.actor}
    return {
        "timestampMillis": moment.at,
        "actor": moment.actor,
        "lastSemanticVersion": moment.version,
        "versionStamp": moment.stamp,
        "changeType": moment.events[-1].operation,
        "changes": [
            {
                "urn": event.entity_urn,
                "category": event.category,
                "operation": event.operation,
                "modifier": event.modifier,
                "description": event.description,
                "parameters": [
                    {"key": key, "value": str(value)}
                    for key, value in (event.parameters or {}).items()
                ],
                "auditStamp": stamp,
            }
            for event in moment.events
        ],
    }


def _blame(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    found = timeline.changes(context.hub.store, given["datasetUrn"], _SCHEMA)
    return timeline.schema_blame(found, given.get("version"))


def _versions(context: Context, arguments: Arguments) -> Any:
    urn = arguments["input"]["datasetUrn"]
    found = timeline.schema_versions(timeline.changes(context.hub.store, urn, _SCHEMA))
    versions = [point.as_graphql() for point in found]
    latest = versions[0] if versions else None
    return {"latestVersion": latest, "version": latest, "semanticVersionList": versions}


ROOM = Room(
    schema="timeline.graphql",
    queries={
        "getTimeline": _timeline,
        "getSchemaBlame": _blame,
        "getSchemaVersionList": _versions,
    },
)
