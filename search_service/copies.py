"""Copies, shards and siblings of one table as one hit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def collapsed(ranking: Iterable[T], key_of: Callable[[T], str]) -> list[tuple[T, list[T]]]:
    """The best of each group with the others of it, best first; an empty key is a group alone.

    >>> collapsed(["a1", "b1", "a2", "-"], lambda one: one[0].strip("-"))
    [('a1', ['a2']), ('b1', []), ('-', [])]
    """
    groups: dict[str, tuple[T, list[T]]] = {}
    hits: list[tuple[T, list[T]]] = []
    for one in ranking:
        key = key_of(one)
        if key and key in groups:
            groups[key][1].append(one)
            continue
        hit: tuple[T, list[T]] = (one, [])
        hits.append(hit)
        if key:
            groups[key] = hit
    return hits
