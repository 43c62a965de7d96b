"""One search: from a question and hard filters to a ranked page.

The index answers at most two requests: the nearest neighbours in meaning and in words in one,
and the entities named exactly as the question in the other. Everything else is pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    Hit,
    Payload,
    SparseQuery,
    Vector,
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
    asked = queries_for(query.text, vector)
    lists = index.search(list(asked.values()), conditions=hard, limit=CANDIDATES)
    exact = index.scroll([*hard, exactly_named(query.text)], limit=CANDIDATES)
    answered = perf_counter()
    ranking = rank(query.text, dict(zip(asked, lists, strict=True)), exact, weights)
    hits = _explained(_page(ranking, query), query)
    seconds = {
        "embed": embedded - started,
        "index": answered - embedded,
        "rank": perf_counter() - answered,
    }
    return Answer(hits, len(ranking), seconds)


def queries_for(text: str, vector: Vector) -> dict[str, DenseQuery | SparseQuery]:
    """What to ask the index, by the name of the vector; a question of stop words has no words."""
    asked: dict[str, DenseQuery | SparseQuery] = {DENSE_VECTOR: DenseQuery(DENSE_VECTOR, vector)}
    sparse = {SPARSE_VECTOR: query_vector(text), CHARACTERS_VECTOR: question_vector(text)}
    asked |= {name: SparseQuery(name, given) for name, given in sparse.items() if given.indices}
    return asked


def exactly_named(text: str) -> Condition:
    """Entities whose urn, qualified name (or an ending of it) or name is `text`, in any case."""
    bare = text.strip().strip("\"'`")
    return Condition(KEYS_FIELD, "in", (key("name", bare), key("urn", bare)))


def rank(
    text: str, lists: Mapping[str, Sequence[Hit]], exact: Sequence[Hit], weights: Weights
) -> list[Candidate]:
    """The whole ranking, best first; ties by name and urn, so that it repeats exactly.

    `lists` has the hits by the name of their vector, as far as it was asked for.
    """
    payloads = {hit.urn: hit.payload for hits in (exact, *lists.values()) for hit in hits}
    found_by = {
        name: {hit.urn: hit.score for hit in hits if name == DENSE_VECTOR or hit.score > 0}
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
