"""When the event stream is joined: from then on no change passes us by.

A reconcile that reads DataHub before that would leave a gap. Our own source says when it has
stored its position. A Kafka group without committed offsets starts at the end of the log anew
at each start, so that its place is committed here before it starts for the first time. Other
sources say nothing: `datahub-cloud` looks back for days, `pg_queue` begins with the oldest.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from dataspoke.core.errors import RetriableError

logger = logging.getLogger(__name__)

GRACE_S = 5.0
_POLL_S = 0.2
_TIMEOUT_S = 10.0


def wait_until_joined(source: Any, stop: threading.Event, *, grace_s: float = GRACE_S) -> bool:
    """Block until `source` has joined its stream; False when `stop` came first."""
    if _is_kafka(source):
        return not stop.is_set()
    joined = getattr(source, "joined", None)
    if not isinstance(joined, threading.Event):
        return not stop.wait(grace_s)
    while not joined.wait(_POLL_S):
        if stop.is_set():
            return False
    return True


def commit_start(source: Any) -> None:
    """Commit the end of the log where a Kafka group has no offset yet; nothing for others.

    To be called before the pipeline runs: the consumer must not be used by two threads at
    once. Safe to repeat. Raises RetriableError while Kafka is away.
    """
    if not _is_kafka(source):
        return
    from confluent_kafka import OFFSET_INVALID, KafkaException, TopicPartition

    consumer = source.consumer
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in _topics(source)
            for number in consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        ]
        fresh = []
        for partition in consumer.committed(partitions, timeout=_TIMEOUT_S) if partitions else ():
            if partition.offset == OFFSET_INVALID:
                _, partition.offset = consumer.get_watermark_offsets(partition, timeout=_TIMEOUT_S)
                fresh.append(partition)
    except KafkaException as exc:
        raise RetriableError(
            f"Cannot read the offsets of the consumer group from Kafka: {exc.args[0].str()}. "
            "Start it, or correct source.config.connection.bootstrap."
        ) from exc
    if not fresh:
        return
    try:
        consumer.commit(offsets=fresh, asynchronous=False)
    except KafkaException as exc:
        # Only a group without members lets itself be told where to begin. With a member, a
        # replica of ours, somebody has done this already.
        logger.info("The consumer group begins where its members are: %s", exc.args[0].str())


def _is_kafka(source: Any) -> bool:
    return hasattr(getattr(source, "consumer", None), "get_watermark_offsets")


def _topics(source: Any) -> list[str]:
    from datahub_actions.plugin.source.kafka.kafka_event_source import DEFAULT_TOPIC_ROUTES

    return sorted(set((source.source_config.topic_routes or DEFAULT_TOPIC_ROUTES).values()))
