"""Publishing to a real PostgreSQL, read by the stock consumer."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest
from datahub.metadata.schema_classes import MetadataChangeLogClass
from datahub.pgqueue.config import PgQueueConsumerConfig
from datahub.pgqueue.consumer import DatahubPgQueueConsumer
from event_log import MCL_TOPIC, MemoryEventLog
from logged_process import wait_until
from postgres_server import PostgresServer

from dataspoke.core.errors import ConfigError
from dataspoke.local_hub.transports.pg_queue import PgQueuePublisher


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("pg"), fsync=False) as running:
        yield running


@pytest.fixture
def empty(server: PostgresServer) -> PostgresServer:
    connection = psycopg2.connect(server.url)
    with connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS queue CASCADE")
    connection.close()
    return server


def consumer(server: PostgresServer, registry_url: str) -> DatahubPgQueueConsumer:
    return DatahubPgQueueConsumer(
        PgQueueConsumerConfig.model_validate(
            {
                "queue": {
                    "host_port": server.host_port,
                    "database": "postgres",
                    "username": "postgres",
                    "password": server.password,
                },
                "schema_registry_url": registry_url,
                "topic_routes": {"mcl": MCL_TOPIC, "MetadataChangeProposal": "unused"},
                "payload_kind_by_route_key": {"mcl": "mcl"},
                "consumer_group": "test",
                "visibility_timeout_seconds": 5,
            }
        )
    )


def test_the_stock_consumer_reads_every_event_once(
    empty: PostgresServer, registry_url: str, log: MemoryEventLog
) -> None:
    log.add(*range(150))
    publisher = PgQueuePublisher(log, empty.url)
    publisher.start()
    wait_until(lambda: log.cursor("pg_queue") == 150, what="all enqueued")
    publisher.stop()
    reader = consumer(empty, registry_url)
    found: list[str] = []
    while records := reader.poll_route_key("mcl", max_messages=60):
        for record in records:
            assert isinstance(record.record, MetadataChangeLogClass)
            assert record.record.aspect is not None
            assert "café" in record.record.aspect.value.decode()
            assert record.raw.routing_key == record.record.entityUrn
            found.append(str(record.record.entityUrn))
        reader.ack_records(records)
    reader.close()
    reader._avro_deserializer._registry.close()  # its own close() forgets this one
    assert sorted(found) == sorted(event.key for event in log.events)


def test_tables_that_are_there_are_kept_and_the_cursor_is_respected(
    empty: PostgresServer, log: MemoryEventLog
) -> None:
    for numbers in ((1, 2), (3,)):
        log.add(*numbers)
        publisher = PgQueuePublisher(log, empty.url)
        publisher.start()
        wait_until(lambda: log.cursor("pg_queue") == len(log.events), what="all enqueued")
        publisher.stop()
    connection = psycopg2.connect(empty.url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT routing_key FROM queue.metadata_queue_message ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == [event.key for event in log.events]
    connection.close()


def test_a_server_that_is_away_is_waited_for(
    empty: PostgresServer, log: MemoryEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = PgQueuePublisher(log, empty.url)
    publisher.start()
    log.add(1)
    wait_until(lambda: log.cursor("pg_queue") == 1, what="the first")
    empty.stop(immediate=True)
    log.add(2)
    wait_until(lambda: "Cannot write events to PostgreSQL" in caplog.text, what="a word")
    assert empty.password not in caplog.text
    empty.start()
    wait_until(lambda: log.cursor("pg_queue") == 2, what="the second")
    publisher.stop()


@pytest.mark.parametrize("url", ["mysql://a@b/c", "postgresql:///x", "secret"])
def test_a_url_of_something_else_is_refused_without_repeating_it(
    log: MemoryEventLog, url: str
) -> None:
    with pytest.raises(ConfigError, match=r"Cannot use --pg-queue: ") as refused:
        PgQueuePublisher(log, url)
    assert url not in str(refused.value)
