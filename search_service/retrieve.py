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
from dataspoke.core.documents.keys import KEYS_FIELD, fold, key
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
)
from dataspoke.search_service.explain import Explanation, Found, explain, query_stems
from dataspoke.search_service.filters import Filter, conditions, describe
from dataspoke.search_service.fusion import Weights, fused, normalised, with_context
from dataspoke.search_service.roster import Roster, RosterRow

CANDIDATES = 100
"""Length of each list. Fixed, so that every page of an answer cuts the same ranking."""

LISTED = 10_000
"""The most entities that a search without a question sorts by name."""

_EXACT_BONUS = {"urn": 4.0, "qualified name": 3.0, "name": 2.0, "": 0.0}


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """`text` may be empty: then the entities under the filters are listed by name."""

    text: str
    filters: tuple[Filter, ...] = ()
    limit: int = 10
    offset: int = 0


@dataclass(frozen=True, slots=True)
class RankedHit:
    """Scores fall within one answer. Below 1 they are fused; an exact name adds 2 to 4."""

    urn: str
    score: float
    payload: Payload
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Answer:
    """`total` counts what paging can reach: for a question the distinct candidates of both
    lists and the exact names, without one every entity under the filters. `seconds` has the
    stages `embed`, `index`, `rank`."""

    hits: tuple[RankedHit, ...]
    total: int
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    row: RosterRow
    score: float
    found: Found


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
        hard = [*rights, *(one for given in query.filters for one in conditions(given))]
        if not query.text.strip():
            return self._listing(query, hard)
        started = perf_counter()
        lists, embed_seconds = self.candidates(query.text, hard)
        exact = self.exactly_named(query.text, hard)
        answered = perf_counter()
        rows = self._roster.rows({*exact, *(id_ for hits in lists.values() for id_, _ in hits)})
        ranking = rank(query.text, lists, exact, rows, self._weights)
        hits = self._page(ranking, query)
        seconds = {
            "embed": embed_seconds,
            "index": answered - started - embed_seconds,
            "rank": perf_counter() - answered,
        }
        return Answer(hits, len(ranking), seconds)

    def candidates(self, text: str, hard: Sequence[Condition]) -> tuple[Lists, float]:
        """The lists by the name of their vector, and the seconds that embedding took."""
        sparse = sparse_queries(text)
        waiting = self._pool.submit(self._index.search, sparse, conditions=hard, limit=CANDIDATES)
        began = perf_counter()
        vector = self._embedder.embed([text])[0]
        seconds = perf_counter() - began
        dense = DenseQuery(DENSE_VECTOR, vector)
        [near] = self._index.search([dense], conditions=hard, limit=CANDIDATES)
        names = [query.name for query in sparse]
        return {DENSE_VECTOR: near, **dict(zip(names, waiting.result(), strict=True))}, seconds

    def exactly_named(self, text: str, hard: Sequence[Condition]) -> list[str]:
        """Ids of entities whose urn, qualified name (or an ending of it) or name is `text`, in
        any case."""
        bare = _bare(text)
        if not self._roster.complete:
            keys = Condition(KEYS_FIELD, "in", (key("name", bare), key("urn", bare)))
            return self._index.matching([*hard, keys], limit=CANDIDATES)
        named = self._roster.named(bare)
        if not named or (not hard and len(named) <= CANDIDATES):
            return named
        return self._index.matching(hard, limit=CANDIDATES, among=named)

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    def _listing(self, query: SearchQuery, hard: Sequence[Condition]) -> Answer:
        started = perf_counter()
        ids = self._index.matching(hard, limit=LISTED)
        total = len(ids) if len(ids) < LISTED else self._index.count(hard)
        answered = perf_counter()
        rows = self._roster.rows(ids).values()
        everything = [Candidate(row, 0.0, Found()) for row in rows]
        everything.sort(key=lambda c: (fold(c.row.name), c.row.urn))
        hits = self._page(everything, query)
        seconds = {"index": answered - started, "rank": perf_counter() - answered}
        return Answer(hits, total, seconds)

    def _page(self, ranking: Sequence[Candidate], query: SearchQuery) -> tuple[RankedHit, ...]:
        """What was deleted since the index answered is left out."""
        page = ranking[query.offset : query.offset + query.limit]
        payloads = self._index.fetch([candidate.row.id for candidate in page])
        stems = query_stems(query.text)
        in_words = [describe(given) for given in query.filters]
        return tuple(
            RankedHit(
                candidate.row.urn,
                round(candidate.score, 6),
                payload,
                explain(payload, stems, candidate.found, in_words),
            )
            for candidate in page
            if (payload := payloads.get(candidate.row.id)) is not None
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
    asked, named = fold(_bare(text)), set(exact)
    candidates = []
    for id_ in scores.keys() | named:
        row = rows.get(id_)
        if row is None:
            continue
        equal = _exact_field(asked, row) if id_ in named else ""
        found = Found(near.get(id_), worded.get(id_), close.get(id_, 0.0) >= 0.5, equal)
        candidates.append(Candidate(row, scores.get(id_, 0.0) + _EXACT_BONUS[equal], found))
    return sorted(candidates, key=lambda c: (-c.score, fold(c.row.name), c.row.urn))


def _bare(text: str) -> str:
    return text.strip().strip("\"'`")


def _exact_field(asked: str, row: RosterRow) -> str:
    if asked == fold(row.urn):
        return "urn"
    if asked == fold(row.qualified_name) and "." in asked:
        return "qualified name"
    return "name"
