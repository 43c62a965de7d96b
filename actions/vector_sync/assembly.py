"""A running pipeline's parts: inlet, crew, upkeep, health. Needs the extras."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.pipeline.pipeline_context import PipelineContext

from dataspoke.actions.vector_sync.config import VectorSyncConfig
from dataspoke.actions.vector_sync.crew import Crew, metrics_page, reasons
from dataspoke.actions.vector_sync.engine import Limits
from dataspoke.actions.vector_sync.inlet import Inlet
from dataspoke.actions.vector_sync.joining import commit_start
from dataspoke.actions.vector_sync.parts import Parts, insist, now_ms, open_database, open_parts
from dataspoke.actions.vector_sync.upkeep import Upkeep
from dataspoke.core.errors import DataSpokeError
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.telemetry.health import HealthServer
from dataspoke.core.telemetry.metrics import SyncMetrics
from dataspoke.core.work.table import SqlWorkTable

logger = logging.getLogger(__name__)


class Running:
    """Everything that one pipeline has open. What is away at the start is waited for."""

    def __init__(self, config: VectorSyncConfig, ctx: PipelineContext) -> None:
        name, source = ctx.pipeline_name, ctx.event_source
        settings = config.settings(os.environ)
        metrics = SyncMetrics()
        askers: list[Callable[[], str | None]] = []
        wake = threading.Event()
        self._stop = threading.Event()
        self._crew: Crew | None = None
        self._parts: Parts | None = None
        self._health: HealthServer | None = None
        self._database = open_database(settings, name=name, pause=time.sleep)
        work = SqlWorkTable(self._database)
        upkeep: Upkeep | None = None
        insist(lambda: commit_start(source), name=name, pause=time.sleep)
        if config.workers:
            self._parts = open_parts(
                settings,
                name=name,
                pause=time.sleep,
                connection=HubConnection.from_graph(ctx.graph.graph) if ctx.graph else None,
                database=self._database,
            )
            engine = self._parts.engine(
                max_removal_share=config.max_removal_share,
                metrics=metrics,
                limits=Limits(batch=config.batch_size, lease_ms=config.lease_seconds * 1000),
                name=name,
            )
            wake = engine.wake
            askers.append(lambda: engine.blocked)
            self._crew = Crew(engine, size=config.workers, on_fatal=_die)
            if config.reconcile_on_start:
                upkeep = Upkeep(
                    self._parts,
                    source,
                    clock=now_ms,
                    max_removals=config.max_removal_share,
                    wake=wake,
                    stop=self._stop,
                )
                askers.append(upkeep.reason)
        self._inlet = Inlet(
            work,
            metrics,
            clock=now_ms,
            stopping=lambda: _stop_requested(source),
            wake=wake,
        )
        askers.append(lambda: self._inlet.blocked)
        if config.health_port is not None:
            self._health = HealthServer(
                host=config.health_host,
                port=config.health_port,
                reasons=reasons(*askers),
                metrics=metrics_page(work, metrics),
            ).start()
            logger.info("Health checks of %s are at %s", name, self._health.url)
        if self._crew:
            self._crew.start()
        if upkeep:
            upkeep.start()

    def take(self, event: EventEnvelope) -> None:
        """See `Inlet.take`."""
        self._inlet.take(event)

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
