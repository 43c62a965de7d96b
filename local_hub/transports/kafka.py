"""The hub's events on Kafka, as DataHub's own producer writes them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaException, Producer

from dataspoke.core.errors import RetriableError
from dataspoke.local_hub.transports.publisher import EventLog, Message, Publisher

logger = logging.getLogger(__name__)

# librdkafka repeats itself at each attempt to connect; what is wrong, the publisher says once.
_client_logger = logging.getLogger(f"{__name__}.client")
_client_logger.setLevel(logging.CRITICAL)

_DELIVERY_TIMEOUT_MS = 10_000


class KafkaPublisher(Publisher):
    """Writes to the topics of the events; the key is the urn, so an entity keeps its order."""

    def __init__(self, store: EventLog, bootstrap: str) -> None:
        super().__init__(store, cursor="kafka", target=f"Kafka at {bootstrap}")
        self._bootstrap = bootstrap
        self._producer: Producer | None = None

    def publish(self, messages: Sequence[Message]) -> None:
        producer = self._producer = self._producer or self._connect()
        failures: list[str] = []

        def delivered(error: Any, _: Any) -> None:
            if error is not None:
                failures.append(str(error))

        try:
            for message in messages:
                producer.produce(
                    message.topic,
                    value=message.payload,
                    key=message.key.encode(),
                    timestamp=message.created_at,
                    on_delivery=delivered,
                )
                producer.poll(0)
            unsent = producer.flush(2 * _DELIVERY_TIMEOUT_MS / 1000)
        except (KafkaException, BufferError) as exc:
            raise self._failed(str(exc)) from exc
        if failures or unsent:
            raise self._failed(failures[0] if failures else "no answer in time")

    def disconnect(self) -> None:
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(1)
            self._producer = None

    def _connect(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._bootstrap,
                "enable.idempotence": True,
                "message.timeout.ms": _DELIVERY_TIMEOUT_MS,
                "linger.ms": 5,
                "error_cb": lambda error: logger.debug("Kafka: %s", error),
            },
            logger=_client_logger,
        )

    def _failed(self, reason: str) -> RetriableError:
        return RetriableError(
            f"Cannot write events to Kafka at {self._bootstrap}: {reason}. "
            "Start the broker, or correct --kafka."
        )
