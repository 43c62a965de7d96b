"""Batches on their way from the pollers to the pipeline's thread.

A lane per topic holds a few batches, and a full lane blocks its poller. A batch that was
delivered and not wholly acknowledged is held at the head of its lane: nothing of the topic
overtakes it, other topics go on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from datahub_actions.event.event_envelope import EventEnvelope

LANE_LENGTH = 2


@dataclass(frozen=True, slots=True)
class BadEvent:
    """An event that could not be read; `index` is its place in the answer."""

    index: int
    value: object
    reason: str
    error_type: str


@dataclass(slots=True)
class Batch:
    """One answer of a poll. `offset` may be stored once `pending` is empty.

    `pending` are the indexes of envelopes that wait for their acknowledgement.
    """

    topic: str
    offset: str
    envelopes: Sequence[EventEnvelope] = ()
    bad: Sequence[BadEvent] = ()
    dropped: int = 0
    pending: set[int] = field(default_factory=set)
    deliveries: int = 0

    def expect_all(self) -> None:
        """Begin a delivery: every envelope waits again."""
        self.pending = set(range(len(self.envelopes)))
        self.deliveries += 1


@dataclass(slots=True)
class _Lane:
    waiting: deque[Batch] = field(default_factory=deque)
    held: Batch | None = None
    due: float = 0.0


class Inbox:
    """All methods may be called from any thread."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._changed = threading.Condition()
        self._lanes = {topic: _Lane() for topic in topics}
        self._order = deque(topics)
        self._failure: Exception | None = None
        self._stopped = False

    def put(self, batch: Batch) -> bool:
        """Add a batch, waiting for room; False once stopped."""
        lane = self._lanes[batch.topic]
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(lane.waiting) < LANE_LENGTH)
            if self._stopped:
                return False
            lane.waiting.append(batch)
            self._changed.notify_all()
            return True

    def fail(self, failure: Exception) -> None:
        """Hand an error to the pipeline's thread; the first one counts."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def take(self) -> Batch | None:
        """The next batch to deliver or to finish, topics in turn; None once stopped.

        A held batch comes when it was acknowledged late or is due again. Raises what `fail`
        was given, after the batches that are waiting.
        """
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                for topic in tuple(self._order):
                    batch = self._ready(self._lanes[topic], now)
                    if batch is not None:
                        self._order.remove(topic)
                        self._order.append(topic)
                        self._changed.notify_all()
                        return batch
                if self._failure is not None:
                    raise self._failure
                dues = [lane.due for lane in self._lanes.values() if lane.held is not None]
                self._changed.wait(max(0.0, min(dues) - now) if dues else None)
            return None

    def hold(self, batch: Batch, seconds: float) -> None:
        """Keep the head of the lane for `batch`, due again in `seconds`."""
        with self._changed:
            lane = self._lanes[batch.topic]
            lane.held, lane.due = batch, time.monotonic() + seconds

    def ack(self, batch: Batch, index: int) -> None:
        """Note an acknowledgement; it may come from any thread, and late."""
        with self._changed:
            batch.pending.discard(index)
            if not batch.pending and self._lanes[batch.topic].held is batch:
                self._changed.notify_all()

    @staticmethod
    def _ready(lane: _Lane, now: float) -> Batch | None:
        if lane.held is not None:
            if lane.held.pending and lane.due > now:
                return None
            batch, lane.held = lane.held, None
            return batch
        return lane.waiting.popleft() if lane.waiting else None
