"""One thread per topic: polls, decodes, puts batches into the inbox."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from datahub_actions.event.event_envelope import EventEnvelope

from dataspoke.actions.events_source.client import EventsClient, Polled
from dataspoke.actions.events_source.config import PLATFORM_EVENT_TOPIC
from dataspoke.actions.events_source.decode import decode
from dataspoke.actions.events_source.early_filter import EarlyFilter
from dataspoke.actions.events_source.inbox import BadEvent, Batch, Inbox
from dataspoke.actions.events_source.patience import Stopped, insist
from dataspoke.actions.events_source.position import (
    DAY_MS,
    Position,
    position_key,
    reconcile_key,
)
from dataspoke.core.errors import (
    AccessDeniedError,
    ConfigError,
    DataSpokeError,
    RetriableError,
    SkippableError,
)
from dataspoke.core.telemetry.outage import Outage

logger = logging.getLogger(__name__)
T = TypeVar("T")

# So often in a row DataHub must refuse a position, or fail with it, and answer without it,
# before the position is given up: a proxy's hiccup must not cost events.
_REFUSED = 3
_FAILED = 6


class State(Protocol):
    """What is needed of a `StateStore`."""

    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str) -> None: ...


class Poller(threading.Thread):
    """Follows one topic from its stored position, for ever; a daemon.

    `on_position` is called once, when the topic has a durable position.
    """

    def __init__(
        self,
        client: EventsClient,
        *,
        pipeline: str,
        lookback_days: int | None,
        token_key: str,
        state: State,
        inbox: Inbox,
        wanted: EarlyFilter,
        hub: Outage,
        database: Outage,
        stop: threading.Event,
        on_position: Callable[[str], None],
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        super().__init__(name=f"poll {client.topic}", daemon=True)
        self._client = client
        self._topic = client.topic
        self._pipeline = pipeline
        self._lookback_days = lookback_days
        self._token_key = token_key
        self._state = state
        self._inbox = inbox
        self._wanted = wanted
        self._hub = hub
        self._database = database
        self._stop_event = stop
        self._on_position = on_position
        self._now = now

    def run(self) -> None:
        try:
            self._follow(self._join())
        except Stopped:
            return
        except Exception as exc:  # raised again in the pipeline's thread, which ends with it
            self._inbox.fail(exc)
        finally:
            self._client.close()

    def _follow(self, offset: str) -> None:
        while not self._stop_event.is_set():
            polled = self._poll(offset)
            if polled.offset == offset and not polled.values:
                continue
            offset = polled.offset
            if not self._inbox.put(to_batch(self._topic, polled, self._wanted)):
                return

    def _join(self) -> str:
        """The offset to poll from; once it returns the position is durable."""
        key = position_key(self._pipeline, self._topic)
        stored = self._insist_on_database(lambda: self._state.get(key))
        position = None if stored is None else Position.parse(stored)
        if position is not None and position.offset is not None:
            self._on_position(self._topic)
            return position.offset
        days = self._lookback_days if position is None else position.lookback_days(self._now())
        return self._start(days, owed=position)

    def _start(self, days: int | None, *, owed: Position | None = None) -> str:
        """Join without an offset, and store where: the offset, or the time if events came."""
        since = self._now() - (days or 0) * DAY_MS
        polled = self._insist_on_hub(lambda: self._client.poll_start(days))
        if not polled.values:
            owed = Position(offset=polled.offset)
        elif owed is None:
            owed = Position(owed_since=since)
        text = owed.text()
        key = position_key(self._pipeline, self._topic)
        self._insist_on_database(lambda: self._state.set(key, text))
        self._on_position(self._topic)
        if polled.values and not self._inbox.put(to_batch(self._topic, polled, self._wanted)):
            raise Stopped
        return polled.offset

    def _poll(self, offset: str) -> Polled:
        """The next answer; an offset that DataHub no longer takes is replaced, with a warning."""
        failures = 0

        def attempt() -> Polled | None:
            nonlocal failures
            try:
                return self._client.poll(offset)
            except AccessDeniedError:
                raise
            except SkippableError as exc:
                # Is it the position, or the topic? This raises again if it is the topic.
                self._client.poll_start(None)
                failures += 1
                if failures < _REFUSED:
                    raise RetriableError(str(exc)) from exc
                return None
            except RetriableError:
                # DataHub answers 500, too, to a position that it cannot use.
                failures = failures + 1 if self._answers_without_offset() else 0
                if failures < _FAILED:
                    raise
                return None

        polled = self._insist_on_hub(attempt)
        return polled if polled is not None else self._start_over()

    def _answers_without_offset(self) -> bool:
        try:
            self._client.poll_start(None)
        except DataSpokeError:
            return False
        return True

    def _start_over(self) -> Polled:
        reason = (
            f"DataHub at {self._client.server} no longer knows the position of pipeline "
            f"'{self._pipeline}' in {self._topic}"
        )
        came_from = f"{self._lookback_days} days back" if self._lookback_days else "the next event"
        logger.error(
            "%s. Going on from %s: what changed meanwhile is not seen. "
            "Run: dataspoke index reconcile",
            reason,
            came_from,
        )
        self._insist_on_database(lambda: self._state.set(reconcile_key(self._pipeline), reason))
        return Polled(self._start(self._lookback_days), ())

    def _insist_on_hub(self, call: Callable[[], T]) -> T:
        """`call` until DataHub answers; what no waiting mends is the operator's sentence."""

        def attempt() -> T:
            try:
                return call()
            except AccessDeniedError:
                raise ConfigError(self._refused()) from None
            except SkippableError as exc:
                raise ConfigError(
                    f"Cannot follow {self._topic} of DataHub at {self._client.server}: it refuses "
                    f"the topic ({exc}) Correct source.config.topics, or switch on DataHub's "
                    "events API (EVENTS_API_ENABLED) for it."
                ) from None

        return insist(attempt, who=self._topic, outage=self._hub, stop=self._stop_event)

    def _insist_on_database(self, call: Callable[[], T]) -> T:
        return insist(call, who=self._topic, outage=self._database, stop=self._stop_event)

    def _refused(self) -> str:
        platform = self._topic == PLATFORM_EVENT_TOPIC
        privilege = "Get Platform Events" if platform else "Get Metadata Change Log Events"
        return (
            f"Cannot follow {self._topic} of DataHub at {self._client.server}: it refuses the "
            f"token. Set {self._token_key} to a valid token whose owner has the platform "
            f"privilege '{privilege}'."
        )


def to_batch(topic: str, polled: Polled, wanted: EarlyFilter) -> Batch:
    """Decode an answer: events to deliver, events nobody wants, events that cannot be read."""
    envelopes: list[EventEnvelope] = []
    bad: list[BadEvent] = []
    for index, value in enumerate(polled.values):
        try:
            decoded = decode(topic, value, wanted)
        except SkippableError as exc:
            cause = type(exc.__cause__ or exc).__name__
            bad.append(BadEvent(index, value, str(exc), cause))
            continue
        if decoded is not None:
            envelopes.append(EventEnvelope(decoded[0], decoded[1], {}))
    dropped = len(polled.values) - len(envelopes) - len(bad)
    return Batch(topic, polled.offset, envelopes, bad, dropped)
