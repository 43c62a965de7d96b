"""Copies, shards and siblings of one table as one hit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def collapsed(ranking: Iterable[T], key_of: Callable[[T], str]) -> list[T]:
    """The first of each group, in the same order; an empty key is a group alone.

    >>> collapsed(["a1", "b1", "a2", "-", "-"], lambda one: one[0].strip("-"))
    ['a1', 'b1', '-', '-']
    """
    seen: set[str] = set()
    kept = []
    for one in ranking:
        key = key_of(one)
        if not key or key not in seen:
            seen.add(key)
            kept.append(one)
    return kept
