"""Waiting for what is away: with growing pauses, said once, and said when it is over."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from dataspoke.core.errors import RetriableError

MAX_PAUSE_S = 10.0
_FIRST_PAUSE_S = 0.25

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Stopped(Exception):
    """The pipeline is asked to stop while something waits."""


def pause_seconds(attempt: int, chance: float) -> float:
    """The pause after failed `attempt` (0, 1, …), doubling up to ten seconds.

    `chance` in [0, 1) takes up to half of it away, so that clients do not return together.

    >>> [pause_seconds(n, 0.0) for n in (0, 1, 2, 9)]
    [0.25, 0.5, 1.0, 10.0]
    """
    return min(MAX_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempt, 16)) * (1 - chance / 2)


class Outage:
    """Says once that something is away, whoever meets it, and once that it is back."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._since = 0.0

    def began(self, who: str, reason: Exception) -> None:
        with self._lock:
            if not self._waiting:
                self._since = self._clock()
                logger.warning("%s No event is lost; trying again until it works.", reason)
            self._waiting.add(who)

    def ended(self, who: str) -> None:
        with self._lock:
            if who not in self._waiting:
                return
            self._waiting.discard(who)
            if not self._waiting:
                away = self._clock() - self._since
                logger.warning("%s is back after %.0f s; going on.", self._what, away)


def insist(call: Callable[[], T], *, who: str, outage: Outage, stop: threading.Event) -> T:
    """Do `call` until it does not raise RetriableError; Stopped once `stop` is set."""
    attempt = 0
    while True:
        try:
            result = call()
        except RetriableError as exc:
            outage.began(who, exc)
            if stop.wait(pause_seconds(attempt, random.random())):  # noqa: S311
                raise Stopped from exc
            attempt += 1
        else:
            outage.ended(who)
            return result
