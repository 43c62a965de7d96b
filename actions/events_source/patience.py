"""Waiting for what is away, until it is back or the pipeline is asked to stop."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from dataspoke.core.errors import RetriableError
from dataspoke.core.telemetry.outage import Outage

MAX_PAUSE_S = 10.0
_FIRST_PAUSE_S = 0.25

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


def insist(call: Callable[[], T], *, who: str, outage: Outage, stop: threading.Event) -> T:
    """Do `call` until it does not raise RetriableError; Stopped once `stop` is set."""
    attempt = 0
    while True:
        try:
            result = call()
        except RetriableError as exc:
            outage.begin(who, exc)
            if stop.wait(pause_seconds(attempt, random.random())):  # noqa: S311
                raise Stopped from exc
            attempt += 1
        else:
            outage.over(who)
            return result
