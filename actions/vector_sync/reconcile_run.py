"""`dataspoke index reconcile` from begin to end, without its face."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from dataspoke.actions.vector_sync.check import Differences, IndexView, check
from dataspoke.actions.vector_sync.classify import KINDS
from dataspoke.actions.vector_sync.crew import Crew
from dataspoke.actions.vector_sync.engine import Limits
from dataspoke.actions.vector_sync.owner import describe_index, drain, index_to_check
from dataspoke.actions.vector_sync.parts import Parts, insist, now_ms, open_parts
from dataspoke.actions.vector_sync.reconcile import Reconcile, Summary, checked_types
from dataspoke.actions.vector_sync.upkeep import close_gaps, cursor_key, index_identity, marker_key
from dataspoke.core.entities import SEARCHABLE_ENTITY_TYPES
from dataspoke.core.settings import Settings
from dataspoke.core.store.state import GAPS
from dataspoke.core.telemetry.metrics import SyncMetrics

WORKERS = 2
STALL_S = 60.0
_SETTLE_S = 2.0
_POLL_S = 0.2
_NAME = "reconcile"


class Progress(Protocol):
    """What a person sees of the run."""

    def phase(self, title: str, total: int | None) -> None:
        """Begin another phase; `total` None means that its end is not known yet."""
        ...

    def at(self, done: int) -> None:
        """So many of the phase's total are done."""
        ...


def repair(
    settings: Settings,
    *,
    max_removals: float,
    types: Sequence[str],
    restart: bool,
    progress: Progress,
) -> tuple[Summary, int]:
    """Bring the index in line; returns what was put, and how many dead letters there are now.

    Done when the work table is empty and the index holds the result. Raises RetriableError if
    DataHub is away at the start; later it is waited for.
    """
    chosen = checked_types(types)
    parts = open_parts(settings, name=_NAME, pause=None)
    try:
        if not settings.qdrant_url:
            describe_index(settings, parts.spec, parts.database)
        identity, gaps = index_identity(parts), parts.state.items(GAPS)
        summary = _put_rows(parts, chosen, max_removals, restart, progress)
        _work_off(parts, max_removals, progress)
        if not settings.qdrant_url:
            _drain(parts, progress)
        if chosen == SEARCHABLE_ENTITY_TYPES:
            parts.state.set(marker_key(parts.spec), identity)
            close_gaps(parts.state, gaps)
        return summary, parts.work.stats(now=now_ms(), kinds=KINDS).dead
    finally:
        parts.close()


def prove(settings: Settings, *, types: Sequence[str], progress: Progress) -> Differences:
    """Compare and change nothing. Raises RetriableError while something is away."""
    chosen = checked_types(types)
    parts = open_parts(settings, name=_NAME, pause=None)
    try:
        with index_to_check(parts.settings, parts.spec, parts.database, parts.writer) as index:
            return _prove(parts, index, chosen, progress)
    finally:
        parts.close()


def _put_rows(
    parts: Parts,
    types: Sequence[str],
    max_removals: float,
    restart: bool,
    progress: Progress,
) -> Summary:
    done: dict[str, int] = {}

    def count(what: str, more: int) -> None:
        if what not in done:
            progress.phase(
                "Listing DataHub" if what == "listed" else "Comparing with the index", None
            )
        done[what] = done.get(what, 0) + more
        progress.at(done[what])

    run = Reconcile(
        parts.reader,
        parts.writer,
        parts.work,
        parts.state,
        # A run over some types must not move the cursor of the action's run over all.
        key=f"{cursor_key(parts.spec)}.cli",
        clock=now_ms,
        max_removals=max_removals,
        types=types,
        progress=count,
    )
    if restart:
        run.forget()
    return insist(run.run, name=_NAME, pause=time.sleep)


def _work_off(parts: Parts, max_removals: float, progress: Progress) -> None:
    engine = parts.engine(
        max_removal_share=max_removals,
        metrics=SyncMetrics(),
        limits=replace(Limits(), idle_s=_POLL_S),
        name=_NAME,
    )
    failures: list[Exception] = []
    over = threading.Event()

    def fail(exc: Exception) -> None:
        failures.append(exc)
        over.set()

    crew = Crew(engine, size=WORKERS, on_fatal=fail)
    total = _open_rows(parts)
    progress.phase("Comparing and embedding", total)
    crew.start()
    try:
        while not over.is_set() and (left := _open_rows(parts)):
            total = max(total, left)
            progress.at(total - left)
            over.wait(_POLL_S)
    finally:
        crew.close()
    if failures:
        raise failures[0]
    progress.at(total)


def _open_rows(parts: Parts) -> int:
    """Rows to wait for: also those that failed and are due again in a few seconds."""
    stats = insist(
        lambda: parts.work.stats(now=now_ms(), kinds=KINDS), name=_NAME, pause=time.sleep
    )
    return stats.open


def _drain(parts: Parts, progress: Progress) -> None:
    total = 0

    def left(rows: int) -> None:
        nonlocal total
        if not total and rows:
            progress.phase("Writing the index", rows)
        total = max(total, rows)
        progress.at(total - rows)

    drain(parts.settings, parts.spec, parts.database, stall_s=STALL_S, progress=left)


def _prove(parts: Parts, index: IndexView, types: Sequence[str], progress: Progress) -> Differences:
    compared = 0

    def count(more: int) -> None:
        nonlocal compared
        compared += more
        progress.at(compared)

    progress.phase("Comparing DataHub with the index", None)
    return check(
        parts.reader,
        index,
        model_id=parts.embedder.model_id,
        types=types,
        pause=lambda: time.sleep(_SETTLE_S),
        progress=count,
    )
