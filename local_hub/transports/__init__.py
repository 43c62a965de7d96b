"""How the hub's events leave it: Avro JSON for the poll API, Avro bytes for Kafka and pgQueue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataspoke.local_hub.transports.publisher import EventLog, Publisher


@contextmanager
def publishing(store: EventLog, *, kafka: str | None, pg_queue: str | None) -> Iterator[None]:
    """Publish to the Kafka (HOST:PORT) and the PostgreSQL (URL) that are given, while inside.

    Raises ConfigError for a URL that is none.
    """
    publishers: list[Publisher] = []
    # Their clients are heavy, and a hub without them starts in half the time.
    if kafka:
        from dataspoke.local_hub.transports.kafka import KafkaPublisher

        publishers.append(KafkaPublisher(store, kafka))
    if pg_queue:
        from dataspoke.local_hub.transports.pg_queue import PgQueuePublisher

        publishers.append(PgQueuePublisher(store, pg_queue))
    for publisher in publishers:
        publisher.start()
    try:
        yield
    finally:
        for publisher in publishers:
            publisher.stop()
