"""The generator: a pure function of (seed, day) whose rows fit the definitions."""

from __future__ import annotations

import doctest
import importlib
import itertools
import re
from datetime import date, timedelta

import pytest

from dataspoke.cli.quickstart.warehouse.model import Row, Table
from dataspoke.cli.quickstart.warehouse.rows import generate
from dataspoke.cli.quickstart.warehouse.rows.chance import FIRST_DAY, SEED_DAY
from dataspoke.cli.quickstart.warehouse.schemas import SCHEMAS

TABLES = {table.qualified_name: table for schema in SCHEMAS for table in schema.tables}
# What may still change after a row was first there; everything else of a row is final.
MOVING = {
    "sales.orders": {"status"},
    "shipping.shipments": {"delivered_at", "status"},
    "crm.support_tickets": {"closed_at", "satisfaction"},
    "marketing.newsletter_subscriptions": {"unsubscribed_at"},
    "catalog.price_history": {"valid_to"},
}
REPLACED_DAILY = {"shipping.stock_levels"}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    return generate()


def column(rows: dict[str, list[Row]], table: str, name: str) -> list[object]:
    place = [each.name for each in TABLES[table].columns].index(name)
    return [row[place] for row in rows[table]]


def test_equal_arguments_give_equal_rows(rows: dict[str, list[Row]]) -> None:
    assert generate() == rows


def test_another_seed_gives_other_rows(rows: dict[str, list[Row]]) -> None:
    assert generate(seed=8)["sales.orders"] != rows["sales.orders"]


def test_every_table_has_rows_and_no_others_exist(rows: dict[str, list[Row]]) -> None:
    assert set(rows) == set(TABLES)
    assert all(rows.values())


def test_there_are_tens_of_thousands_of_rows(rows: dict[str, list[Row]]) -> None:
    assert 50_000 < sum(map(len, rows.values())) < 150_000


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.qualified_name)
def test_rows_fit_their_table(table: Table, rows: dict[str, list[Row]]) -> None:
    for row in rows[table.qualified_name]:
        assert len(row) == len(table.columns)
        for value, each in zip(row, table.columns, strict=True):
            assert value is not None or each.nullable, each.name


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.qualified_name)
def test_keys_are_unique_and_point_at_something(table: Table, rows: dict[str, list[Row]]) -> None:
    if table.primary_key:
        keys = list(_values(rows, table, table.primary_key))
        assert len(set(keys)) == len(keys)
    for key in table.foreign_keys:
        targets = set(_values(rows, TABLES[key.target], key.target_columns))
        values = {each for each in _values(rows, table, key.columns) if None not in each}
        assert values <= targets


def _values(rows: dict[str, list[Row]], table: Table, names: tuple[str, ...]) -> list[Row]:
    places = [[each.name for each in table.columns].index(name) for name in names]
    return [tuple(row[place] for place in places) for row in rows[table.qualified_name]]


@pytest.mark.parametrize("days", [7, 120])
def test_a_later_day_adds_rows_and_moves_open_states_only(
    days: int, rows: dict[str, list[Row]]
) -> None:
    earlier = generate(day=SEED_DAY - timedelta(days=days))
    for name, table in TABLES.items():
        if name in REPLACED_DAILY:
            continue
        keys = table.primary_key or tuple(each.name for each in table.columns)
        later = dict(zip(_values(rows, table, keys), rows[name], strict=True))
        for key, row in zip(_values(earlier, table, keys), earlier[name], strict=True):
            moved = {
                each.name
                for each, old, new in zip(table.columns, row, later[key], strict=True)
                if old != new
            }
            assert moved <= MOVING.get(name, set()), (name, key)


def test_nothing_is_known_before_it_happened() -> None:
    day = FIRST_DAY + timedelta(days=30)
    rows = generate(day=day)
    moments = {
        "crm.customers": "registered_at",
        "sales.orders": "ordered_at",
        "sales.payments": "paid_at",
        "shipping.shipments": "shipped_at",
        "shipping.tracking_events": "occurred_at",
        "marketing.email_sends": "sent_at",
    }
    for table, name in moments.items():
        assert max(column(rows, table, name)).date() <= day  # type: ignore[type-var, attr-defined]


def test_parcels_are_scanned_in_the_order_of_time(rows: dict[str, list[Row]]) -> None:
    scans = rows["shipping.tracking_events"]
    for before, after in itertools.pairwise(scans):
        if before[0] == after[0]:
            assert before[2] <= after[2]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("table", "name", "pattern"),
    [
        ("crm.customers", "email", r"[a-z]+\.[a-z]+\d+@[a-z.]+"),
        ("crm.customers", "phone", r"\+\d{2} \d{3} \d{7,8}"),
        ("crm.postal_addresses", "postal_code", r"\d{4,5}"),
        ("crm.payment_methods", "iban_last4", r"\d{4}"),
        ("crm.payment_methods", "card_last4", r"\d{4}"),
        ("marketing.newsletter_subscriptions", "subscriber_email", r"[a-z]+\.[a-z]+\d+@[a-z.]+"),
        ("catalog.books", "isbn13", r"97839900\d{5}"),
        ("shipping.shipments", "tracking_number", r"DS\d{10}"),
    ],
)
def test_values_look_like_what_they_are(
    table: str, name: str, pattern: str, rows: dict[str, list[Row]]
) -> None:
    values = [str(value) for value in column(rows, table, name) if value is not None]
    assert values
    assert all(re.fullmatch(pattern, value) for value in values)


def test_mail_addresses_belong_to_no_real_domain(rows: dict[str, list[Row]]) -> None:
    hosts = {str(mail).partition("@")[2] for mail in column(rows, "crm.customers", "email")}
    assert all(re.search(r"(^|\.)example(\.(com|net|org))?$", host) for host in hosts)


def test_some_birth_dates_are_missing_and_the_others_are_of_adults(
    rows: dict[str, list[Row]],
) -> None:
    born = column(rows, "crm.customers", "birth_date")
    known = [day for day in born if isinstance(day, date)]
    assert 0 < len(known) < len(born)
    assert max(known) < date(2008, 1, 1)


@pytest.mark.parametrize("module", ["chance", "books", "people", "orders"])
def test_the_examples_in_docstrings_hold(module: str) -> None:
    name = f"dataspoke.cli.quickstart.warehouse.rows.{module}"
    assert doctest.testmod(importlib.import_module(name)).failed == 0
