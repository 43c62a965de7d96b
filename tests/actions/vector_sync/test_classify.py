"""Which changes make which work."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dataspoke.actions.vector_sync.classify import (
    SHOWN_AFTER_MS,
    classify,
    priority_of,
    relevant_aspects,
    rescue,
)
from dataspoke.actions.vector_sync.events import ChangeEvent
from dataspoke.core.entities import SEARCHABLE_ENTITY_TYPES
from dataspoke.core.errors import SkippableError
from dataspoke.core.urns import entity_type_of
from dataspoke.core.work.model import Priority

TABLE = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.orders,PROD)"
TAG = "urn:li:tag:pii"
USER = "urn:li:corpuser:ann"
GROUP = "urn:li:corpGroup:sales"
DOMAIN = "urn:li:domain:d1"
CONTAINER = "urn:li:container:c1"
PROPERTY = "urn:li:structuredProperty:io.acme.retention"
OWNER_TYPE = "urn:li:ownershipType:steward"
TERM = "urn:li:glossaryTerm:Revenue"


def change(
    urn: str,
    aspect: str,
    value: Any = None,
    previous: Any = None,
    *,
    change_type: str = "UPSERT",
    run_id: str = "",
) -> ChangeEvent:
    return ChangeEvent(
        entity_type=entity_type_of(urn),
        urn=urn,
        aspect=aspect,
        change_type=change_type,
        run_id=run_id,
        raw_value=None if value is None else json.dumps(value).encode(),
        raw_previous=None if previous is None else json.dumps(previous).encode(),
    )


CASES = [
    # an entity's own aspects
    (TABLE, "schemaMetadata", {}, None, "UPSERT", ["sync"]),
    (TABLE, "globalTags", {"tags": []}, {"tags": [1]}, "UPSERT", ["sync"]),
    (TABLE, "status", {"removed": True}, None, "UPSERT", ["sync"]),
    (TABLE, "datasetKey", {}, None, "UPSERT", ["sync"]),
    (TABLE, "globalTags", None, {"tags": [1]}, "DELETE", ["sync"]),
    (TABLE, "ownership", {}, {}, "RESTATE", ["sync"]),
    # use and loads of a table; names of owner types and properties
    (TABLE, "datasetUsageStatistics", {"totalSqlQueries": 1}, None, "UPSERT", ["sync"]),
    (TABLE, "operation", {"operationType": "INSERT"}, None, "UPSERT", ["sync"]),
    (
        PROPERTY,
        "propertyDefinition",
        {"displayName": "B"},
        {"displayName": "A"},
        "UPSERT",
        ["fanout"],
    ),
    (OWNER_TYPE, "ownershipTypeInfo", {"name": "B"}, {"name": "A"}, "UPSERT", ["fanout"]),
    # what the index does not show
    (TABLE, "datasetProfile", {"rowCount": 1}, None, "UPSERT", []),
    (TABLE, "institutionalMemory", {}, None, "UPSERT", []),
    (TABLE, "inventedAspect", {}, None, "UPSERT", []),
    ("urn:li:query:q", "queryProperties", {"name": "x"}, None, "UPSERT", []),
    ("urn:li:dataHubExecutionRequest:e", "dataHubExecutionRequestInput", {}, None, "UPSERT", []),
    # names that others repeat
    (TAG, "tagProperties", {"name": "B"}, {"name": "A"}, "UPSERT", ["sync", "fanout"]),
    (TAG, "tagProperties", {"name": "A"}, {"name": "A", "description": "x"}, "UPSERT", ["sync"]),
    (TERM, "glossaryTermInfo", {"name": "B"}, {"name": "A"}, "UPSERT", ["sync", "fanout"]),
    (DOMAIN, "domainProperties", {"name": "B"}, {"name": "A"}, "UPSERT", ["sync", "fanout"]),
    (CONTAINER, "containerProperties", {"name": "B"}, {"name": "A"}, "UPSERT", ["sync", "fanout"]),
    (TABLE, "datasetProperties", {"name": "B"}, {"name": "A"}, "UPSERT", ["sync", "fanout"]),
    (TABLE, "editableDatasetProperties", {"name": "B"}, {}, "UPSERT", ["sync", "fanout"]),
    (TABLE, "editableDatasetProperties", {"description": "B"}, {}, "UPSERT", ["sync"]),
    (USER, "corpUserInfo", {"displayName": "B"}, {"displayName": "A"}, "UPSERT", ["fanout"]),
    (USER, "corpUserEditableInfo", {"displayName": "B"}, {}, "UPSERT", ["fanout"]),
    (USER, "corpUserInfo", {"displayName": "A", "title": "x"}, {"displayName": "A"}, "UPSERT", []),
    (USER, "corpUserStatus", {"status": "x"}, None, "UPSERT", []),
    (GROUP, "corpGroupInfo", {"displayName": "B"}, {"displayName": "A"}, "UPSERT", ["fanout"]),
    # a new name: documents that refer to it already show the last part of its urn
    (TAG, "tagProperties", {"name": "pii"}, None, "UPSERT", ["sync"]),
    (TAG, "tagProperties", {"name": "Personal data"}, None, "UPSERT", ["sync", "fanout"]),
    (TABLE, "datasetProperties", {"name": "orders"}, None, "UPSERT", ["sync"]),
    (TABLE, "datasetProperties", {"description": "x"}, None, "UPSERT", ["sync"]),
    (CONTAINER, "containerProperties", {"name": "public"}, None, "UPSERT", ["sync", "fanout"]),
    # a restore repeats what is known
    (TAG, "tagProperties", {"name": "Personal data"}, None, "RESTATE", ["sync"]),
    # the name aspect goes, the urn's own name comes back
    (TAG, "tagProperties", None, {"name": "A"}, "DELETE", ["sync", "fanout"]),
    # the entity goes
    (TABLE, "datasetKey", None, {}, "DELETE", ["sync", "fanout"]),
    (USER, "corpUserKey", None, {}, "DELETE", ["fanout"]),
]


@pytest.mark.parametrize(("urn", "aspect", "value", "previous", "change_type", "kinds"), CASES)
def test_a_change_makes_the_work_that_it_needs(
    urn: str, aspect: str, value: Any, previous: Any, change_type: str, kinds: list[str]
) -> None:
    work = classify(change(urn, aspect, value, previous, change_type=change_type))
    assert [one.kind for one in work] == kinds
    assert all(one.key == urn and one.point == 0 for one in work)


def test_only_a_deleted_key_is_evidence_of_a_deletion() -> None:
    (sync, fanout) = classify(change(TABLE, "datasetKey", None, {}, change_type="DELETE"))
    assert sync.payload == {"deleted": True}
    assert fanout.payload == {}
    (sync,) = classify(change(TABLE, "globalTags", None, {}, change_type="DELETE"))
    assert sync.payload == {}


@pytest.mark.parametrize(
    ("change_type", "run_id", "priority"),
    [
        ("UPSERT", "", Priority.EDIT),
        ("UPSERT", "postgres-2026_01_01", Priority.INGEST),
        ("RESTATE", "", Priority.BACKFILL),
        ("RESTATE", "postgres-2026_01_01", Priority.BACKFILL),
    ],
)
def test_people_go_before_connectors_and_those_before_restores(
    change_type: str, run_id: str, priority: Priority
) -> None:
    event = change(TABLE, "ownership", {}, change_type=change_type, run_id=run_id)
    assert priority_of(event) is priority
    assert classify(event)[0].priority is priority


def test_an_unreadable_name_is_said_and_its_entity_is_looked_at_all_the_same() -> None:
    event = ChangeEvent("tag", TAG, "tagProperties", "UPSERT", raw_value=b"{not json")
    with pytest.raises(SkippableError, match="tagProperties of urn:li:tag:pii"):
        classify(event)
    assert [one.kind for one in rescue(event)] == ["sync"]
    user = ChangeEvent("corpuser", USER, "corpUserInfo", "UPSERT", raw_value=b"[]")
    with pytest.raises(SkippableError, match="not an object"):
        classify(user)
    assert rescue(user) == ()


def test_every_searchable_type_has_aspects_that_matter() -> None:
    aspects = relevant_aspects()
    assert set(SEARCHABLE_ENTITY_TYPES) < set(aspects)
    assert "schemaMetadata" in aspects["dataset"]
    assert "datasetKey" in aspects["dataset"]
    assert all(aspects.values())


def test_a_point_of_a_timeseries_is_read_once_the_server_shows_it() -> None:
    event = replace(change(TABLE, "datasetUsageStatistics", {}), created_ms=1_000)
    (work,) = classify(event)
    assert (work.not_before, work.priority) == (1_000 + SHOWN_AFTER_MS, Priority.BACKFILL)
