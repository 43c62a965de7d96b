from __future__ import annotations

import json
from typing import Any

import pytest

from dataspoke.local_hub.change_events import compare, entity_change_events
from dataspoke.local_hub.mcl import change_log

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,a,PROD)"
COLUMN = f"urn:li:schemaField:({URN},c)"
TAG = "urn:li:tag:a"


def _column(**more: Any) -> dict[str, Any]:
    return {"fieldPath": "c", "nativeDataType": "int", **more}


def _short(change: dict[str, Any]) -> tuple[str, str, str | None]:
    return change["category"], change["operation"], change.get("modifier")


@pytest.mark.parametrize(
    ("aspect", "old", "new", "changes"),
    [
        ("globalTags", None, {"tags": [{"tag": TAG}]}, [("TAG", "ADD", TAG)]),
        ("globalTags", {"tags": [{"tag": TAG}]}, {"tags": []}, [("TAG", "REMOVE", TAG)]),
        ("globalTags", {"tags": [{"tag": TAG}]}, None, [("TAG", "REMOVE", TAG)]),
        ("globalTags", {"tags": []}, {"tags": []}, []),
        ("glossaryTerms", None, {"terms": [{"urn": "t"}]}, [("GLOSSARY_TERM", "ADD", "t")]),
        ("ownership", None, {"owners": [{"owner": "u"}]}, [("OWNERSHIP", "ADD", "u")]),
        (
            "domains",
            {"domains": ["d1"]},
            {"domains": ["d2"]},
            [("DOMAIN", "REMOVE", "d1"), ("DOMAIN", "ADD", "d2")],
        ),
        ("status", None, {"removed": False}, [("LIFECYCLE", "REINSTATE", None)]),
        ("status", {"removed": False}, {"removed": True}, [("LIFECYCLE", "SOFT_DELETE", None)]),
        (
            "deprecation",
            None,
            {"deprecated": True},
            [("DEPRECATION", "MODIFY", "DEPRECATED")],
        ),
        (
            "editableDatasetProperties",
            {"description": "x"},
            {"description": "y"},
            [("DOCUMENTATION", "MODIFY", None)],
        ),
        ("datasetProperties", None, {"description": "x"}, [("DOCUMENTATION", "ADD", None)]),
        ("datasetProperties", {"description": "x"}, {}, [("DOCUMENTATION", "REMOVE", None)]),
        ("datasetProperties", {"description": "x"}, {"description": "x", "name": "n"}, []),
        ("schemaMetadata", None, {"fields": [_column()]}, [("TECHNICAL_SCHEMA", "ADD", COLUMN)]),
        (
            "schemaMetadata",
            {"fields": [_column()]},
            {"fields": []},
            [("TECHNICAL_SCHEMA", "REMOVE", COLUMN)],
        ),
        (
            "schemaMetadata",
            {"fields": [_column()]},
            {"fields": [_column(nativeDataType="text")]},
            [("TECHNICAL_SCHEMA", "MODIFY", COLUMN)],
        ),
        (
            "schemaMetadata",
            {"fields": [_column()]},
            {"fields": [_column(globalTags={"tags": [{"tag": TAG}]}, description="d")]},
            [("DOCUMENTATION", "ADD", None), ("TAG", "ADD", TAG)],
        ),
        (
            "editableSchemaMetadata",
            None,
            {
                "editableSchemaFieldInfo": [
                    {"fieldPath": "c", "glossaryTerms": {"terms": [{"urn": "t"}]}}
                ]
            },
            [("GLOSSARY_TERM", "ADD", "t")],
        ),
        (
            "structuredProperties",
            {"properties": [{"propertyUrn": "p", "values": [{"double": 1.0}]}]},
            {"properties": [{"propertyUrn": "p", "values": [{"double": 2.0}]}]},
            [("STRUCTURED_PROPERTY", "MODIFY", "p")],
        ),
        (
            "incidentInfo",
            {"status": {"state": "ACTIVE"}},
            {"status": {"state": "RESOLVED"}},
            [("INCIDENT", "RESOLVED", None)],
        ),
        (
            "assertionRunEvent",
            None,
            {"status": "COMPLETE", "result": {"type": "FAILURE"}},
            [("RUN", "COMPLETED", None)],
        ),
        ("browsePathsV2", None, {"path": []}, []),
    ],
)
def test_changes_are_told_by_comparing(
    aspect: str, old: Any, new: Any, changes: list[tuple[str, str, str | None]]
) -> None:
    assert [_short(change) for change in compare(URN, aspect, old, new, is_key=False)] == changes


def test_a_key_tells_of_birth_and_death() -> None:
    key = {"name": "x"}
    assert [_short(c) for c in compare(URN, "tagKey", None, key, is_key=True)] == [
        ("LIFECYCLE", "CREATE", None)
    ]
    assert [_short(c) for c in compare(URN, "tagKey", key, None, is_key=True)] == [
        ("LIFECYCLE", "HARD_DELETE", None)
    ]


def test_the_description_of_a_column_is_a_change_of_the_column() -> None:
    new = {"fields": [_column(description="d")]}
    (change,) = compare(URN, "schemaMetadata", {"fields": [_column()]}, new, is_key=False)
    (event,) = entity_change_events("dataset", URN, [change], actor="urn:li:corpuser:x", now=1)
    payload = json.loads(json.loads(event[3])["payload"]["value"])
    assert (payload["entityType"], payload["entityUrn"]) == ("schemaField", COLUMN)


def test_an_entity_change_event_carries_text_as_it_is() -> None:
    change = {"category": "DOCUMENTATION", "operation": "ADD", "parameters": {"d": 'é "\n'}}
    (event,) = entity_change_events("dataset", URN, [change], actor="a", now=7)
    topic, key, at, body = event
    record = json.loads(body)
    assert (topic, key, at) == ("PlatformEvent_v1", URN, 7)
    assert record["header"] == {"timestampMillis": 7}
    assert json.loads(record["payload"]["value"])["parameters"] == {"d": 'é "\n'}


def test_a_change_log_leaves_out_what_is_absent() -> None:
    event = change_log(
        topic="T",
        entity_type="dataset",
        urn=URN,
        change="DELETE",
        aspect_name="status",
        value=None,
        meta=None,
        previous_value='{"removed":false}',
        previous_meta='{"runId":"r"}',
        stamp='{"time":1,"actor":"urn:li:corpuser:x"}',
        now=1,
    )
    assert json.loads(event[3]) == {
        "entityType": "dataset",
        "entityUrn": URN,
        "changeType": "DELETE",
        "aspectName": "status",
        "previousAspectValue": {"value": '{"removed":false}', "contentType": "application/json"},
        "previousSystemMetadata": {"runId": "r"},
        "created": {"time": 1, "actor": "urn:li:corpuser:x"},
    }
