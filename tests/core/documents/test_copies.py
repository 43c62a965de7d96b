from __future__ import annotations

from dataclasses import replace

import pytest

from dataspoke.core.documents.copies import copies_key, undated
from dataspoke.core.entities import Column, EntitySnapshot

COLUMNS = tuple(Column(name) for name in ("Id", "total", "placed_at"))


def key_of(
    qualified: str, *, platform: str = "snowflake", env: str = "PROD", **more: object
) -> str:
    path, _, name = qualified.rpartition(".")
    table = EntitySnapshot(
        urn=f"urn:li:dataset:(urn:li:dataPlatform:{platform},{qualified},{env})",
        entity_type="dataset",
        name=name,
        qualified_name=qualified,
        platform=platform,
        env=env,
        columns=COLUMNS,
    )
    return copies_key(replace(table, **more), path.split("."))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("events_20240101", "events"),
        ("events_2024_01", "events"),
        ("events_2024-01-31", "events"),
        ("gsod2019", "gsod"),
        ("sales_2024Q3", "sales"),
        ("orders_v2", "orders_v2"),
        ("acs_2018_5yr", "acs_2018_5yr"),
        ("line_1234", "line_1234"),
        ("orders_20241399", "orders_20241399"),
        ("2024", "2024"),
    ],
)
def test_only_dates_are_taken_off_a_name(name: str, bare: str) -> None:
    assert undated(name) == bare


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("web.raw.events_20240101", "web.raw.events_20240102"),
        ("a.sales.orders", "b.sales.orders"),
        ("A.SALES.ORDERS", "b.sales.orders"),
    ],
)
def test_shards_and_copies_share_a_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (key_of("a.sales.orders"), key_of("a.crm.orders")),
        (key_of("a.sales.orders"), key_of("a.sales.orders", env="DEV")),
        (key_of("prod.sales.orders"), key_of("dev.sales.orders")),
        (key_of("a.sales.orders"), key_of("b.sales.orders", platform="postgres")),
        (key_of("a.sales.orders"), key_of("b.sales.orders", columns=COLUMNS[:2])),
        (key_of("a.sales.e_2024"), key_of("b.sales.e_2024")),
        (key_of("a.sales.e_2024"), key_of("a.sales.e")),
    ],
)
def test_what_may_differ_is_told_apart(one: str, other: str) -> None:
    assert one != other


def test_a_narrow_table_stands_alone_and_siblings_are_one() -> None:
    assert key_of("a.sales.orders", columns=COLUMNS[:2]) == ""
    primary = "urn:li:dataset:(urn:li:dataPlatform:dbt,a.sales.orders,PROD)"
    assert key_of("a.sales.orders", sibling=primary) == key_of(
        "x.y.z", platform="dbt", sibling=primary
    )


def test_column_order_and_case_do_not_count() -> None:
    turned = tuple(Column(column.path.upper()) for column in reversed(COLUMNS))
    assert key_of("a.sales.orders", columns=turned) == key_of("b.sales.orders")
