"""The action plugin `dataspoke-vector-sync`."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from datahub_actions.action.action import Action
from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.pipeline.pipeline_context import PipelineContext

from dataspoke.actions.vector_sync.classify import SYNC, classify, rescue
from dataspoke.actions.vector_sync.config import VectorSyncConfig, read_config
from dataspoke.actions.vector_sync.crew import Crew, metrics_page, reasons
from dataspoke.actions.vector_sync.engine import Limits
from dataspoke.actions.vector_sync.events import ChangeEvent, change_event, excerpt
from dataspoke.actions.vector_sync.parts import Parts, now_ms, open_database, open_parts
from dataspoke.actions.vector_sync.upkeep import Upkeep
from dataspoke.core.errors import DataSpokeError, RetriableError, SkippableError
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.telemetry.health import HealthServer
from dataspoke.core.telemetry.metrics import SyncMetrics
from dataspoke.core.telemetry.outage import Outage, delay_s
from dataspoke.core.work.model import WorkTable
from dataspoke.core.work.table import SqlWorkTable

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


class VectorSyncAction(Action):
    """Keeps the index equal to DataHub: `act` takes note, worker threads do the work."""

    def __init__(self, config: VectorSyncConfig, ctx: PipelineContext) -> None:
        name = ctx.pipeline_name
        settings = config.settings(os.environ)
        self._metrics = SyncMetrics()
        self._stop = threading.Event()
        self._crew: Crew | None = None
        self._upkeep: Upkeep | None = None
        self._parts: Parts | None = None
        self._database = open_database(settings, name=name, pause=time.sleep)
        work = SqlWorkTable(self._database)
        askers: list[Callable[[], str | None]] = []
        wake = threading.Event()
        if config.workers:
            connection = HubConnection.from_graph(ctx.graph.graph) if ctx.graph else None
            self._parts = open_parts(
                settings,
                name=name,
                pause=time.sleep,
                connection=connection,
                database=self._database,
            )
            engine = self._parts.engine(
                max_removal_share=config.max_removal_share,
                metrics=self._metrics,
                limits=Limits(batch=config.batch_size, lease_ms=config.lease_seconds * 1000),
                name=name,
            )
            wake = engine.wake
            self._crew = Crew(engine, size=config.workers, on_fatal=_die)
            askers.append(lambda: engine.blocked)
            if config.reconcile_on_start:
                upkeep = Upkeep(
                    self._parts,
                    ctx.event_source,
                    clock=now_ms,
                    max_removals=config.max_removal_share,
                    wake=wake,
                    stop=self._stop,
                )
                self._upkeep = upkeep
                askers.append(lambda: upkeep.blocked)
        self._inlet = Inlet(
            work,
            self._metrics,
            clock=now_ms,
            stopping=lambda: _stop_requested(ctx.event_source),
            wake=wake,
        )
        askers.append(lambda: self._inlet.blocked)
        self._health: HealthServer | None = None
        if config.health_port is not None:
            self._health = HealthServer(
                host=config.health_host,
                port=config.health_port,
                reasons=reasons(*askers),
                metrics=metrics_page(work, self._metrics),
            ).start()
            logger.info("Health checks of %s are at %s", name, self._health.url)
        if self._crew:
            self._crew.start()
        if self._upkeep:
            self._upkeep.start()

    @classmethod
    def create(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> VectorSyncAction:
        """What is wrong ends the process with one sentence; what is away is waited for.

        The framework wraps an exception twice and prints all of it with three stack traces;
        SystemExit passes through, with our sentence as the only output and exit code 1.
        """
        try:
            return cls(read_config(config_dict), ctx)
        except DataSpokeError as exc:
            logger.debug("Cannot start %s", ctx.pipeline_name, exc_info=exc)
            raise SystemExit(f"Error: {exc}") from exc

    def act(self, event: EventEnvelope) -> bool | None:
        """Put the event's work; idempotent. Blocks while the database is away."""
        self._inlet.take(event)
        return True

    def close(self) -> None:
        """Stop the threads and close what is open. Safe to call more than once."""
        self._stop.set()
        if self._crew:
            self._crew.close()
        if self._health:
            self._health.close()
        if self._parts:
            self._parts.close()
        self._database.close()


def _stop_requested(source: Any) -> bool:
    requested = getattr(source, "stop_requested", None)
    return bool(requested()) if callable(requested) else False


def _die(exc: Exception) -> NoReturn:
    """End the process: nothing that we could still do would be right.

    From a thread there is no other way to a non-zero exit code under the framework, and
    everything here survives a kill.
    """
    logger.critical("%s", exc, exc_info=None if isinstance(exc, DataSpokeError) else exc)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(1)
