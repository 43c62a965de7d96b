"""A condition and the words that state it."""

from __future__ import annotations

from dataclasses import dataclass

from dataspoke.search_service.filters import Filter


@dataclass(frozen=True, slots=True)
class Said:
    """The tokens from `start` to `end` state `filters`. They leave the question if `takes`."""

    filters: tuple[Filter, ...]
    start: int
    end: int
    confidence: float
    takes: bool = True
