"""The threads that do the work, and what they tell of themselves."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Callable, Sequence

from dataspoke.actions.vector_sync.classify import KINDS
from dataspoke.actions.vector_sync.engine import SyncEngine
from dataspoke.actions.vector_sync.parts import now_ms
from dataspoke.core.errors import RetriableError
from dataspoke.core.telemetry.metrics import SyncMetrics
from dataspoke.core.work.model import WorkTable

logger = logging.getLogger(__name__)

# The pipeline's thread waits for the disk at each event, and gets the interpreter back only
# when a busy worker thread's turn is over: 5 ms by default, which allows a hundred events per
# second. Shorter turns give it ten times that, and cost the workers a few per cent.
_TURN_S = 0.0003

# A batch is hundreds of thousands of small objects, none of them in a cycle. By default each
# seven hundred make the collector look, in the end through all that DataHub's models allocate
# at import: measured, that was half of all CPU time.
_COLLECT_AFTER = (100_000, 50, 100)


class Crew:
    """Daemon threads around one engine. `on_fatal` is called once, from a thread of the crew."""

    def __init__(
        self, engine: SyncEngine, *, size: int, on_fatal: Callable[[Exception], None]
    ) -> None:
        self._engine = engine
        self._on_fatal = on_fatal
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"dataspoke-worker-{number}", daemon=True)
            for number in range(size)
        ]

    def start(self) -> None:
        _tune_interpreter()
        for thread in self._threads:
            thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Let each thread finish its batch; what takes longer is given up to its lease."""
        self._stop.set()
        self._engine.wake.set()
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(timeout_s)
        self._engine.close()

    def _work(self) -> None:
        try:
            self._engine.run(self._stop)
        except Exception as exc:
            self._on_fatal(exc)


def _tune_interpreter() -> None:
    """Settings of the whole process; see the constants for what they are worth."""
    sys.setswitchinterval(_TURN_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def metrics_page(work: WorkTable, metrics: SyncMetrics) -> Callable[[], bytes]:
    """What `/metrics` shows: the counters, and the table as it is now."""

    def render() -> bytes:
        try:
            now = now_ms()
            stats = work.stats(now=now, kinds=KINDS)
        except RetriableError as exc:
            logger.debug("The metrics show old figures of the work table: %s", exc)
        else:
            oldest = stats.oldest_ready_at
            metrics.open_rows.set(stats.open)
            metrics.dead_rows.set(stats.dead)
            metrics.oldest_row_seconds.set(0.0 if oldest is None else max(0, now - oldest) / 1000)
        return metrics.render()

    return render


def reasons(*askers: Callable[[], str | None]) -> Callable[[], Sequence[str]]:
    """What `/readyz` shows: every reason that somebody has."""

    def collect() -> Sequence[str]:
        return list(dict.fromkeys(reason for ask in askers if (reason := ask())))

    return collect
