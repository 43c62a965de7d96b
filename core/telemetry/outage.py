"""Waiting for something that is away: how long, and what is said about it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable

from dataspoke.core.errors import AccessDeniedError

logger = logging.getLogger(__name__)

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 5.0
LONGEST_DELAY_DENIED_S = 30.0


def delay_s(failures: int, exc: BaseException) -> float:
    """Seconds to wait after the `failures`-th failure in a row (from 1).

    >>> [delay_s(n, OSError()) for n in (1, 2, 3, 9)]
    [0.25, 0.5, 1.0, 5.0]
    """
    longest = LONGEST_DELAY_DENIED_S if isinstance(exc, AccessDeniedError) else LONGEST_DELAY_S
    return float(min(longest, FIRST_DELAY_S * 2 ** min(failures - 1, 20)))


class Outage:
    """Who waits for what. Says each reason once, and once when nobody waits any more.

    Thread-safe. `name` completes the log line: "<name> waits: <reason>".
    """

    def __init__(self, name: str, on_change: Callable[[bool], None] | None = None) -> None:
        self._name = name
        self._on_change = on_change
        self._waiting: dict[Hashable, str] = {}
        self._said: set[str] = set()
        self._lock = threading.Lock()

    @property
    def reason(self) -> str | None:
        """Why somebody waits, or None when nobody does."""
        with self._lock:
            return next(iter(self._waiting.values()), None)

    def begin(self, who: Hashable, exc: BaseException) -> None:
        with self._lock:
            first = not self._waiting
            sentence = str(exc)
            new = sentence not in self._said
            self._said.add(sentence)
            self._waiting[who] = sentence
        if new:
            level = logging.ERROR if isinstance(exc, AccessDeniedError) else logging.WARNING
            logger.log(level, "%s waits and tries again: %s", self._name, exc)
        if first and self._on_change:
            self._on_change(True)

    def over(self, who: Hashable) -> None:
        """`who` got through; the others may still wait."""
        with self._lock:
            if self._waiting.pop(who, None) is None or self._waiting:
                return
        self._say_over()

    def over_for_all(self) -> None:
        """What everybody waited for is back."""
        with self._lock:
            if not self._waiting:
                return
            self._waiting.clear()
        self._say_over()

    def _say_over(self) -> None:
        with self._lock:
            self._said.clear()
        logger.warning("%s goes on.", self._name)  # the stock CLIs show no INFO of ours
        if self._on_change:
            self._on_change(False)
