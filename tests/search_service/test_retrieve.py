from __future__ import annotations

from collections.abc import Sequence

import pytest
from airline_catalogue import FLIGHT, PEOPLE, table

from dataspoke.core.documents.model import DENSE_VECTOR, SPARSE_VECTOR
from dataspoke.core.documents.render import render
from dataspoke.core.entities import EntitySnapshot
from dataspoke.core.index.model import Hit
from dataspoke.search_service.fusion import Weights
from dataspoke.search_service.retrieve import rank

WEIGHTS = Weights(meaning=0.5, words=0.5, characters=0.0, container=0.0)


def lists(meaning: Sequence[Hit], words: Sequence[Hit] = ()) -> dict[str, Sequence[Hit]]:
    return {DENSE_VECTOR: meaning, SPARSE_VECTOR: words}


def hit(snapshot: EntitySnapshot, score: float) -> Hit:
    return Hit(snapshot.urn, score, render(snapshot, model_id="hash").payload)


FLIGHTS = table("flights")
CREW = table("crew", schema=PEOPLE)
SEATS = table("seats", schema=FLIGHT)


def test_what_both_lists_hold_goes_before_what_one_holds() -> None:
    meaning = [hit(FLIGHTS, 0.5), hit(CREW, 0.45), hit(SEATS, 0.1)]
    ranking = rank("any", lists(meaning, [hit(CREW, 9), hit(SEATS, 2)]), [], WEIGHTS)
    assert [c.payload["name"] for c in ranking] == ["crew", "flights", "seats"]


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
    assert ranking[0].urn == SEATS.urn
    assert ranking[0].found.exact == field


def test_an_exact_name_counts_although_no_list_holds_it() -> None:
    ranking = rank("seats", lists([hit(FLIGHTS, 0.9)]), [hit(SEATS, 0)], WEIGHTS)
    assert [c.urn for c in ranking] == [SEATS.urn, FLIGHTS.urn]
    assert ranking[0].found.by == ("name",)


def test_equal_scores_are_ordered_by_name_and_urn() -> None:
    twins = [table("b"), table("a", env="DEV"), table("a")]
    ranking = rank("any", lists([hit(twin, 0.5) for twin in twins]), [], WEIGHTS)
    assert [c.urn for c in ranking] == [twins[1].urn, twins[2].urn, twins[0].urn]


def test_only_the_nearer_half_is_called_close_in_meaning() -> None:
    near = [hit(FLIGHTS, 0.6), hit(SEATS, 0.3), hit(CREW, 0.2)]
    words = [hit(snapshot, 1.0) for snapshot in (FLIGHTS, SEATS, CREW)]
    ranking = rank("any", lists(near, words), [], WEIGHTS)
    assert {c.payload["name"]: c.found.close for c in ranking} == {
        "flights": True,
        "seats": False,
        "crew": False,
    }


def test_nothing_found_is_an_empty_ranking() -> None:
    assert rank("any", lists([]), [], Weights()) == []
