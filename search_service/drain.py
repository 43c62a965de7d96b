"""The owner's side of the outbox: apply to the embedded index what other processes queued."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dataspoke.core.errors import DataSpokeError, FatalError
from dataspoke.core.index.model import IndexWriter
from dataspoke.core.index.outbox import Outbox

log = logging.getLogger(__name__)

_BATCH = 500
_IDLE_SECONDS = 0.2
_FIRST_RETRY_SECONDS = 0.5
_LAST_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class DrainStatus:
    """`rows` wait, the oldest since `oldest_ms` (UTC ms). `failure` is why the last try failed."""

    rows: int = 0
    oldest_ms: int | None = None
    applied: int = 0
    failures: int = 0
    failure: str | None = None


class OutboxDrainer:
    """Applies pending operations in order, one batch after the other.

    Idempotent: a batch that was applied but not acknowledged before a crash is applied again.
    `on_fatal` is called once, from the drain thread, when the index cannot be used any more;
    `on_applied` gets the urns of each batch once it is in the index.
    """

    def __init__(
        self,
        outbox: Outbox,
        index: IndexWriter,
        *,
        on_fatal: Callable[[FatalError], None],
        on_applied: Callable[[Sequence[str]], None] = lambda urns: None,
    ) -> None:
        self._outbox = outbox
        self._index = index
        self._on_fatal = on_fatal
        self._on_applied = on_applied
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox-drain", daemon=True)
        self.status = DrainStatus()

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, timeout: float) -> bool:
        """Finish the batch in hand; True if the thread has ended within `timeout` seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def drain_once(self) -> int:
        """Apply one batch and return its size; 0 means that nothing waited."""
        pending = self._outbox.pending(_BATCH)
        if pending:
            self._index.apply([item.op for item in pending])
            self._on_applied([item.op.urn for item in pending])
            self._outbox.applied(pending)
        rows, oldest = self._outbox.backlog() if pending else (0, None)
        self.status = replace(
            self.status,
            rows=rows,
            oldest_ms=oldest,
            applied=self.status.applied + len(pending),
            failure=None,
        )
        return len(pending)

    def _run(self) -> None:
        retry = _FIRST_RETRY_SECONDS
        while not self._stop.is_set():
            try:
                drained = self.drain_once()
            except FatalError as exc:
                self._failed(str(exc))
                self._on_fatal(exc)
                return
            except Exception as exc:
                self._failed(str(exc), unexpected=not isinstance(exc, DataSpokeError))
                self._stop.wait(retry)
                retry = min(2 * retry, _LAST_RETRY_SECONDS)
                continue
            retry = _FIRST_RETRY_SECONDS
            if drained == 0:
                self._stop.wait(_IDLE_SECONDS)

    def _failed(self, reason: str, *, unexpected: bool = False) -> None:
        if self.status.failure is None:
            log.warning("The index does not follow: %s", reason, exc_info=unexpected)
        self.status = replace(self.status, failures=self.status.failures + 1, failure=reason)
