"""When the event stream is joined: from then on no change passes us by.

A reconcile that reads DataHub before that would leave a gap. Our own source says when it has
stored its position. A Kafka group without committed offsets starts at the end of the log anew
at each start, so that the place where it first joined is committed here. Other sources say
nothing: `datahub-cloud` looks back for days and `pg_queue` begins with the oldest message.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

logger = logging.getLogger(__name__)

GRACE_S = 5.0
_POLL_S = 0.2
_TIMEOUT_S = 10.0
_NEVER_COMMITTED = -1001


def wait_until_joined(source: Any, stop: threading.Event, *, grace_s: float = GRACE_S) -> bool:
    """Block until `source` has joined its stream; False when `stop` came first."""
    joined = getattr(source, "joined", None)
    if isinstance(joined, threading.Event):
        while not joined.wait(_POLL_S):
            if stop.is_set():
                return False
        return True
    consumer = getattr(source, "consumer", None)
    if consumer is not None and hasattr(consumer, "assignment"):
        return _wait_for_kafka(consumer, stop)
    return not stop.wait(grace_s)


def _wait_for_kafka(consumer: Any, stop: threading.Event) -> bool:
    while not stop.wait(_POLL_S):
        try:
            assignment = consumer.assignment()
            if assignment:
                _commit_start(consumer, assignment)
                return True
        except Exception as exc:  # a closed consumer, a broker that is away: both may pass
            logger.debug("The Kafka consumer is not ready: %s", exc)
            time.sleep(_POLL_S)
    return False


def _commit_start(consumer: Any, assignment: list[Any]) -> None:
    """Commit the end of the log where the group has no offset yet; safe to repeat.

    Events before that end are in what a reconcile reads after this call.
    """
    fresh = []
    for partition in consumer.committed(assignment, timeout=_TIMEOUT_S):
        if partition.offset == _NEVER_COMMITTED:
            _, high = consumer.get_watermark_offsets(partition, timeout=_TIMEOUT_S)
            partition.offset = high
            fresh.append(partition)
    if fresh:
        consumer.commit(offsets=fresh, asynchronous=False)
