"""From several ranked lists to one score per entity. Pure.

Scores of different lists are not comparable: a cosine lies between 0.2 and 0.7, a sum of IDF
weights anywhere. Each list is therefore brought to 0…1 within the query before it is weighed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each sign counts. `meaning` + `words` should be 1, so that scores stay in 0…1.

    `container` is the share (0…1) of the final score that an entity takes from the best score
    in its container: in a database about ships the table `crew` is likelier meant than in one
    about films. Chosen with benchmarks/search_quality.py.
    """

    meaning: float = 0.4
    words: float = 0.6
    container: float = 0.3


def normalised(scores: Scores) -> dict[str, float]:
    """The best score becomes 1 and the worst 0; all equal become 1.

    >>> normalised({"a": 3.0, "b": 1.0, "c": 2.0})
    {'a': 1.0, 'b': 0.0, 'c': 0.5}
    """
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    spread = high - low
    if spread <= 0:
        return dict.fromkeys(scores, 1.0)
    return {urn: (score - low) / spread for urn, score in scores.items()}


def fused(meaning: Scores, words: Scores, weights: Weights) -> dict[str, float]:
    """The weighted sum over the union of both lists; what a list misses counts 0 there.

    >>> fused({"a": 0.6, "b": 0.2}, {"b": 7.0}, Weights(meaning=0.6, words=0.4))
    {'a': 0.6, 'b': 0.4}
    """
    lists = ((weights.meaning, normalised(meaning)), (weights.words, normalised(words)))
    total: dict[str, float] = {}
    for weight, scores in lists:
        for urn, score in scores.items():
            total[urn] = total.get(urn, 0.0) + weight * score
    return total


def with_context(scores: Scores, containers: Mapping[str, str], share: float) -> dict[str, float]:
    """Blend each score with the best score of the same container.

    `containers` maps urns to their container, empty for none; such an entity is its own
    container. The best entity of all keeps its score and its place.
    """
    best: dict[str, float] = {}
    for urn, score in scores.items():
        home = containers.get(urn) or urn
        best[home] = max(best.get(home, 0.0), score)
    return {
        urn: (1 - share) * score + share * best[containers.get(urn) or urn]
        for urn, score in scores.items()
    }
