"""Entities by urn, and what every entity has: relationships, raw aspects, privileges."""

from __future__ import annotations

from typing import Any

import orjson

from dataspoke.local_hub import relationships
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.system_metadata import NO_RUN

_MOST = 10_000


def _entity(context: Context, arguments: Arguments) -> Any:
    entity = context.loader.entity(arguments["urn"])
    if entity is None:
        raise BadRequest(f"Failed to retrieve entity with urn {arguments['urn']}, invalid urn")
    return entity


def _entities(context: Context, arguments: Arguments) -> Any:
    found = [context.loader.entity(urn) for urn in arguments["urns"]]
    if arguments.get("checkForExistence"):
        return [entity if entity is not None and entity.exists else None for entity in found]
    return found


def _entity_exists(context: Context, arguments: Arguments) -> bool:
    return context.exists(arguments["urn"])


def _last_ingested(entity: Entity, _: Arguments) -> int | None:
    """When a run last saw the entity, in UTC ms; None if only people wrote it."""
    metas = [orjson.loads(row.meta) for row in entity.context.loader.rows(entity.urn).values()]
    seen = [meta["lastObserved"] for meta in metas if meta.get("runId") not in (None, NO_RUN)]
    return max(seen, default=None)


def _relationships(entity: Entity, arguments: Arguments) -> Any:
    given = arguments["input"]
    start = given.get("start") or 0
    count = _MOST if given.get("count") is None else given["count"]
    direction = given["direction"]
    total, page = relationships.related(
        entity.context.index, entity.urn, direction, given["types"], start, count
    )
    return {
        "start": start,
        "count": len(page),
        "total": total,
        "relationships": [
            {"type": one.kind, "direction": direction, "entity": one.urn} for one in page
        ],
    }


def _aspects(entity: Entity, arguments: Arguments) -> Any:
    """The aspects that are asked for by name, as JSON texts."""
    given = arguments.get("input") or {}
    names = given.get("aspectNames") or ()
    return [
        {"aspectName": name, "payload": orjson.dumps(entity.aspect(name)).decode()}
        for name in names
        if entity.aspect(name)
    ]


_PRIVILEGES = (
    "canEditDomains",
    "canEditDataProducts",
    "canEditDeprecation",
    "canEditGlossaryTerms",
    "canEditTags",
    "canEditOwners",
    "canEditLinks",
    "canEditDescription",
    "canManageChildren",
    "canManageEntity",
    "canEditLineage",
    "canEditQueries",
    "canEditEmbed",
    "canEditAssertions",
    "canEditIncidents",
    "canEditProperties",
    "canViewDatasetUsage",
    "canViewDatasetProfile",
    "canViewDatasetOperations",
    "canEditSchemaFieldTags",
    "canEditSchemaFieldGlossaryTerms",
    "canEditSchemaFieldDescription",
    "canManageAssetSummary",
)


def _privileges(_: Entity, __: Arguments) -> Any:
    return dict.fromkeys(_PRIVILEGES, True)


ROOM = Room(
    schema="entities.graphql",
    queries={"entity": _entity, "entities": _entities, "entityExists": _entity_exists},
    fields={
        ("Entity", "lastIngested"): _last_ingested,
        ("Entity", "relationships"): _relationships,
        ("Entity", "aspects"): _aspects,
        ("Entity", "privileges"): _privileges,
    },
)
