"""From what a person asks to an answer: conditions are read, applied, and given up if need be."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from dataspoke.core.index.model import Condition, point_id
from dataspoke.search_service.filters import Filter
from dataspoke.search_service.parse.grammar import parse
from dataspoke.search_service.parse.model import Correction, Parsed, ParsedFilter
from dataspoke.search_service.parse.vocabulary import Vocabulary, vocabulary_of
from dataspoke.search_service.retrieve import Answer, Searcher, SearchQuery
from dataspoke.search_service.roster import Roster

_SMALL = 2_000
_LOOK_SECONDS = 1.0
_SHARE = 10


@dataclass(frozen=True, slots=True)
class Question:
    """`filters` are explicit, and hard. Filters whose ids are in `dropped` are not applied."""

    text: str
    filters: tuple[Filter, ...] = ()
    limit: int = 10
    offset: int = 0
    parse: bool = True
    dropped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ShownFilter:
    """A filter of the answer. `parsed` tells where in the question it was read; `relaxed` says
    that nothing would have been left and that it was given up."""

    filter: Filter
    parsed: ParsedFilter | None = None
    relaxed: bool = False


@dataclass(frozen=True, slots=True)
class Understood:
    """The answer and what was understood. `rest` is what was searched for."""

    answer: Answer
    rest: str
    applied: tuple[ShownFilter, ...]
    corrections: tuple[Correction, ...] = field(default=())


def answer_to(
    asked: Question,
    searcher: Searcher,
    vocabulary: Vocabulary,
    now: datetime,
    *,
    rights: Sequence[Condition] = (),
) -> Understood:
    """Answer a question. Raises RetriableError when the index is away."""
    explicit = tuple(given for given in asked.filters if given.id not in asked.dropped)

    def found(text: str, read: Sequence[ParsedFilter]) -> Answer:
        filters = dict.fromkeys((*explicit, *(each.filter for each in read)))
        query = SearchQuery(text, tuple(filters), asked.limit, asked.offset)
        return searcher.search(query, rights=rights)

    parsed = Parsed(asked.text)
    if asked.parse:
        parsed = parse(asked.text, vocabulary, now, dropped=asked.dropped)
    answer = found(parsed.rest, parsed.filters)
    if parsed.filters and _misses_a_name(asked.text, answer, explicit, searcher, rights):
        parsed = Parsed(asked.text)
        answer = found(asked.text, ())
    relaxed: frozenset[str] = frozenset()
    rest = parsed.rest
    if not answer.total and parsed.filters:
        relaxed = _given_up(parsed.filters, explicit, searcher, rights)
        kept = [each for each in parsed.filters if each.id not in relaxed]
        rest = parse(asked.text, vocabulary, now, dropped=asked.dropped | relaxed).rest
        answer = found(rest, kept)
    applied = [ShownFilter(given) for given in explicit]
    applied += [ShownFilter(each.filter, each, each.id in relaxed) for each in parsed.filters]
    return Understood(answer, rest, tuple(applied), parsed.corrections)


def _misses_a_name(
    text: str,
    answer: Answer,
    explicit: Sequence[Filter],
    searcher: Searcher,
    rights: Sequence[Condition],
) -> bool:
    """Whether the whole question names an entity that its conditions hide: a name comes first."""
    named = searcher.named(text, explicit, rights=rights)
    return bool(named) and not any(point_id(hit.urn) in named for hit in answer.hits[:1])


def _given_up(
    read: Sequence[ParsedFilter],
    explicit: Sequence[Filter],
    searcher: Searcher,
    rights: Sequence[Condition],
) -> frozenset[str]:
    """The fewest that leave something, least confident first, and exclusions last of all: nobody
    wants to see what they excluded."""

    def some(kept: Collection[ParsedFilter]) -> bool:
        return searcher.any_under([*explicit, *(each.filter for each in kept)], rights=rights)

    order = sorted(read, key=lambda each: (_excludes(each.filter), each.confidence))
    kept = list(order)
    given: list[ParsedFilter] = []
    while kept and not some(kept):
        given.append(kept.pop(0))
    for each in reversed(given[:-1]):
        if some([*kept, each]):
            kept.append(each)
    return frozenset(each.id for each in read if each not in kept)


def _excludes(given: Filter) -> bool:
    return given.negated and given.op in ("eq", "in", "all")


class VocabularyKeeper:
    """The vocabulary of the roster, as it is now: a small catalogue's at once, a large one's
    within seconds, from a thread that takes a tenth of one processor at most."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._generation = -1
        self._vocabulary = Vocabulary()
        self._building = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vocabulary", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, timeout: float) -> bool:
        """True if the thread has ended within `timeout` seconds."""
        self._stop.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def current(self) -> Vocabulary:
        """The newest vocabulary there is."""
        if len(self._roster) <= _SMALL:
            self._refresh()
        return self._vocabulary

    def _refresh(self) -> None:
        if self._generation == self._roster.generation:
            return
        with self._building:
            generation = self._roster.generation
            if self._generation != generation:
                self._vocabulary = vocabulary_of(self._roster.facts())
                self._generation = generation

    def _run(self) -> None:
        wait = _LOOK_SECONDS
        while not self._stop.wait(wait):
            started = perf_counter()
            self._refresh()
            wait = max(_LOOK_SECONDS, _SHARE * (perf_counter() - started))
