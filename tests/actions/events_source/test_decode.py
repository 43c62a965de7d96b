"""Decoding: the same event as the stock source builds, but with its text intact."""

from __future__ import annotations

import json
from typing import Any

import pytest
from datahub_actions.event.event_registry import (
    EntityChangeEvent,
    MetadataChangeLogEvent,
    RelationshipChangeEvent,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from dataspoke.actions.events_source.decode import decode
from dataspoke.actions.events_source.early_filter import EarlyFilter
from dataspoke.core.errors import SkippableError
from dataspoke.local_hub.transports.avro import (
    MCL_TOPIC,
    PLATFORM_EVENT_TOPIC,
    to_avro_json,
)

ALL = EarlyFilter()
URN = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.orders,PROD)"


def aspect(value: Any) -> dict[str, str]:
    return {"value": json.dumps(value, ensure_ascii=False), "contentType": "application/json"}


STAMP = {"time": 7, "actor": "urn:li:corpuser:ann"}
SYSTEM = {
    "lastObserved": 3,
    "runId": "run",
    "lastRunId": "last",
    "pipelineName": "pipe",
    "registryName": "reg",
    "registryVersion": "0",
    "properties": {"a": "b", "string": "c"},
    "version": "2",
    "schemaVersion": 1,
    "aspectCreated": STAMP | {"impersonator": "urn:li:corpuser:x", "message": "m"},
    "aspectModified": STAMP,
}
LEAST = {"entityType": "dataset", "changeType": "UPSERT"}
RECORDS = [
    LEAST,
    LEAST | {"entityUrn": URN, "aspectName": "status", "aspect": aspect({"removed": False})},
    LEAST | {"entityUrn": URN, "systemMetadata": {}, "created": STAMP},
    LEAST | {"systemMetadata": SYSTEM, "previousSystemMetadata": SYSTEM, "headers": {"map": "x"}},
    LEAST | {"systemMetadata": {"properties": {"string": "only"}}, "headers": {}},
    {
        "entityType": "dataset",
        "entityUrn": URN,
        "entityKeyAspect": aspect({"name": "orders"}),
        "changeType": "DELETE",
        "aspectName": "datasetKey",
        "previousAspectValue": aspect({"name": "x" * 100}),
        "created": STAMP,
    },
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_change_log_event_equals_the_one_of_the_stock_source(record: dict[str, Any]) -> None:
    value = to_avro_json(MCL_TOPIC, record)
    stock = MetadataChangeLogEvent.from_json(value)
    decoded = decode(MCL_TOPIC, value, ALL)
    assert decoded is not None
    event_type, event = decoded
    assert event_type == "MetadataChangeLogEvent_v1"
    assert type(event) is MetadataChangeLogEvent
    assert event == stock
    assert event.validate()
    assert event.as_json() == stock.as_json()
    assert list(event._inner_dict) == list(stock._inner_dict)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=40),
    properties=st.none() | st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
)
def test_any_text_survives(text: str, properties: dict[str, str] | None) -> None:
    record = LEAST | {
        "aspect": aspect({"description": text}),
        "systemMetadata": {"properties": properties, "runId": text},
    }
    decoded = decode(MCL_TOPIC, to_avro_json(MCL_TOPIC, record), ALL)
    assert decoded is not None
    event = decoded[1]
    assert isinstance(event, MetadataChangeLogEvent)
    assert event.aspect is not None
    assert event.systemMetadata is not None
    assert json.loads(event.aspect.value) == {"description": text}
    assert event.systemMetadata.runId == text
    assert event.systemMetadata.properties == properties


def test_the_stock_source_garbles_what_we_read() -> None:
    value = to_avro_json(MCL_TOPIC, LEAST | {"aspect": aspect({"name": "café"})})
    stock = MetadataChangeLogEvent.from_json(value)
    assert isinstance(stock, MetadataChangeLogEvent)
    assert stock.aspect is not None
    assert json.loads(stock.aspect.value) == {"name": "cafÃ©"}


def test_bytes_that_a_server_writes_as_plain_text_are_understood() -> None:
    plain = LEAST | {"aspect": aspect({"name": "日本, café"})}
    decoded = decode(MCL_TOPIC, json.dumps(plain), ALL)
    assert decoded is not None
    assert isinstance(decoded[1], MetadataChangeLogEvent)
    assert decoded[1].aspect is not None
    assert json.loads(decoded[1].aspect.value) == {"name": "日本, café"}


def test_a_field_that_only_a_newer_server_knows_is_passed_over() -> None:
    value = json.loads(to_avro_json(MCL_TOPIC, LEAST)) | {"novelty": {"string": "x"}}
    assert decode(MCL_TOPIC, json.dumps(value), ALL) is not None


def platform_event(name: str, payload: dict[str, Any]) -> str:
    record = {"header": {"timestampMillis": 1}, "name": name, "payload": aspect(payload)}
    return to_avro_json(PLATFORM_EVENT_TOPIC, record)


ENTITY_CHANGE = {
    "entityType": "dataset",
    "entityUrn": URN,
    "category": "TAG",
    "operation": "ADD",
    "modifier": "urn:li:tag:Präzise",
    "parameters": {"tagUrn": "urn:li:tag:Präzise", "deep": {"a": [1]}},
    "auditStamp": STAMP,
    "version": 0,
}


def test_an_entity_change_event_keeps_its_parameters_and_its_text() -> None:
    decoded = decode(PLATFORM_EVENT_TOPIC, platform_event("entityChangeEvent", ENTITY_CHANGE), ALL)
    assert decoded is not None
    event_type, event = decoded
    assert event_type == "EntityChangeEvent_v1"
    assert isinstance(event, EntityChangeEvent)
    assert event.modifier == "urn:li:tag:Präzise"
    assert event.safe_parameters == ENTITY_CHANGE["parameters"]


def test_a_relationship_change_event_is_one() -> None:
    payload = {
        "sourceUrn": URN,
        "destinationUrn": "urn:li:corpuser:ann",
        "operation": "ADD",
        "relationshipType": "OwnedBy",
        "auditStamp": STAMP,
    }
    value = platform_event("relationshipChangeEvent", payload)
    decoded = decode(PLATFORM_EVENT_TOPIC, value, ALL)
    assert decoded is not None
    assert decoded[0] == "RelationshipChangeEvent_v1"
    assert isinstance(decoded[1], RelationshipChangeEvent)


def test_a_platform_event_of_another_kind_is_for_nobody() -> None:
    assert decode(PLATFORM_EVENT_TOPIC, platform_event("notificationRequestEvent", {}), ALL) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "{",
        "[]",
        "{}",
        json.dumps({"entityType": "dataset"}),
        json.dumps({"entityType": {"a": 1}, "changeType": "UPSERT"}),
        json.dumps({"entityType": "dataset", "changeType": "EXPLODE"}),
        json.dumps({"entityType": "dataset", "changeType": ["UPSERT"]}),
        json.dumps(LEAST | {"entityUrn": 5}),
        json.dumps(LEAST | {"aspect": "text"}),
        json.dumps(LEAST | {"aspect": {"value": 5, "contentType": "x"}}),
        json.dumps(LEAST | {"aspect": {"value": "x"}}),
        json.dumps(LEAST | {"created": {"actor": "urn:li:corpuser:a"}}),
        json.dumps(LEAST | {"created": {"actor": "urn:li:corpuser:a", "time": "now"}}),
        json.dumps(LEAST | {"systemMetadata": {"lastObserved": True}}),
        json.dumps(LEAST | {"headers": {"a": 1}}),
    ],
)
@pytest.mark.parametrize("topic", [MCL_TOPIC, PLATFORM_EVENT_TOPIC])
def test_what_is_no_event_is_refused_with_a_reason(topic: str, value: str | None) -> None:
    with pytest.raises(SkippableError, match=f"Cannot read an event of {topic}: "):
        decode(topic, value, ALL)
