"""What a question was understood to say."""

from __future__ import annotations

from dataclasses import dataclass

from dataspoke.search_service.filters import Filter


@dataclass(frozen=True, slots=True)
class ParsedFilter:
    """A condition that was read out of a question.

    `span` is where its words stand in the question (from, to) and `words` is that stretch.
    `confidence` (0…1) orders what is given up first when nothing is left.
    """

    id: str
    filter: Filter
    span: tuple[int, int]
    words: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Correction:
    """A word of the question that the catalogue spells otherwise."""

    typed: str
    read: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """`rest` is what remains to be searched by meaning and words; empty when the filters say it
    all. `corrections` are already part of `rest`."""

    rest: str
    filters: tuple[ParsedFilter, ...] = ()
    corrections: tuple[Correction, ...] = ()
