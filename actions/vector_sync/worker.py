"""`dataspoke worker`: the same work without a stream."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from dataspoke.actions.vector_sync.crew import Crew, metrics_page, reasons
from dataspoke.actions.vector_sync.engine import Limits
from dataspoke.actions.vector_sync.parts import Pause, open_parts
from dataspoke.core.settings import Settings
from dataspoke.core.telemetry.health import HealthServer
from dataspoke.core.telemetry.metrics import SyncMetrics

logger = logging.getLogger(__name__)

_NAME = "dataspoke-worker"


def run(
    settings: Settings,
    *,
    workers: int,
    health_port: int | None,
    max_removal_share: float = 0.3,
) -> None:
    """Work until SIGTERM or Ctrl-C. Raises what no waiting mends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    _stop_on_signals(stop)
    parts = open_parts(settings, name=_NAME, pause=_pause(stop))
    metrics = SyncMetrics()
    engine = parts.engine(
        max_removal_share=max_removal_share, metrics=metrics, limits=Limits(), name=_NAME
    )
    failures: list[Exception] = []

    def fail(exc: Exception) -> None:
        failures.append(exc)
        stop.set()

    crew = Crew(engine, size=workers, on_fatal=fail)
    health = None
    if health_port is not None:
        health = HealthServer(
            port=health_port,
            reasons=reasons(lambda: engine.blocked),
            metrics=metrics_page(parts.work, metrics),
            option="--health-port",
        ).start()
        logger.info("Health checks are at %s", health.url)
    crew.start()
    logger.info("%d workers take work from %s", workers, parts.database.url_for_people)
    stop.wait()
    crew.close()
    if health:
        health.close()
    parts.close()
    if failures:
        raise failures[0]


def _stop_on_signals(stop: threading.Event) -> None:
    def handle(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def _pause(stop: threading.Event) -> Pause:
    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise SystemExit(0)

    return pause
