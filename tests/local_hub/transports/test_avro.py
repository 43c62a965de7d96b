"""Avro as DataHub writes it, checked with independent readers."""

from __future__ import annotations

import io
import json
from typing import Any

import avro.io
import avro.schema
import fastavro
import pytest
from event_log import change_log_record
from hypothesis import given, settings
from hypothesis import strategies as st

from dataspoke.local_hub.transports import avro as hub_avro

PLATFORM_EVENT = {
    "header": {"timestampMillis": 3},
    "name": "entityChangeEvent",
    "payload": {"value": '{"modifier": "é"}', "contentType": "application/json"},
}


def test_unions_are_wrapped_and_bytes_are_one_character_each() -> None:
    value = json.loads(hub_avro.to_avro_json(hub_avro.MCL_TOPIC, change_log_record(1)))
    assert list(value) == [
        field["name"] for field in json.loads(hub_avro.schema_of(hub_avro.MCL_TOPIC).text)["fields"]
    ]
    assert value["entityType"] == "dataset"
    assert value["entityUrn"] == {"string": change_log_record(1)["entityUrn"]}
    assert value["auditHeader"] is None
    aspect = value["aspect"]["com.linkedin.pegasus2avro.mxe.GenericAspect"]
    assert aspect["value"] == '{"description": "cafÃ© 1"}'
    system = value["systemMetadata"]["com.linkedin.pegasus2avro.mxe.SystemMetadata"]
    assert system["lastObserved"] == {"long": 1}
    assert system["properties"] == {"map": {"a": "b"}}
    assert system["lastRunId"] == {"string": "no-run-id-provided"}
    created = value["created"]["com.linkedin.pegasus2avro.common.AuditStamp"]
    assert created == {
        "time": 5,
        "actor": "urn:li:corpuser:datahub",
        "impersonator": None,
        "message": None,
    }


@pytest.mark.parametrize(
    ("topic", "record"),
    [
        (hub_avro.MCL_TOPIC, change_log_record(1)),
        (hub_avro.TIMESERIES_TOPIC, change_log_record(2)),
        (hub_avro.PLATFORM_EVENT_TOPIC, PLATFORM_EVENT),
    ],
)
def test_what_fastavro_writes_as_json_is_the_same(topic: str, record: dict[str, Any]) -> None:
    schema = json.loads(hub_avro.schema_of(topic).text)
    raw = hub_avro.to_avro_bytes(topic, record)
    values = fastavro.schemaless_reader(io.BytesIO(raw[5:]), fastavro.parse_schema(schema), None)
    out = io.StringIO()
    fastavro.json_writer(out, schema, [values])
    assert json.loads(hub_avro.to_avro_json(topic, json.dumps(record))) == json.loads(
        out.getvalue()
    )


def test_the_header_names_the_schema() -> None:
    raw = hub_avro.to_avro_bytes(hub_avro.PLATFORM_EVENT_TOPIC, PLATFORM_EVENT)
    assert raw[0] == 0
    schema_id = int.from_bytes(raw[1:5], "big")
    found = hub_avro.schema_by_id(schema_id)
    assert found == hub_avro.schema_of(hub_avro.PLATFORM_EVENT_TOPIC)
    reader = avro.io.DatumReader(avro.schema.parse(found.text))
    record = reader.read(avro.io.BinaryDecoder(io.BytesIO(raw[5:])))
    assert record == PLATFORM_EVENT | {
        "payload": {"value": '{"modifier": "é"}'.encode(), "contentType": "application/json"}
    }


@settings(max_examples=50, deadline=None)
@given(text=st.text())
def test_any_text_in_an_aspect_survives_both_forms(text: str) -> None:
    record = change_log_record(1) | {"aspect": {"value": text, "contentType": "x"}}
    wrapped = json.loads(hub_avro.to_avro_json(hub_avro.MCL_TOPIC, record))["aspect"]
    written = wrapped["com.linkedin.pegasus2avro.mxe.GenericAspect"]["value"]
    assert written.encode("latin-1").decode() == text
    raw = hub_avro.to_avro_bytes(hub_avro.MCL_TOPIC, record)
    schema = fastavro.parse_schema(json.loads(hub_avro.schema_of(hub_avro.MCL_TOPIC).text))
    values = fastavro.schemaless_reader(io.BytesIO(raw[5:]), schema, None)
    assert isinstance(values, dict)
    assert values["aspect"] == {"value": text.encode(), "contentType": "x"}


def test_an_unknown_topic_is_an_error() -> None:
    with pytest.raises(KeyError):
        hub_avro.to_avro_json("Nope_v1", {})
    assert hub_avro.schema_by_id(99) is None
