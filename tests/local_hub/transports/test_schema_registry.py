"""The registry through the client that Kafka consumers use."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from event_log import MCL_TOPIC, change_log_record

from dataspoke.local_hub.transports import avro

SUBJECT = f"{MCL_TOPIC}-value"


@pytest.fixture
def client(registry_url: str) -> Iterator[SchemaRegistryClient]:
    made = SchemaRegistryClient({"url": registry_url})
    yield made
    made.close()


def test_the_stock_deserializer_reads_what_the_hub_writes(client: SchemaRegistryClient) -> None:
    read = AvroDeserializer(schema_registry_client=client, return_record_name=True)
    raw = avro.to_avro_bytes(MCL_TOPIC, change_log_record(3))
    record = read(raw, SerializationContext(MCL_TOPIC, MessageField.VALUE))
    assert isinstance(record, dict)
    assert record["entityUrn"] == change_log_record(3)["entityUrn"]


def test_a_known_schema_may_be_registered_again(client: SchemaRegistryClient) -> None:
    known = avro.schema_of(MCL_TOPIC)
    spaced = json.dumps(json.loads(known.text), indent=2)
    assert client.register_schema(SUBJECT, Schema(spaced, "AVRO")) == known.id
    assert client.lookup_schema(SUBJECT, Schema(known.text, "AVRO")).schema_id == known.id
    assert client.get_latest_version(SUBJECT).schema_id == known.id
    assert SUBJECT in client.get_subjects()


@pytest.mark.parametrize(
    ("subject", "schema"),
    [("other-value", '"string"'), (SUBJECT, '"string"'), (SUBJECT, "no json")],
)
def test_nothing_else_can_be_registered(
    client: SchemaRegistryClient, subject: str, schema: str
) -> None:
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema(subject, Schema(schema, "AVRO"))
    assert refused.value.http_status_code == 404


def test_an_unknown_schema_or_subject_is_a_404(client: SchemaRegistryClient) -> None:
    with pytest.raises(SchemaRegistryError) as unknown_id:
        client.get_schema(77)
    assert (unknown_id.value.http_status_code, unknown_id.value.error_code) == (404, 40403)
    with pytest.raises(SchemaRegistryError) as unknown_subject:
        client.get_latest_version("nope-value")
    assert unknown_subject.value.error_code == 40401
