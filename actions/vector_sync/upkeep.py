"""Reconcile when it is needed: on the first start with a model, after the index was lost, and
after the event source lost its place.

What was reconciled last is remembered as the identity of the index. The embedded index has a
generation, which a new folder changes; an index that nobody has opened yet is `unbound`, and
binding it loses nothing. A Qdrant server has only its number of points to tell.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from dataspoke.actions.vector_sync.joining import wait_until_joined
from dataspoke.actions.vector_sync.parts import Parts
from dataspoke.actions.vector_sync.reconcile import Reconcile, ReconcileRefused
from dataspoke.core.errors import RetriableError
from dataspoke.core.index.model import IndexSpec
from dataspoke.core.index.outbox import Outbox
from dataspoke.core.store.state import GAPS, StateStore
from dataspoke.core.telemetry.outage import Outage, delay_s

logger = logging.getLogger(__name__)

UNBOUND = "unbound"
WATCH_S = 30.0
_REFUSED_PAUSE_S = 600.0


def marker_key(spec: IndexSpec) -> str:
    return f"vector_sync.reconciled.{spec.model_id}"


def cursor_key(spec: IndexSpec) -> str:
    return f"vector_sync.reconcile.{spec.model_id}"


def index_identity(parts: Parts) -> str:
    """Changes when the index is lost or replaced."""
    if parts.settings.qdrant_url:
        return "qdrant" if parts.writer.info().points else "qdrant-empty"
    return Outbox(parts.database, parts.spec).generation() or UNBOUND


def close_gaps(state: StateStore, known: Mapping[str, str]) -> None:
    """Forget the gaps that were known before a reconcile of everything; later ones stay."""
    for key, reason in known.items():
        if state.get(key) == reason:
            state.delete(key)


class Upkeep:
    """A daemon thread that joins the stream, then keeps an eye on the index."""

    def __init__(
        self,
        parts: Parts,
        source: Any,
        *,
        clock: Callable[[], int],
        max_removals: float,
        wake: threading.Event,
        stop: threading.Event,
    ) -> None:
        self._parts = parts
        self._source = source
        self._clock = clock
        self._max_removals = max_removals
        self._wake = wake
        self._stop = stop
        self._outage = Outage("The reconcile")
        self._refusal: str | None = None
        self._gaps: dict[str, str] = {}

    def reason(self) -> str | None:
        """Why the reconcile waits, for `/readyz`; None while it does not."""
        return self._outage.reason or self._refusal

    def start(self) -> None:
        threading.Thread(target=self._run, name="dataspoke-upkeep", daemon=True).start()

    def _run(self) -> None:
        if not wait_until_joined(self._source, self._stop):
            return
        run: Reconcile | None = None
        failures = 0
        while not self._stop.is_set():
            pause = WATCH_S
            try:
                run = run or self._needed()
                if run is not None:
                    self._reconcile(run)
                run, failures, self._refusal = None, 0, None
                self._outage.over("upkeep")
            except ReconcileRefused as exc:
                logger.error("%s", exc)  # noqa: TRY400 - the sentence says it all
                run, self._refusal, pause = None, str(exc), _REFUSED_PAUSE_S
            except Exception as exc:
                failures += 1
                if not isinstance(exc, RetriableError):
                    logger.exception("The reconcile met an unexpected error")
                    run = None
                self._outage.begin("upkeep", exc)
                pause = delay_s(failures, exc)
            self._stop.wait(pause)

    def _needed(self) -> Reconcile | None:
        spec, state = self._parts.spec, self._parts.state
        remembered, current = state.get(marker_key(spec)), index_identity(self._parts)
        self._gaps = state.items(GAPS)
        if not self._gaps:
            if remembered == current:
                return None
            if remembered == UNBOUND:
                state.set(marker_key(spec), current)
                return None
        logger.info("Reconciling the index with DataHub at %s.", self._parts.connection.server)
        return Reconcile(
            self._parts.reader,
            self._parts.writer,
            self._parts.work,
            state,
            key=cursor_key(spec),
            clock=self._clock,
            max_removals=self._max_removals,
            progress=lambda what, count: self._wake.set(),
        )

    def _reconcile(self, run: Reconcile) -> None:
        before = index_identity(self._parts)
        summary = run.run()
        self._parts.state.set(marker_key(self._parts.spec), before)
        close_gaps(self._parts.state, self._gaps)
        self._wake.set()
        logger.info(
            "Reconciling: %d entities to compare, %d of %d points to look after.",
            summary.listed,
            summary.orphans,
            summary.points,
        )
