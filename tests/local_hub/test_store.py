from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataspoke.core.errors import FatalError
from dataspoke.local_hub.errors import NotFound
from dataspoke.local_hub.retention import Policy
from dataspoke.local_hub.store import Store
from dataspoke.local_hub.transaction import AspectRow, Transaction

NAMES = ("datasetKey", "status", "globalTags")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, NAMES)
    yield opened
    opened.close()


def _put(store: Store, urn: str, value: str = "{}", *, event: str = "T") -> None:
    def work(tx: Transaction) -> None:
        entity = tx.entities([urn]).get(urn) or tx.add_entity(urn, "dataset")
        key = tx.aspect_id(entity, "status")
        old = tx.aspects([key]).get(key)
        seq = 1 if old is None else old.seq + 1
        row = AspectRow(key, seq, None, 1, "actor", "{}", value)
        if old is None:
            tx.add_aspect(row)
        else:
            tx.replace_aspect(row, old, Policy(5, None))
        tx.add_event((event, urn, 1, value))

    store.write(work)


def test_what_was_written_is_read(store: Store) -> None:
    _put(store, "u1", '"a"')
    _put(store, "u1", '"b"')
    row, first = store.aspect("u1", "status"), store.aspect("u1", "status", 1)
    assert row is not None
    assert first is not None
    assert (row.value, row.seq, first.value) == ('"b"', 2, '"a"')
    assert store.aspect("u1", "globalTags") is None
    assert store.aspect("u2", "status") is None


def test_only_the_newest_versions_are_kept(store: Store) -> None:
    for number in range(8):
        _put(store, "u1", str(number))
    assert [n for n in range(1, 9) if store.aspect("u1", "status", n)] == [4, 5, 6, 7, 8]


def test_a_refused_write_takes_nothing_of_the_others_along(store: Store) -> None:
    gate = threading.Event()
    store.submit(lambda tx: gate.wait(10))  # so that the next ones share a commit

    def refuse(tx: Transaction) -> None:
        tx.add_entity("bad", "dataset")
        tx.flush()
        raise NotFound("no")

    before = store.submit(lambda tx: tx.add_entity("u1", "dataset"))
    refused = store.submit(refuse)
    after = store.submit(lambda tx: tx.add_entity("u2", "dataset"))
    gate.set()
    with pytest.raises(NotFound):
        refused.result(10)
    assert before.result(10) != after.result(10)
    assert store.list_urns("dataset", 0, 10) == ["u1", "u2"]


def test_entities_are_listed_in_pages(store: Store) -> None:
    for number in range(5):
        _put(store, f"u{number}")
    assert store.list_urns("dataset", 1, 2) == ["u1", "u2"]
    assert store.list_urns("dataset", 4, 9) == ["u4"]
    assert store.count("dataset") == 5
    assert store.count("chart") == 0


def test_aspects_are_read_for_many_entities_at_once(store: Store) -> None:
    _put(store, "u1")
    _put(store, "u2")
    found = store.aspects(["u2", "absent", "u1"])
    assert [(urn, list(aspects)) for urn, aspects in found.items()] == [
        ("u2", ["status"]),
        ("u1", ["status"]),
    ]
    assert store.aspects(["u1"], ["globalTags", "nonsense"]) == {"u1": {}}


def test_events_are_read_behind_an_offset(store: Store) -> None:
    for number in range(4):
        _put(store, f"u{number}", event="A" if number % 2 else "B")
    assert [event.key for event in store.read_events(None, 1, 2)] == ["u1", "u2"]
    assert [event.offset for event in store.read_events("A", 0, 9)] == [2, 4]
    assert store.last_offset() == 4


def test_waiting_ends_with_the_next_event(store: Store) -> None:
    assert not store.wait_for_events(0, 0.01)
    timer = threading.Timer(0.05, _put, (store, "u1"))
    timer.start()
    started = time.monotonic()
    assert store.wait_for_events(0, 20)
    assert time.monotonic() - started < 10
    timer.join()


def test_a_look_back_finds_the_offset_by_time(store: Store) -> None:
    for at in (10, 20, 20, 30):
        store.write(lambda tx, at=at: tx.add_event(("T", "k", at, "{}")))
    assert [store.offset_before(at) for at in (0, 10, 15, 20, 25, 99)] == [0, 0, 1, 1, 3, 4]


def test_data_and_offsets_outlive_the_process(tmp_path: Path) -> None:
    store = Store.open(tmp_path, NAMES)
    _put(store, "u1")
    store.set_cursor("c", 1)
    store.close()
    store.close()
    again = Store.open(tmp_path, (*NAMES, "newAspect"))
    assert again.aspect("u1", "status") is not None
    assert (again.last_offset(), again.cursor("c"), again.cursor("d")) == (1, 1, None)
    again.close()


def test_a_folder_belongs_to_one_hub(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="another hub is using it"):
        Store.open(tmp_path, NAMES)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(FatalError, match=r"hub\.db"):
        Store.open(tmp_path, NAMES)


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "hub.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(FatalError, match="version 99"):
        Store.open(tmp_path, NAMES)


def test_many_writers_and_readers_do_not_disturb_each_other(store: Store) -> None:
    def write(name: str) -> None:
        for number in range(30):
            _put(store, f"{name}{number % 3}", str(number))
            assert store.aspect(f"{name}{number % 3}", "status") is not None

    threads = [threading.Thread(target=write, args=(f"t{n}-",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.last_offset() == 120
    assert store.count("dataset") == 12


def test_old_events_go_and_offsets_go_on(store: Store) -> None:
    for at in (10, 20, 30):
        store.write(lambda tx, at=at: tx.add_event(("T", "k", at, "{}")))
    assert store.write(lambda tx: tx.trim_events(before=25, up_to=1, most=9)) == 1
    assert store.write(lambda tx: tx.trim_events(before=25, up_to=9, most=9)) == 1
    assert [event.offset for event in store.read_events(None, 0, 9)] == [3]
    store.write(lambda tx: tx.trim_events(before=99, up_to=9, most=9))
    store.write(lambda tx: tx.add_event(("T", "k", 40, "{}")))
    assert [event.offset for event in store.read_events(None, 0, 9)] == [4]


def test_a_job_that_was_taken_back_is_not_done_and_stops_nobody(store: Store) -> None:
    gate = threading.Event()
    store.submit(lambda tx: gate.wait(10))
    taken_back = store.submit(lambda tx: tx.add_entity("u1", "dataset"))
    kept = store.submit(lambda tx: tx.add_entity("u2", "dataset"))
    assert taken_back.cancel()
    gate.set()
    kept.result(10)
    assert store.list_urns("dataset", 0, 9) == ["u2"]


def test_a_failure_of_the_database_is_said_and_the_next_write_works(store: Store) -> None:
    def fail(tx: Transaction) -> None:
        tx.connection.execute("SELECT * FROM no_such_table")

    with pytest.raises(sqlite3.Error):
        store.write(fail)
    _put(store, "u1")
    assert store.last_offset() == 1
