"""Follow the hub's events and hand them on, at least once and in order."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from dataspoke.core.errors import RetriableError
from dataspoke.core.telemetry.outage import Outage, delay_s
from dataspoke.local_hub.transports.avro import to_avro_bytes

logger = logging.getLogger(__name__)

_BATCH = 500
_IDLE_S = 0.5


class Event(Protocol):
    """A row of the hub's event log; `body` is the record as plain JSON."""

    @property
    def offset(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def body(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way: `payload` is Avro with Confluent's header."""

    topic: str
    key: str
    created_at: int
    payload: bytes


class EventLog(Protocol):
    """What is needed of the hub's store; every method may be called from any thread."""

    def read_events(self, topic: str | None, after: int, limit: int) -> Sequence[Event]: ...

    def wait_for_events(self, after: int, timeout: float) -> bool: ...

    def cursor(self, name: str) -> int | None: ...

    def set_cursor(self, name: str, offset: int) -> None: ...


class Publisher(ABC):
    """A thread that hands events on, from the first one on; the cursor outlives the process.

    The cursor moves after the other side has confirmed a batch, so a crash repeats a batch and
    loses none.
    """

    def __init__(self, store: EventLog, *, cursor: str, target: str) -> None:
        """`cursor` names the position in the store; `target` is for people, without a secret."""
        self._store = store
        self._cursor = cursor
        self._outage = Outage(f"Publishing events to {target}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"publish {cursor}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the batch in hand. Safe to call more than once."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=20)

    @abstractmethod
    def publish(self, messages: Sequence[Message]) -> None:
        """Hand on; returns when all are confirmed. Raises RetriableError if they are not."""

    @abstractmethod
    def disconnect(self) -> None:
        """Let go of what the last attempt left open; `publish` connects again."""

    def _run(self) -> None:
        after = self._store.cursor(self._cursor) or 0
        failures = 0
        while not self._stop.is_set():
            events = self._store.read_events(None, after, _BATCH)
            if not events:
                self._store.wait_for_events(after, _IDLE_S)
                continue
            try:
                self.publish([message for event in events for message in _encoded(event)])
            except RetriableError as exc:
                failures += 1
                self._outage.begin(self._cursor, exc)
                self.disconnect()
                self._stop.wait(delay_s(failures, exc))
                continue
            failures = 0
            self._outage.over(self._cursor)
            after = events[-1].offset
            self._store.set_cursor(self._cursor, after)
        self.disconnect()


def _encoded(event: Event) -> Iterator[Message]:
    """The message, or nothing, and a word in the log, for a record that fits no schema."""
    try:
        payload = to_avro_bytes(event.topic, event.body)
    except Exception:  # fastavro raises many types, and one bad record must not stop the others
        logger.exception("Event %d (%s) fits no schema; it is left out.", event.offset, event.topic)
        return
    yield Message(event.topic, event.key, event.created_at, payload)
