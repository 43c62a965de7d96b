"""The warehouse on a real PostgreSQL, started as the quickstart starts it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dataspoke.cli.quickstart.children import Children
from dataspoke.cli.quickstart.ports import choose_port
from dataspoke.cli.quickstart.postgres import DATABASE, Warehouse, find_installation
from dataspoke.cli.quickstart.warehouse.load import create_database, load
from dataspoke.cli.quickstart.warehouse.rows import generate
from dataspoke.cli.quickstart.warehouse.schemas import SCHEMAS


@pytest.fixture(scope="module")
def children(server_folder: Path) -> Iterator[Children]:
    made = Children(server_folder, server_folder / "lock")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def warehouse(server_folder: Path, children: Children) -> Warehouse:
    server = Warehouse(find_installation(), server_folder / "server", choose_port(0))
    server.open_for_server_user()
    server.create(children, os.environ)
    server.start(children, os.environ)
    server.wait_ready(children.check)
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        create_database(connection, DATABASE)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        assert load(connection, SCHEMAS, generate()) > 50_000
    return server


@pytest.fixture(scope="module")
def connection(warehouse: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as made:
        yield made


def test_all_tables_and_views_are_there(connection: psycopg.Connection[Any]) -> None:
    query = "SELECT table_schema || '.' || table_name FROM information_schema.tables"
    query += " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
    found = {name for (name,) in connection.execute(query)}
    assert found == {each.qualified_name for schema in SCHEMAS for each in schema.relations}


@pytest.mark.parametrize(
    "view", [view.qualified_name for schema in SCHEMAS for view in schema.views]
)
def test_every_view_has_rows(view: str, connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(f"SELECT count(*) FROM {view}").fetchone()
    assert row is not None
    assert row[0] > 0


def test_comments_are_in_the_catalogue(connection: psycopg.Connection[Any]) -> None:
    query = "SELECT obj_description('crm.customers'::regclass),"
    query += " col_description('crm.customers'::regclass, 4)"
    assert connection.execute(query).fetchone() == (
        "People with an account in the web shop: name, e-mail address, phone, consent and segment.",
        "E-mail address the customer signs in with; unique.",
    )


def test_foreign_keys_are_enforced(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("DELETE FROM crm.customers WHERE customer_id = 1")


def test_monthly_sales_are_the_sum_of_the_lines(connection: psycopg.Connection[Any]) -> None:
    per_month = connection.execute("SELECT count(*), sum(revenue_eur) FROM analytics.monthly_sales")
    lines = connection.execute("SELECT 14, sum(net_amount_eur) FROM sales.net_order_lines")
    assert per_month.fetchone() == lines.fetchone()


def test_late_parcels_are_late_and_a_small_part(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(
        "SELECT min(delay_days), max(delay_days), count(*)::float / (SELECT count(*) FROM"
        " shipping.shipments) FROM shipping.late_shipments"
    ).fetchone()
    assert row is not None
    least, most, share = row
    assert least == 1
    assert most < 60
    assert 0.03 < share < 0.25


def test_order_totals_are_the_sum_of_their_lines(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(
        "SELECT count(*) FROM sales.orders AS o WHERE o.total_eur - o.shipping_fee_eur <>"
        " (SELECT sum(l.quantity * l.unit_price_eur - l.discount_eur)"
        "  FROM sales.order_lines AS l WHERE l.order_id = o.order_id)"
    ).fetchone()
    assert row == (0,)


def test_the_server_asks_for_its_password(warehouse: Warehouse) -> None:
    wrong = warehouse.conninfo().replace(warehouse.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_server_listens_on_the_loopback_alone(connection: psycopg.Connection[Any]) -> None:
    assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


def test_it_starts_again_after_a_kill(server_folder: Path) -> None:
    children = Children(server_folder, server_folder / "another-lock")
    server = Warehouse(find_installation(), server_folder / "another", choose_port(0))
    try:
        server.open_for_server_user()
        server.create(children, os.environ)
        child = server.start(children, os.environ)
        server.wait_ready(children.check)
        os.kill(child.pid, 9)
        children.stop()
        children.services.clear()
        server.start(children, os.environ)
        server.wait_ready(children.check)
    finally:
        children.stop()
