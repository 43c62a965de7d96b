"""One search: from a question and hard filters to a ranked page.

The index answers at most two requests: the nearest neighbours in meaning and in words in one,
and the entities named exactly as the question in the other. Everything else is pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from dataspoke.core.documents.keys import KEYS_FIELD, fold, key
from dataspoke.core.documents.model import DENSE_VECTOR, SPARSE_VECTOR
from dataspoke.core.documents.words import query_vector
from dataspoke.core.index.embedder import Embedder
from dataspoke.core.index.model import (
    Condition,
    DenseQuery,
    Hit,
    Payload,
    SparseQuery,
    VectorIndex,
)
from dataspoke.search_service.explain import Explanation, Found, explain, query_stems
from dataspoke.search_service.filters import Filter, conditions, describe
from dataspoke.search_service.fusion import Weights, fused, normalised, with_context

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
    urn: str
    score: float
    payload: Payload
    found: Found


def search(query: SearchQuery, index: VectorIndex, embedder: Embedder, weights: Weights) -> Answer:
    """Answer one query. Raises RetriableError when the index is away."""
    hard = [condition for given in query.filters for condition in conditions(given)]
    if not query.text.strip():
        return _listing(query, index, hard)
    started = perf_counter()
    vector = embedder.embed([query.text])[0]
    embedded = perf_counter()
    queries: list[DenseQuery | SparseQuery] = [DenseQuery(DENSE_VECTOR, vector)]
    sparse = query_vector(query.text)
    if sparse.indices:
        queries.append(SparseQuery(SPARSE_VECTOR, sparse))
    lists = index.search(queries, conditions=hard, limit=CANDIDATES)
    exact = index.scroll([*hard, exactly_named(query.text)], limit=CANDIDATES)
    answered = perf_counter()
    ranking = rank(query.text, lists[0], lists[1] if len(lists) > 1 else [], exact, weights)
    hits = _explained(_page(ranking, query), query)
    seconds = {
        "embed": embedded - started,
        "index": answered - embedded,
        "rank": perf_counter() - answered,
    }
    return Answer(hits, len(ranking), seconds)


def exactly_named(text: str) -> Condition:
    """Entities whose urn, qualified name (or an ending of it) or name is `text`, in any case."""
    bare = text.strip().strip("\"'`")
    return Condition(KEYS_FIELD, "in", (key("name", bare), key("urn", bare)))


def rank(
    text: str, meaning: Sequence[Hit], words: Sequence[Hit], exact: Sequence[Hit], weights: Weights
) -> list[Candidate]:
    """The whole ranking, best first; ties by name and urn, so that it repeats exactly."""
    payloads = {hit.urn: hit.payload for hits in (exact, words, meaning) for hit in hits}
    near = {hit.urn: hit.score for hit in meaning}
    worded = {hit.urn: hit.score for hit in words if hit.score > 0}
    scores = fused(near, worded, weights)
    containers = {urn: payloads[urn].get("container") or "" for urn in scores}
    scores = with_context(scores, containers, weights.container)
    close = normalised(near)
    exact_urns = {hit.urn for hit in exact}
    candidates = []
    for urn, payload in payloads.items():
        equal = _exact_field(text, payload) if urn in exact_urns else ""
        found = Found(near.get(urn), worded.get(urn), close.get(urn, 0.0) >= 0.5, equal)
        score = scores.get(urn, 0.0) + _EXACT_BONUS[equal]
        candidates.append(Candidate(urn, score, payload, found))
    return sorted(candidates, key=lambda c: (-c.score, fold(c.payload["name"]), c.urn))


def _exact_field(text: str, payload: Payload) -> str:
    asked = fold(text.strip().strip("\"'`"))
    if asked == fold(payload["urn"]):
        return "urn"
    if asked == fold(payload["qualified_name"]) and "." in asked:
        return "qualified name"
    return "name"


def _listing(query: SearchQuery, index: VectorIndex, hard: Sequence[Condition]) -> Answer:
    started = perf_counter()
    found = index.scroll(hard, limit=LISTED)
    total = len(found) if len(found) < LISTED else index.count(hard)
    answered = perf_counter()
    everything = [Candidate(hit.urn, 0.0, hit.payload, Found()) for hit in found]
    everything.sort(key=lambda c: (fold(c.payload["name"]), c.urn))
    hits = _explained(_page(everything, query), query)
    seconds = {"index": answered - started, "rank": perf_counter() - answered}
    return Answer(hits, total, seconds)


def _page(ranking: Sequence[Candidate], query: SearchQuery) -> Sequence[Candidate]:
    return ranking[query.offset : query.offset + query.limit]


def _explained(page: Sequence[Candidate], query: SearchQuery) -> tuple[RankedHit, ...]:
    stems = query_stems(query.text)
    in_words = [describe(given) for given in query.filters]
    return tuple(
        RankedHit(c.urn, round(c.score, 6), c.payload, explain(c.payload, stems, c.found, in_words))
        for c in page
    )
