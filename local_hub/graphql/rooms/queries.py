"""SQL queries that people keep beside datasets."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.filters import criteria
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.pages import every, given_only, page
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.urns import Urn

_PROPERTIES, _SUBJECTS = "queryProperties", "querySubjects"


def _subjects(given: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    # A query that names a dataset twice is about it once.
    urns = dict.fromkeys(subject["datasetUrn"] for subject in given)
    return {"subjects": [{"entity": urn} for urn in urns]}


def _create(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    properties = given["properties"]
    if not given["subjects"]:
        raise BadRequest("Failed to create Query. A Query must have at least one subject.")
    urn = f"urn:li:query:{uuid.uuid4()}"
    value = {
        "name": properties.get("name"),
        "description": properties.get("description"),
        "source": "MANUAL",
        "statement": dict(properties["statement"]),
        "created": context.stamp,
        "lastModified": context.stamp,
    }
    context.write(
        [
            (urn, _PROPERTIES, "UPSERT", given_only(value)),
            (urn, _SUBJECTS, "UPSERT", _subjects(given["subjects"])),
        ]
    )
    return context.loader.entity(urn)


def _update(context: Context, arguments: Arguments) -> Entity | None:
    urn, given = arguments["urn"], arguments["input"]
    stored = context.value(urn, _PROPERTIES)
    if stored is None:
        raise NotFound(f"Failed to update Query. Query with urn {urn} does not exist.")
    properties = given_only(given.get("properties") or {})
    value = {**stored, **properties, "lastModified": context.stamp}
    changes: list[tuple[str, str, str, Any]] = [(urn, _PROPERTIES, "UPSERT", value)]
    if given.get("subjects") is not None:
        changes.append((urn, _SUBJECTS, "UPSERT", _subjects(given["subjects"])))
    context.write(changes)
    return context.loader.entity(urn)


def _delete(context: Context, arguments: Arguments) -> bool:
    urn = arguments["urn"]
    if context.value(urn, _PROPERTIES) is None:
        raise NotFound(f"Failed to delete Query. Query with urn {urn} does not exist.")
    remove_entity(context, urn)
    return True


def _list(context: Context, arguments: Arguments) -> dict[str, Any]:
    """The queries, the latest first unless another order is asked for."""
    given = arguments["input"]
    (own,) = every(source=given.get("source"), entities=given.get("datasetUrn"))
    groups = tuple((*group, *own) for group in criteria(given.get("orFilters")) or ((),))
    order = (given.get("sortInput") or {}).get("sortCriterion")
    sort = (order["field"], order["sortOrder"] == "DESCENDING") if order else ("createdAt", True)
    return page(context, "query", "queries", given, groups=groups, sort=[sort], default=10)


def _subject(part: Part, _: Arguments) -> str | None:
    urn: str = part["entity"]
    if Urn.parse(urn).entity_type != "schemaField":
        return urn
    return Urn.parse(urn).parts[0]


def _column(part: Part, _: Arguments) -> str | None:
    urn: str = part["entity"]
    return urn if Urn.parse(urn).entity_type == "schemaField" else None


ROOM = Room(
    schema="queries.graphql",
    queries={"listQueries": _list},
    mutations={"createQuery": _create, "updateQuery": _update, "deleteQuery": _delete},
    fields={
        ("QueryEntity", "properties"): lambda entity, _: entity.aspect(_PROPERTIES) or None,
        ("QueryEntity", "subjects"): lambda entity, _: entity.aspect(_SUBJECTS).get("subjects"),
        ("QueryProperties", "createdOn"): lambda part, _: part.get("created"),
        ("QuerySubject", "dataset"): _subject,
        ("QuerySubject", "schemaField"): _column,
    },
)
