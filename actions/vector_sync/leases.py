"""Keeping claimed rows ours while a batch takes its time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dataspoke.core.errors import RetriableError
from dataspoke.core.work.model import Claim, WorkTable

logger = logging.getLogger(__name__)


class LeaseKeeper:
    """Extends the leases of all held claims from one daemon thread. Thread-safe."""

    def __init__(self, work: WorkTable, *, lease_ms: int, clock: Callable[[], int]) -> None:
        self._work = work
        self._lease_ms = lease_ms
        self._clock = clock
        self._held: dict[tuple[str, str, int, int], Claim] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, claims: Sequence[Claim]) -> Iterator[None]:
        """Keep these leases alive inside the block; afterwards they are only ended, not lost."""
        with self._changed:
            self._held.update((_key(claim), claim) for claim in claims)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="dataspoke-heartbeat", daemon=True
                )
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                for claim in claims:
                    self._held.pop(_key(claim), None)

    def held(self, kind: str) -> list[str]:
        """The keys of this kind that somebody in this process works on."""
        with self._changed:
            return [claim.work.key for claim in self._held.values() if claim.work.kind == kind]

    def still_ours(self, claims: Sequence[Claim]) -> list[Claim]:
        """Ask the table now, and extend what is ours."""
        return self._work.heartbeat(claims, lease_ms=self._lease_ms, now=self._clock())

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, timeout=self._lease_ms / 3000)
                if self._closed:
                    return
                held = list(self._held.values())
            if not held:
                continue
            try:
                self.still_ours(held)
            except RetriableError as exc:
                # The batch itself finds out when it checks its lease before writing.
                logger.debug("Cannot extend leases: %s", exc)


def _key(claim: Claim) -> tuple[str, str, int, int]:
    return claim.work.kind, claim.work.key, claim.work.point, claim.token
