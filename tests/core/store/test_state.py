"""Durable values by key, on both engines."""

from __future__ import annotations

import pytest

from dataspoke.core.store.database import Database
from dataspoke.core.store.state import StateStore


@pytest.fixture
def store(database: Database) -> StateStore:
    return StateStore(database)


def test_a_value_is_kept_replaced_and_deleted(store: StateStore) -> None:
    assert store.get("offset/a") is None
    store.set("offset/a", "1")
    store.set("offset/a", "2")
    assert store.get("offset/a") == "2"
    store.delete("offset/a")
    store.delete("offset/a")
    assert store.get("offset/a") is None


def test_items_have_the_prefix_and_come_in_order(store: StateStore) -> None:
    for key in ("offset/b", "offset/a", "Offset/c", "offsetx", "other", "off_et/d", "offset/ä"):
        store.set(key, key.upper())
    assert list(store.items("offset/").items()) == [
        ("offset/a", "OFFSET/A"),
        ("offset/b", "OFFSET/B"),
        ("offset/ä", "OFFSET/Ä"),
    ]
    assert len(store.items("")) == 7
    assert store.items("%") == {}
