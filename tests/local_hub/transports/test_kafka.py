"""Publishing to a broker that speaks the real protocol."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from event_log import MCL_TOPIC, MemoryEventLog
from logged_process import wait_until
from mock_kafka import MockKafka

from dataspoke.local_hub.transports import kafka
from dataspoke.local_hub.transports.avro import to_avro_bytes
from dataspoke.local_hub.transports.kafka import KafkaPublisher


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MockKafka]:
    with MockKafka(tmp_path) as running:
        yield running


def consume(bootstrap: str, count: int) -> list[tuple[str, bytes, int]]:
    """The first `count` messages of the change log: key, value, timestamp."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "t", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([MCL_TOPIC])
    found: list[tuple[str, bytes, int]] = []
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            key, value = message.key(), message.value()
            assert key is not None
            assert value is not None
            found.append((key.decode(), value, message.timestamp()[1]))
    consumer.close()
    return found


def test_events_arrive_with_key_and_time_and_the_cursor_follows(
    broker: MockKafka, log: MemoryEventLog
) -> None:
    log.add(1, 2)
    publisher = KafkaPublisher(log, broker.bootstrap)
    publisher.start()
    log.add(*range(3, 601))
    wait_until(lambda: log.cursor("kafka") == 600, what="all published")
    publisher.stop()
    found = consume(broker.bootstrap, 600)
    by_key = {key: (value, at) for key, value, at in found}
    assert len(by_key) == 600
    for event in log.events:
        assert by_key[event.key] == (to_avro_bytes(MCL_TOPIC, event.body), event.created_at)


def test_a_new_publisher_goes_on_behind_the_cursor(broker: MockKafka, log: MemoryEventLog) -> None:
    log.add(1, 2, 3)
    log.set_cursor("kafka", 2)
    publisher = KafkaPublisher(log, broker.bootstrap)
    publisher.start()
    wait_until(lambda: log.cursor("kafka") == 3, what="all published")
    publisher.stop()
    assert [key for key, _, _ in consume(broker.bootstrap, 1)] == [log.events[2].key]


@pytest.mark.slow
def test_a_broker_that_is_away_is_waited_for(
    tmp_path: Path, log: MemoryEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    broker = MockKafka(tmp_path)
    log.add(1)
    publisher = KafkaPublisher(log, "127.0.0.1:9")
    publisher.start()
    wait_until(lambda: "Cannot write events to Kafka" in caplog.text, what="a word", timeout=40)
    assert log.cursor("kafka") is None
    with broker:
        publisher._bootstrap = broker.bootstrap
        wait_until(lambda: log.cursor("kafka") == 1, what="published after all", timeout=40)
        publisher.stop()


def test_a_record_that_fits_no_schema_does_not_stop_the_others(
    broker: MockKafka, log: MemoryEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.append(MCL_TOPIC, "urn:li:x", '{"entityType": 5}')
    log.add(1)
    publisher = KafkaPublisher(log, broker.bootstrap)
    publisher.start()
    wait_until(lambda: log.cursor("kafka") == 2, what="all published")
    publisher.stop()
    assert "fits no schema" in caplog.text
    assert [key for key, _, _ in consume(broker.bootstrap, 1)] == [log.events[1].key]


def test_a_broker_that_is_away_is_spoken_of_once(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka, "_DELIVERY_TIMEOUT_MS", 1000)
    log = MemoryEventLog()
    log.add(1)
    publisher = KafkaPublisher(log, "127.0.0.1:9")

    def warnings() -> list[str]:
        return [record.message for record in caplog.records if record.levelname == "WARNING"]

    publisher.start()
    wait_until(lambda: bool(warnings()), what="a word about the broker")
    time.sleep(2)  # time for further attempts
    publisher.stop()

    (said,) = warnings()
    assert "127.0.0.1:9" in said
    assert "Start the broker, or correct --kafka." in said
    assert capfd.readouterr().err == ""
