"""The hub's events in the tables of DataHub's PostgreSQL queue (pgQueue).

DataHub's own set-up creates these tables, partitioned by time and with upkeep by pg_partman. For
the local hub plain tables with the same columns will do; existing ones are left as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg2
from datahub.pgqueue.config import PgQueueTopicDefaultsConfig
from datahub.pgqueue.repository import EnqueueBatchItem, PgQueueRepository

from dataspoke.core.errors import ConfigError, RetriableError
from dataspoke.local_hub.transports.publisher import EventLog, Message, Publisher

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

SCHEMA = "queue"
PREFIX = "metadata_queue"
_PRIORITY = 5
# Two hubs that start together must not create the tables together.
_TABLES_LOCK = 7_305_411_827

_DDL = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.{PREFIX}_content_type (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mime TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.{PREFIX}_topic (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic_name TEXT NOT NULL UNIQUE,
    partition_count INTEGER NOT NULL,
    retention_max_age_seconds BIGINT NOT NULL,
    max_rows_per_topic BIGINT NOT NULL,
    max_total_payload_bytes BIGINT NOT NULL,
    default_content_type_id INTEGER REFERENCES {SCHEMA}.{PREFIX}_content_type (id),
    aggressive_retention BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.{PREFIX}_message (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    enqueued_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    topic_id BIGINT NOT NULL REFERENCES {SCHEMA}.{PREFIX}_topic (id),
    partition_id INTEGER NOT NULL,
    routing_key TEXT,
    enqueue_seq BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    payload BYTEA NOT NULL,
    content_type_id INTEGER REFERENCES {SCHEMA}.{PREFIX}_content_type (id),
    payload_compression SMALLINT NOT NULL DEFAULT 0,
    headers JSONB,
    PRIMARY KEY (id, enqueued_at)
);
CREATE INDEX IF NOT EXISTS {PREFIX}_message_by_seq
    ON {SCHEMA}.{PREFIX}_message (topic_id, partition_id, priority, enqueue_seq);
CREATE INDEX IF NOT EXISTS {PREFIX}_message_last_seq
    ON {SCHEMA}.{PREFIX}_message (topic_id, partition_id, enqueue_seq);
CREATE TABLE IF NOT EXISTS {SCHEMA}.{PREFIX}_consumer_offset (
    consumer_group TEXT NOT NULL,
    topic_id BIGINT NOT NULL,
    partition_id INTEGER NOT NULL,
    offset_value BIGINT NOT NULL,
    epoch BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer_group, topic_id, partition_id)
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.{PREFIX}_message_group_lease (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id BIGINT NOT NULL,
    message_enqueued_at TIMESTAMPTZ NOT NULL,
    consumer_group TEXT NOT NULL,
    lock_owner TEXT NOT NULL,
    locked_until TIMESTAMPTZ NOT NULL,
    UNIQUE (message_id, message_enqueued_at, consumer_group)
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.{PREFIX}_consumer_registration (
    consumer_group TEXT NOT NULL,
    topic_id BIGINT NOT NULL,
    registered_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    last_heartbeat_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    PRIMARY KEY (consumer_group, topic_id)
);
"""


class PgQueuePublisher(Publisher):
    """Enqueues each batch in one transaction; tables and topics are made where they are missing."""

    def __init__(self, store: EventLog, url: str) -> None:
        """`url` is `postgresql://user:password@host:port/database`. Raises ConfigError."""
        parts = urlsplit(url)
        if not parts.scheme.startswith("postgres") or not parts.hostname:
            raise ConfigError(
                "Cannot use --pg-queue: it is no PostgreSQL URL. "
                "Write it as postgresql://user:password@host:5432/database."
            )
        target = f"PostgreSQL at {parts.hostname}:{parts.port or 5432}"
        super().__init__(store, cursor="pg_queue", target=target)
        self._target = target
        self._dsn = parts._replace(scheme="postgresql").geturl()
        self._connection: Connection | None = None
        self._repository = PgQueueRepository(SCHEMA, PREFIX)
        self._topic: dict[str, Any] = _topic_settings(PgQueueTopicDefaultsConfig())

    def publish(self, messages: Sequence[Message]) -> None:
        items = [
            EnqueueBatchItem(
                topic_name=message.topic,
                routing_key=message.key,
                priority=_PRIORITY,
                payload=message.payload,
                content_type="application/avro",
                headers=(),
            )
            for message in messages
        ]
        try:
            connection = self._connection = self._connection or self._connect()
            self._repository.enqueue_batch(connection, items, **self._topic)
        except psycopg2.Error as exc:
            reason = (str(exc).strip() or type(exc).__name__).splitlines()[0]
            raise RetriableError(
                f"Cannot write events to {self._target}: {reason}. "
                "Start the server, or correct --pg-queue."
            ) from exc

    def disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> Connection:
        connection = psycopg2.connect(self._dsn, connect_timeout=10)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_TABLES_LOCK,))
            cursor.execute(_DDL)
        return connection


def _topic_settings(defaults: PgQueueTopicDefaultsConfig) -> dict[str, Any]:
    """What a topic that is missing is created with, as DataHub creates it."""
    return {
        "partition_count": defaults.partition_count,
        "retention_max_age_seconds": defaults.retention_max_age_seconds,
        "max_rows_per_topic": defaults.max_rows_per_topic,
        "max_total_payload_bytes": defaults.max_total_payload_bytes_per_topic,
        "default_content_type_mime": defaults.default_content_type_mime,
        "aggressive_retention": defaults.aggressive_retention,
    }
