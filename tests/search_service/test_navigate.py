from __future__ import annotations

import pytest
from airline_catalogue import table

from dataspoke.core.documents.render import render
from dataspoke.core.entities import EntitySnapshot
from dataspoke.core.index.model import point_id
from dataspoke.search_service.navigate import Exact, Typed, exactness, in_production, navigated
from dataspoke.search_service.roster import RosterRow, row_of


def row(snapshot: EntitySnapshot) -> RosterRow:
    return row_of(point_id(snapshot.urn), render(snapshot, model_id="x").payload, {})


LINES = row(table("order_lines"))
STAGED = row(table("order_lines", env="DEV"))
OLD = row(table("order_lines", deprecated=True))
USED = row(table("order_lines", queries_per_month=500))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("order_lines", "name"),
        ("  ORDER_LINES ", "name"),
        ('"order_lines"', "name"),
        ("order lines", "name"),
        ("order-lines", "name"),
        ("OrderLines", "name"),
        ("airline.flight.order_lines", "qualified name"),
        ("AIRLINE.FLIGHT.ORDER_LINES", "qualified name"),
        ("flight.order_lines", "name"),
        ("flight order lines", "name"),
        (LINES.urn.upper(), "urn"),
        ("postgres order_lines", "name and place"),
        ("order_lines postgresql", "name and place"),
        ("order_lines in prod", "name and place"),
        ("prod.flight.order_lines", "name and place"),
        ("the order lines table in airline", "name and place"),
        ("order_lines in dev", ""),
        ("snowflake order_lines", ""),
        ("lines", ""),
        ("how many order lines are late", ""),
        ("in the", ""),
        ("", ""),
    ],
)
def test_only_a_whole_name_with_its_place_is_exact(text: str, field: str) -> None:
    typed = Typed(text)
    assert exactness(typed, LINES).field == field
    if field:
        document = render(table("order_lines"), model_id="x")
        assert set(typed.keys) & set(document.payload["keys"])


def test_a_literal_name_comes_before_another_spelling() -> None:
    camel = row(table("orderLines"))
    typed = Typed("order_lines")
    assert exactness(typed, LINES).level > exactness(typed, camel).level > 0


def test_the_end_of_a_path_is_the_name_even_where_the_database_is_called_like_a_table() -> None:
    def in_herd(name: str) -> RosterRow:
        found = table(name, qualified_name=f"herd_book.{name}", containers=())
        return row(found)

    typed = Typed("prod.herd_book.herd")
    levels = [exactness(typed, in_herd(name)).level for name in ("herd", "herd_book", "book")]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > levels[1]


@pytest.mark.parametrize("lower", [STAGED, OLD])
def test_of_equal_names_production_and_what_is_current_come_first(lower: RosterRow) -> None:
    name = Exact("name", 4)
    assert navigated(name, LINES, 0.0) > navigated(name, lower, 1.0)
    assert navigated(name, USED, 0.0) > navigated(name, LINES, 0.5)


@pytest.mark.parametrize("level", range(1, 9))
def test_levels_never_overlap_and_stand_above_all_questions(level: int) -> None:
    worst = navigated(Exact("x", level), row(table("a", env="DEV", deprecated=True)), 0.0)
    best = navigated(Exact("x", level - 1), USED, 1.0)
    assert worst > best
    assert worst > 1.12


def test_a_database_named_after_an_environment_is_not_production() -> None:
    assert in_production("PROD", ("shop", "sales"))
    assert in_production("", ("prod_shop",))
    assert not in_production("PROD", ("shop_dev", "sales"))
    assert not in_production("DEV", ("shop",))
