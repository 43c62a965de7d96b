"""Repeatable chance, the calendar of the shop, and money."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

FIRST_DAY = date(2025, 9, 1)
SEED_DAY = date(2026, 10, 31)


def chance(seed: int, *parts: object) -> random.Random:
    """A generator of its own for (seed, *parts): what one table draws moves no other table."""
    return random.Random("/".join(map(str, (seed, *parts))))  # noqa: S311 - not for secrets


def days(through: date) -> Iterator[date]:
    """The business days of the shop, from its first to `through`, both included."""
    for offset in range((through - FIRST_DAY).days + 1):
        yield FIRST_DAY + timedelta(days=offset)


def moment(day: date, second: int) -> datetime:
    """The UTC instant `second` seconds after midnight of `day`."""
    return datetime.combine(day, time(), UTC) + timedelta(seconds=second)


def euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
