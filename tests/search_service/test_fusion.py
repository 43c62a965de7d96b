from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataspoke.search_service.fusion import fused, normalised, with_context

urns = st.sampled_from([f"u{i}" for i in range(12)])
raw_scores = st.dictionaries(urns, st.floats(-10, 100, allow_nan=False), max_size=12)
shares = st.floats(0, 1)


@given(raw_scores)
def test_normalised_scores_lie_between_0_and_1_and_keep_their_order(raw: dict[str, float]) -> None:
    scores = normalised(raw)
    assert scores.keys() == raw.keys()
    assert all(0 <= score <= 1 for score in scores.values())
    for a in raw:
        for b in raw:
            if raw[a] > raw[b]:
                assert scores[a] >= scores[b]


@given(raw_scores, raw_scores, shares)
def test_fused_scores_cover_both_lists_and_stay_between_0_and_1(
    meaning: dict[str, float], words: dict[str, float], share: float
) -> None:
    scores = fused([(share, meaning), (1 - share, words)])
    assert scores.keys() == meaning.keys() | words.keys()
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in scores.values())


@given(raw_scores, raw_scores)
def test_what_is_best_in_both_lists_is_best_of_all(
    meaning: dict[str, float], words: dict[str, float]
) -> None:
    scores = fused([(0.5, {**meaning, "best": 1000.0}), (0.5, {**words, "best": 1000.0})])
    assert scores["best"] == max(scores.values())


@given(raw_scores, st.dictionaries(urns, st.sampled_from(["a", "b", ""])), shares)
def test_with_its_container_an_entity_never_scores_above_the_best_of_it(
    raw: dict[str, float], containers: dict[str, str], share: float
) -> None:
    scores = normalised(raw)
    lifted = with_context(scores, containers, share)
    for urn, score in scores.items():
        home = containers.get(urn)
        mates = [s for u, s in scores.items() if home and containers.get(u) == home] or [score]
        assert 0 <= lifted[urn] <= max(mates) + 1e-9


@given(raw_scores)
def test_without_containers_the_context_keeps_the_order(raw: dict[str, float]) -> None:
    scores = normalised(raw)
    lifted = with_context(scores, {}, 0.3)
    for a in scores:
        for b in scores:
            assert (lifted[a] > lifted[b]) == (scores[a] > scores[b])


def test_a_table_is_lifted_by_its_schema_over_a_stranger_of_equal_score() -> None:
    scores = {"ships.crew": 0.5, "films.crew": 0.5, "ships.decks": 0.9}
    containers = {"ships.crew": "ships", "ships.decks": "ships", "films.crew": "films"}
    lifted = with_context(scores, containers, 0.2)
    assert lifted["ships.crew"] > lifted["films.crew"]
    assert lifted["ships.decks"] == max(lifted.values())


def test_several_good_tables_speak_for_a_schema_more_than_one() -> None:
    scores = {"a.1": 0.9, "a.2": 0.8, "a.3": 0.8, "b.1": 0.9}
    lifted = with_context(scores, {urn: urn[0] for urn in scores}, 0.5)
    assert lifted["a.1"] > lifted["b.1"]
