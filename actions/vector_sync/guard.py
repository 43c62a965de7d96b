"""The fail-safe: how much may vanish from the index on the word of a look-up alone."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

FLOOR = 20
WINDOW_MS = 3_600_000


def too_many(removals: int, *, points: int, max_share: float, floor: int = FLOOR) -> bool:
    """Whether so many removals look like a blind token rather than a change of the catalogue.

    >>> too_many(20, points=30, max_share=0.3), too_many(31, points=100, max_share=0.3)
    (False, True)
    """
    return removals > floor and removals > points * max_share


@dataclass(frozen=True, slots=True)
class _Removal:
    at: int
    count: int


class RemovalGuard:
    """Counts removals that no delete event announced, over the last hour. Thread-safe.

    A token that lost its privileges, or a URL that points to an empty server, makes every
    entity look deleted: the guard then refuses, and the rows wait.
    """

    def __init__(self, max_share: float, *, floor: int = FLOOR) -> None:
        self._max_share = max_share
        self._floor = floor
        self._removals: deque[_Removal] = deque()
        self._lock = threading.Lock()

    def allow(self, count: int, *, points: int, now: int) -> bool:
        """Count `count` removals in, or refuse them all; `points` is the size of the index."""
        if not count:
            return True
        with self._lock:
            while self._removals and self._removals[0].at <= now - WINDOW_MS:
                self._removals.popleft()
            before = sum(removal.count for removal in self._removals)
            # What was removed in the window still belongs to the size to measure against.
            if too_many(
                before + count,
                points=points + before,
                max_share=self._max_share,
                floor=self._floor,
            ):
                return False
            self._removals.append(_Removal(now, count))
            return True
