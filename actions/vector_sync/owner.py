"""The embedded index between two owners: who holds it, and draining it when nobody does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from dataspoke.core.errors import RetriableError
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.folder import folder_name
from dataspoke.core.index.model import IndexSpec
from dataspoke.core.index.open import open_owner
from dataspoke.core.index.outbox import Outbox
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database

_BATCH = 256
_POLL_S = 0.2


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
