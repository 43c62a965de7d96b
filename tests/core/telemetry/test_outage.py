"""What is said while something is away."""

from __future__ import annotations

import logging

import pytest

from dataspoke.core.errors import AccessDeniedError, RetriableError
from dataspoke.core.telemetry.outage import (
    LONGEST_DELAY_DENIED_S,
    LONGEST_DELAY_S,
    Outage,
    delay_s,
)


def test_delays_grow_to_a_bound() -> None:
    delays = [delay_s(failures, RetriableError()) for failures in range(1, 200)]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY_S
    assert delay_s(99, AccessDeniedError()) == LONGEST_DELAY_DENIED_S


def test_each_reason_is_said_once_however_many_wait(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    changes: list[bool] = []
    outage = Outage("Sync", changes.append)
    away = RetriableError("Cannot reach it.")
    for who in ("a", "b", "a", "b"):
        outage.begin(who, away)
    outage.begin("a", RetriableError("Cannot reach it either."))
    outage.begin("a", away)
    assert outage.reason == "Cannot reach it."
    outage.over("a")
    assert outage.reason is not None
    outage.over("b")
    outage.over("b")
    assert outage.reason is None
    assert changes == [True, False]
    assert [record.message for record in caplog.records] == [
        "Sync waits and tries again: Cannot reach it.",
        "Sync waits and tries again: Cannot reach it either.",
        "Sync goes on.",
    ]


def test_a_refusal_is_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    Outage("Sync").begin("a", AccessDeniedError("The token is wrong."))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
