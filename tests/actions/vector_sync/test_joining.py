"""Knowing that the stream is joined."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer, TopicPartition
from datahub_actions.pipeline.pipeline_context import PipelineContext
from datahub_actions.plugin.source.kafka.kafka_event_source import KafkaEventSource
from logged_process import free_port
from mock_kafka import MockKafka

from dataspoke.actions.vector_sync import joining
from dataspoke.actions.vector_sync.joining import commit_start, wait_until_joined
from dataspoke.core.errors import RetriableError

TOPIC = "MetadataChangeLog_Versioned_v1"


class OwnSource:
    def __init__(self) -> None:
        self.joined = threading.Event()


def test_our_own_source_says_when() -> None:
    source = OwnSource()
    stop = threading.Event()
    threading.Timer(0.3, source.joined.set).start()
    assert wait_until_joined(source, stop)


def test_a_stop_ends_the_waiting() -> None:
    stop = threading.Event()
    stop.set()
    assert not wait_until_joined(OwnSource(), stop)
    assert not wait_until_joined(object(), stop)


def test_a_source_that_says_nothing_gets_a_moment() -> None:
    assert wait_until_joined(object(), threading.Event(), grace_s=0.01)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockKafka]:
    with MockKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


def kafka_source(kafka: MockKafka, group: str) -> KafkaEventSource:
    config = {"connection": {"bootstrap": kafka.bootstrap}, "topic_routes": {"mcl": TOPIC}}
    return KafkaEventSource.create(config, PipelineContext(group, None))


def offsets(source: KafkaEventSource) -> list[int]:
    partitions = [TopicPartition(TOPIC, number) for number in range(4)]
    return [found.offset for found in source.consumer.committed(partitions, timeout=10)]


def produce(kafka: MockKafka, *partitions: int) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for partition in partitions:
        producer.produce(TOPIC, b"x", partition=partition)
    assert producer.flush(10) == 0


def test_a_new_kafka_group_begins_where_the_log_ended_at_its_first_start(kafka: MockKafka) -> None:
    produce(kafka, 0, 0, 2)
    source = kafka_source(kafka, "new")
    commit_start(source)
    assert offsets(source) == [2, 0, 1, 0]
    produce(kafka, 0)
    commit_start(source)
    assert offsets(source) == [2, 0, 1, 0]
    source.close()


def test_a_kafka_that_is_away_is_to_be_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "_TIMEOUT_S", 0.5)
    config = {"connection": {"bootstrap": f"127.0.0.1:{free_port()}"}}
    source = KafkaEventSource.create(config, PipelineContext("lost", None))
    with pytest.raises(RetriableError, match=r"source\.config\.connection\.bootstrap"):
        commit_start(source)
    source.close()


def test_other_sources_have_nothing_to_commit() -> None:
    commit_start(OwnSource())
    commit_start(None)
