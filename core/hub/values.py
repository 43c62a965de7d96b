"""Reading loosely typed JSON strictly: the right value, nothing, or TypeError."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any


def text(value: Any) -> str:
    """A string without the white space around it; None is empty.

    NUL characters go: PostgreSQL cannot store them.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"expected a string, found {type(value).__name__}")
    return value.replace("\0", "").strip()


def unique(values: Iterable[Any]) -> tuple[str, ...]:
    """Non-empty strings in their first order."""
    return tuple({text(value): None for value in values if value is not None})


def strings(values: Any) -> tuple[str, ...]:
    """A list of strings; None is empty."""
    if values is None:
        return ()
    if not isinstance(values, list):
        raise TypeError(f"expected a list, found {type(values).__name__}")
    return unique(values)


def moment(millis: Any) -> datetime | None:
    """UTC milliseconds as a time; 0 and negative values mean that nobody knows."""
    if millis is None:
        return None
    if isinstance(millis, bool) or not isinstance(millis, int | float):
        raise TypeError(f"expected milliseconds, found {type(millis).__name__}")
    if millis <= 0:
        return None
    return datetime.fromtimestamp(millis / 1000, tz=UTC)
