"""From an event to durable work: what `act()` does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from datahub_actions.event.event_envelope import EventEnvelope

from dataspoke.actions.vector_sync.classify import SYNC, classify, rescue
from dataspoke.actions.vector_sync.events import ChangeEvent, change_event, excerpt
from dataspoke.core.errors import RetriableError, SkippableError
from dataspoke.core.telemetry.metrics import SyncMetrics
from dataspoke.core.telemetry.outage import Outage, delay_s
from dataspoke.core.work.model import WorkTable

logger = logging.getLogger(__name__)


class Inlet:
    """One durable put per event, however long the database is away. Safe to repeat."""

    def __init__(
        self,
        work: WorkTable,
        metrics: SyncMetrics,
        *,
        clock: Callable[[], int],
        stopping: Callable[[], bool],
        wake: threading.Event,
    ) -> None:
        self._work = work
        self._metrics = metrics
        self._clock = clock
        self._stopping = stopping
        self._wake = wake
        self._outage = Outage("Taking events in", lambda on: metrics.blocked.set(int(on)))

    @property
    def blocked(self) -> str | None:
        return self._outage.reason

    def take(self, envelope: EventEnvelope) -> None:
        """Returns once the event's work, or the event itself as a dead letter, is durable."""
        self._metrics.events.inc()
        event: ChangeEvent | None = None
        try:
            event = change_event(envelope.event_type, envelope.event)
            work = classify(event) if event is not None else ()
        except SkippableError as exc:
            self._bury(envelope, exc)
            work = rescue(event) if event is not None else ()
        if not work:
            return
        self._metrics.relevant_events.inc()
        try:
            self._insist(lambda: self._work.put(work, now=self._clock()))
        except SkippableError as exc:
            self._bury(envelope, exc)
        self._wake.set()

    def _bury(self, envelope: EventEnvelope, exc: SkippableError) -> None:
        self._metrics.unreadable_events.inc()
        logger.warning("Keep an event as a dead letter: %s", exc)
        kept = excerpt(envelope.event)
        self._insist(
            lambda: self._work.bury_event(
                SYNC,
                kept["entityUrn"],
                payload=kept,
                reason=str(exc),
                error_type=type(exc).__name__,
                now=self._clock(),
            )
        )

    def _insist(self, call: Callable[[], None]) -> None:
        failures = 0
        while True:
            try:
                call()
            except RetriableError as exc:
                failures += 1
                self._outage.begin("act", exc)
                self._sleep(delay_s(failures, exc))
            else:
                self._outage.over("act")
                return

    def _sleep(self, seconds: float) -> None:
        """Wait, but leave when the pipeline is asked to stop.

        SystemExit ends the pipeline's thread without an acknowledgement, and is the only way
        to: any other exception would be logged as a failed event, which is then acknowledged.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._stopping():
                logger.warning("Stopping with an event not taken in; it is delivered again.")
                raise SystemExit(0)
            time.sleep(0.1)
