"""From several ranked lists to one score per entity. Pure.

Scores of different lists are not comparable: a cosine lies between 0.2 and 0.7, a sum of IDF
weights anywhere. Each list is therefore brought to 0…1 within the query before it is weighed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Scores = Mapping[str, float]

_KIN = 3
_BEST = 0.6


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each sign counts: nearness in meaning, common words, common runs of characters.

    The three should be 1 together, so that scores stay in 0…1. `container` is the share (0…1) of
    the final score that an entity takes from the best of its container: in a database about
    ships the table `crew` is likelier meant than in one about films. Chosen with
    benchmarks/search_quality.py.
    """

    meaning: float = 0.41
    words: float = 0.41
    characters: float = 0.18
    container: float = 0.6


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


def fused(lists: Sequence[tuple[float, Scores]]) -> dict[str, float]:
    """The sum of the normalised lists by their weights; what a list misses counts 0 there.

    >>> fused([(0.6, {"a": 0.6, "b": 0.2}), (0.4, {"b": 7.0})])
    {'a': 0.6, 'b': 0.4}
    """
    total: dict[str, float] = {}
    for weight, scores in lists:
        for urn, score in normalised(scores).items():
            total[urn] = total.get(urn, 0.0) + weight * score
    return total


def with_context(scores: Scores, containers: Mapping[str, str], share: float) -> dict[str, float]:
    """Blend each score with that of its container.

    A container's score is its best entity's for the most part, and for the rest the mean of its
    best three, where missing ones count 0: several good tables speak for a database more than
    one. `containers` maps urns to their container, empty for none; such an entity is its own.
    """
    homes: dict[str, list[float]] = {}
    for urn, score in scores.items():
        homes.setdefault(containers.get(urn) or urn, []).append(score)
    worth = {}
    for home, inside in homes.items():
        inside.sort(reverse=True)
        worth[home] = _BEST * inside[0] + (1 - _BEST) * sum(inside[:_KIN]) / _KIN
    return {
        urn: (1 - share) * score + share * worth[containers.get(urn) or urn]
        for urn, score in scores.items()
    }
