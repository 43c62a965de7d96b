from __future__ import annotations

from collections.abc import Sequence

import pytest
from airline_catalogue import FLIGHT, PEOPLE, table

from dataspoke.core.documents.model import DENSE_VECTOR, SPARSE_VECTOR
from dataspoke.core.documents.render import render
from dataspoke.core.entities import EntitySnapshot
from dataspoke.core.index.model import Scored, point_id
from dataspoke.search_service.fusion import Weights
from dataspoke.search_service.retrieve import Candidate, Lists
from dataspoke.search_service.retrieve import rank as rank_rows
from dataspoke.search_service.roster import row_of

WEIGHTS = Weights(meaning=0.5, words=0.5, characters=0.0, container=0.0)


ROWS = {}


def lists(meaning: Sequence[Scored], words: Sequence[Scored] = ()) -> Lists:
    return {DENSE_VECTOR: meaning, SPARSE_VECTOR: words}


def hit(snapshot: EntitySnapshot, score: float) -> Scored:
    id_ = point_id(snapshot.urn)
    ROWS[id_] = row_of(id_, render(snapshot, model_id="hash").payload, {})
    return Scored(id_, score)


def rank(text: str, found: Lists, exact: Sequence[Scored], weights: Weights) -> list[Candidate]:
    return rank_rows(text, found, [one.id for one in exact], ROWS, weights)


FLIGHTS = table("flights")
CREW = table("crew", schema=PEOPLE)
SEATS = table("seats", schema=FLIGHT)


def test_what_both_lists_hold_goes_before_what_one_holds() -> None:
    meaning = [hit(FLIGHTS, 0.5), hit(CREW, 0.45), hit(SEATS, 0.1)]
    ranking = rank("any", lists(meaning, [hit(CREW, 9), hit(SEATS, 2)]), [], WEIGHTS)
    assert [c.row.name for c in ranking] == ["crew", "flights", "seats"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("SEATS", "name"),
        ("`seats`", "name"),
        ("flight.seats", "name"),
        ("Airline.Flight.Seats", "qualified name"),
        (SEATS.urn.upper(), "urn"),
    ],
)
def test_an_exact_name_goes_first_whatever_the_lists_say(asked: str, field: str) -> None:
    found = lists([hit(FLIGHTS, 0.9), hit(SEATS, 0.1)], [hit(FLIGHTS, 9)])
    ranking = rank(asked, found, [hit(SEATS, 0)], WEIGHTS)
    assert ranking[0].row.urn == SEATS.urn
    assert ranking[0].found.exact == field


def test_an_exact_name_counts_although_no_list_holds_it() -> None:
    ranking = rank("seats", lists([hit(FLIGHTS, 0.9)]), [hit(SEATS, 0)], WEIGHTS)
    assert [c.row.urn for c in ranking] == [SEATS.urn, FLIGHTS.urn]
    assert ranking[0].found.by == ("name",)


def test_equal_scores_are_ordered_by_name_and_urn() -> None:
    twins = [table("b"), table("a"), table("a", platform="snowflake")]
    ranking = rank("any", lists([hit(twin, 0.5) for twin in twins]), [], WEIGHTS)
    assert [c.row.urn for c in ranking] == [twins[1].urn, twins[2].urn, twins[0].urn]


def test_only_the_nearer_half_is_called_close_in_meaning() -> None:
    near = [hit(FLIGHTS, 0.6), hit(SEATS, 0.3), hit(CREW, 0.2)]
    words = [hit(snapshot, 1.0) for snapshot in (FLIGHTS, SEATS, CREW)]
    ranking = rank("any", lists(near, words), [], WEIGHTS)
    assert {c.row.name: c.found.close for c in ranking} == {
        "flights": True,
        "seats": False,
        "crew": False,
    }


def test_nothing_found_is_an_empty_ranking() -> None:
    assert rank("any", lists([]), [], Weights()) == []


def test_what_is_no_longer_in_the_index_is_left_out() -> None:
    assert rank("any", lists([Scored("gone", 0.9)]), [Scored("lost", 0)], WEIGHTS) == []
