"""One search: from a question and hard conditions to a ranked page.

The index answers with ids alone; the roster says what they stand for, and only the page is read
whole. The lists of words and characters are searched while the question is embedded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter

from dataspoke.core.documents.characters import question_vector
from dataspoke.core.documents.keys import KEYS_FIELD, fold
from dataspoke.core.documents.model import CHARACTERS_VECTOR, DENSE_VECTOR, SPARSE_VECTOR
from dataspoke.core.documents.words import query_vector
from dataspoke.core.index.embedder import Embedder
from dataspoke.core.index.model import (
    Condition,
    DenseQuery,
    Payload,
    Scored,
    SparseQuery,
    VectorIndex,
    point_id,
)
from dataspoke.search_service.copies import collapsed
from dataspoke.search_service.explain import Explanation, Found, explain, query_stems
from dataspoke.search_service.filters import LINEAGE_FIELDS, Filter, conditions, describe
from dataspoke.search_service.fusion import Weights, fused, normalised, with_context
from dataspoke.search_service.lineage import lineage_condition
from dataspoke.search_service.navigate import Exact, Typed, exactness, navigated
from dataspoke.search_service.neighbours import Surroundings, limited, surroundings
from dataspoke.search_service.roster import Roster, RosterRow
from dataspoke.search_service.trust import Applied, applied, factor_of

CANDIDATES = 100
"""Length of each list. Fixed, so that every page of an answer cuts the same ranking."""

LISTED = 10_000
"""The most entities that a search without a question sorts by name."""

DEEPER = 10
"""How much longer the lists are where copies of a few tables fill them."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """`text` may be empty: then the entities under the filters are listed by name."""

    text: str
    filters: tuple[Filter, ...] = ()
    limit: int = 10
    offset: int = 0


@dataclass(frozen=True, slots=True)
class RankedHit:
    """Scores fall within one answer: 2 and more for what the question names, else about 0…1."""

    urn: str
    score: float
    payload: Payload
    explanation: Explanation
    around: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True, slots=True)
class Answer:
    """`total` counts what paging can reach, copies of a table once: for a question the distinct
    candidates of the lists and the exact names, without one every entity under the filters.
    `seconds` has the stages `embed`, `index`, `rank`."""

    hits: tuple[RankedHit, ...]
    total: int
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    row: RosterRow
    score: float
    found: Found
    signals: tuple[Applied, ...] = ()


Lists = Mapping[str, Sequence[Scored]]


class Searcher:
    """Answers questions over one index. Threads may share it."""

    def __init__(
        self,
        index: VectorIndex,
        roster: Roster,
        embedder: Embedder,
        weights: Weights | None = None,
    ) -> None:
        self._index = index
        self._roster = roster
        self._embedder = embedder
        self._weights = weights or Weights()
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="search-words")

    def search(self, query: SearchQuery, *, rights: Sequence[Condition] = ()) -> Answer:
        """Answer one query under its filters and the caller's rights. Raises RetriableError when
        the index is away."""
        hard = self._hard(query.filters, rights)
        if not query.text.strip():
            return self._listing(query, rights, hard)
        started = perf_counter()
        lists, embed_seconds = self.candidates(query.text, hard)
        exact = self.exactly_named(query.text, hard)
        answered = perf_counter()
        ranking = self._ranking(query.text, lists, exact)
        if len(ranking) < CANDIDATES // 2 and any(len(ids) == CANDIDATES for ids in lists.values()):
            lists, _ = self.candidates(query.text, hard, depth=CANDIDATES * DEEPER)
            ranking = self._ranking(query.text, lists, exact)
        hits = self._page(ranking, query, rights, hard)
        seconds = {
            "embed": embed_seconds,
            "index": answered - started - embed_seconds,
            "rank": perf_counter() - answered,
        }
        return Answer(hits, len(ranking), seconds)

    def any_under(self, filters: Sequence[Filter], *, rights: Sequence[Condition] = ()) -> bool:
        """Whether any entity fulfils these filters, for this caller."""
        return bool(self._index.matching(self._hard(filters, rights), limit=1))

    def named(
        self, text: str, filters: Sequence[Filter], *, rights: Sequence[Condition] = ()
    ) -> frozenset[str]:
        """Ids of the entities that `text` as a whole names, under these filters."""
        return frozenset(self.exactly_named(text, self._hard(filters, rights)))

    def _hard(self, filters: Sequence[Filter], rights: Sequence[Condition]) -> list[Condition]:
        hard = [*rights]
        for given in filters:
            if given.field in LINEAGE_FIELDS:
                hard.append(lineage_condition(given, self._index, rights))
            hard += conditions(given)
        return hard

    def _ranking(self, text: str, lists: Lists, exact: Collection[str]) -> list[Candidate]:
        rows = self._roster.rows({*exact, *(id_ for hits in lists.values() for id_, _ in hits)})
        return without_copies(rank(text, lists, exact, rows, self._weights))

    def candidates(
        self, text: str, hard: Sequence[Condition], *, depth: int = CANDIDATES
    ) -> tuple[Lists, float]:
        """The lists by the name of their vector, and the seconds that embedding took."""
        sparse = sparse_queries(text)
        waiting = self._pool.submit(self._index.search, sparse, conditions=hard, limit=depth)
        began = perf_counter()
        vector = self._embedder.embed([text])[0]
        seconds = perf_counter() - began
        dense = DenseQuery(DENSE_VECTOR, vector)
        [near] = self._index.search([dense], conditions=hard, limit=depth)
        names = [query.name for query in sparse]
        return {DENSE_VECTOR: near, **dict(zip(names, waiting.result(), strict=True))}, seconds

    def exactly_named(self, text: str, hard: Sequence[Condition]) -> list[str]:
        """Ids of the entities that `text` names, as `navigate` has it."""
        typed = Typed(text)
        if not self._roster.complete:
            keys = Condition(KEYS_FIELD, "in", typed.keys)
            ids = self._index.matching([*hard, keys], limit=LISTED)
        else:
            ids = self._roster.holding(*typed.keys)
        rows = self._roster.rows(ids)
        named = [id_ for id_, row in rows.items() if exactness(typed, row).level]
        if not named or not hard or not self._roster.complete:
            return named
        return self._index.matching(hard, limit=len(named), among=named)

    def entity(
        self, urn: str, *, rights: Sequence[Condition] = ()
    ) -> tuple[Payload, Surroundings] | None:
        """All that is known of an entity; None for what is not there or not for the caller."""
        one = point_id(urn)
        if rights and not self._index.matching(rights, limit=1, among=[one]):
            return None
        payload = self._index.fetch([one]).get(one)
        if payload is None:
            return None
        [around] = surroundings([payload], self._roster, self._index, rights=rights, hard=rights)
        return (limited(payload, around) if rights else payload), around

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    def _listing(
        self, query: SearchQuery, rights: Sequence[Condition], hard: Sequence[Condition]
    ) -> Answer:
        started = perf_counter()
        ids = self._index.matching(hard, limit=LISTED)
        total = len(ids) if len(ids) < LISTED else self._index.count(hard)
        answered = perf_counter()
        rows = self._roster.rows(ids).values()
        everything = [Candidate(row, 0.0, Found()) for row in rows]
        everything.sort(key=lambda c: (fold(c.row.name), c.row.urn))
        distinct = without_copies(everything)
        total -= len(everything) - len(distinct)
        hits = self._page(distinct, query, rights, hard)
        seconds = {"index": answered - started, "rank": perf_counter() - answered}
        return Answer(hits, total, seconds)

    def _page(
        self,
        ranking: Sequence[Candidate],
        query: SearchQuery,
        rights: Sequence[Condition],
        hard: Sequence[Condition],
    ) -> tuple[RankedHit, ...]:
        """What was deleted since the index answered is left out."""
        page = ranking[query.offset : query.offset + query.limit]
        payloads = self._index.fetch([candidate.row.id for candidate in page])
        page = [candidate for candidate in page if candidate.row.id in payloads]
        shown = [payloads[candidate.row.id] for candidate in page]
        around = surroundings(shown, self._roster, self._index, rights=rights, hard=hard)
        if rights:
            shown = [limited(payload, near) for payload, near in zip(shown, around, strict=True)]
        stems = query_stems(query.text)
        in_words = [describe(given) for given in query.filters]
        return tuple(
            RankedHit(
                candidate.row.urn,
                round(candidate.score, 6),
                payload,
                explain(payload, stems, candidate.found, in_words, candidate.signals),
                near,
            )
            for candidate, payload, near in zip(page, shown, around, strict=True)
        )


def sparse_queries(text: str) -> list[SparseQuery]:
    """The question as words and as characters; one of stop words alone has no words."""
    sparse = {SPARSE_VECTOR: query_vector(text), CHARACTERS_VECTOR: question_vector(text)}
    return [SparseQuery(name, given) for name, given in sparse.items() if given.indices]


def rank(
    text: str,
    lists: Lists,
    exact: Collection[str],
    rows: Mapping[str, RosterRow],
    weights: Weights,
) -> list[Candidate]:
    """The whole ranking, best first; ties by name and urn, so that it repeats exactly.

    `lists` has the hits by the name of their vector, as far as it was asked for, and `exact` the
    ids of the entities named so. What is not in `rows` is no longer there.
    """
    found_by = {
        name: {id_: score for id_, score in hits if name == DENSE_VECTOR or score > 0}
        for name, hits in lists.items()
    }
    near, worded = found_by.get(DENSE_VECTOR, {}), found_by.get(SPARSE_VECTOR, {})
    scores = fused(
        [
            (weights.meaning, near),
            (weights.words, worded),
            (weights.characters, found_by.get(CHARACTERS_VECTOR, {})),
        ]
    )
    containers = {id_: rows[id_].container for id_ in scores if id_ in rows}
    scores = with_context(scores, containers, weights.container)
    close = normalised(near)
    typed, named = Typed(text), set(exact)
    candidates = []
    for id_ in scores.keys() | named:
        row = rows.get(id_)
        if row is None:
            continue
        equal = exactness(typed, row) if id_ in named else Exact()
        found = Found(near.get(id_), worded.get(id_), close.get(id_, 0.0) >= 0.5, equal.field)
        signals = applied(row)
        score = navigated(equal, row, scores.get(id_, 0.0) * factor_of(signals))
        candidates.append(Candidate(row, score, found, signals))
    return sorted(candidates, key=lambda c: (-c.score, fold(c.row.name), c.row.urn))


def without_copies(ranking: Sequence[Candidate]) -> list[Candidate]:
    """The best of each group of copies, in the same order."""
    return collapsed(ranking, lambda one: one.row.copies_key)
