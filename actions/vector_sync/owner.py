"""The embedded index between two owners: who holds it, and draining it when nobody does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from filelock import FileLock, Timeout

from dataspoke.actions.vector_sync.check import IndexView
from dataspoke.core.errors import RetriableError
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.folder import folder_name
from dataspoke.core.index.model import Hashes, IndexSpec, IndexWriter
from dataspoke.core.index.open import open_owner
from dataspoke.core.index.outbox import Outbox
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database

_BATCH = 256
_POLL_S = 0.2
_OWNER_S = 10.0


@contextmanager
def owned(settings: Settings, spec: IndexSpec) -> Iterator[EdgeIndex | None]:
    """The embedded index if nobody owns it, for the time of the block; else None."""
    if _in_use(settings, spec):
        yield None
        return
    index = open_owner(settings, spec)
    assert isinstance(index, EdgeIndex)
    try:
        yield index
    finally:
        index.close()


@contextmanager
def index_to_check(
    settings: Settings, spec: IndexSpec, database: Database, writer: IndexWriter
) -> Iterator[IndexView]:
    """What to compare with DataHub: the index itself where it can be had.

    Of an embedded index with an owner, or with changes that wait for one, the ledger says what
    it will hold. A folder that the ledger does not describe, or that is not there any more,
    speaks for itself. Creates nothing.
    """
    if settings.qdrant_url:
        yield writer
        return
    outbox = Outbox(database, spec)
    generation = outbox.generation()
    if not (settings.index_dir / folder_name(spec.model_id)).exists():
        yield writer if generation is None else _Nothing()
        return
    with owned(settings, spec) as index:
        if index is None:
            _await_owner(outbox)
            yield writer
        elif index.generation == generation and outbox.backlog()[0]:
            yield writer
        else:
            yield index


def describe_index(settings: Settings, spec: IndexSpec, database: Database) -> None:
    """Let the ledger describe the folder that is there: a lost one is forgotten, an unknown one
    taken over. An owner at work has done so already."""
    with owned(settings, spec) as index:
        if index is not None:
            Outbox(database, spec).bind(index.generation, index.urns())


def drain(
    settings: Settings,
    spec: IndexSpec,
    database: Database,
    *,
    stall_s: float,
    progress: Callable[[int], None],
) -> None:
    """Return once the index holds everything in the outbox.

    Applies it here if nobody owns the index, else waits for the owner. `progress` is called
    with the rows that are left. Raises RetriableError when the owner makes no headway for
    `stall_s` seconds.
    """
    outbox = Outbox(database, spec)
    left = outbox.backlog()[0]
    since = time.monotonic()
    while left:
        progress(left)
        with owned(settings, spec) as index:
            if index is not None:
                _apply_all(outbox, index, progress)
        now_left = outbox.backlog()[0]
        if now_left < left or not now_left:
            since = time.monotonic()
        elif time.monotonic() - since > stall_s:
            raise RetriableError(
                f"Cannot finish: {now_left} changes wait for the process that owns the index in "
                f"{settings.index_dir}, and it takes none. See the log of `dataspoke search serve`."
            )
        left = now_left
        if left:
            time.sleep(_POLL_S)
    progress(0)


def _apply_all(outbox: Outbox, index: EdgeIndex, progress: Callable[[int], None]) -> None:
    outbox.bind(index.generation, index.urns())
    while pending := outbox.pending(_BATCH):
        index.apply([waiting.op for waiting in pending])
        outbox.applied(pending)
        progress(outbox.backlog()[0])


def _await_owner(outbox: Outbox) -> None:
    """Give the owner a moment to apply what was decided just now."""
    until = time.monotonic() + _OWNER_S
    while outbox.backlog()[0] and time.monotonic() < until:
        time.sleep(_POLL_S)


class _Nothing:
    """The index of a folder that is gone."""

    def hashes(self, urns: Sequence[str]) -> dict[str, Hashes]:
        return {}

    def urns(self, *, batch: int = 1000) -> Iterator[dict[str, Hashes]]:
        return iter(())


def _in_use(settings: Settings, spec: IndexSpec) -> bool:
    lock_file = settings.index_dir / f"{folder_name(spec.model_id)}.lock"
    if not lock_file.exists():
        return False
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
