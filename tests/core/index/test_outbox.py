"""The ledger of the embedded index, on both engines."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.errors import SkippableError
from dataspoke.core.index.ledger import pack_vectors, unpack_vectors
from dataspoke.core.index.model import (
    DeletePoint,
    Hashes,
    IndexOp,
    IndexSpec,
    SetPayload,
    UpsertPoint,
)
from dataspoke.core.index.outbox import Outbox, OutboxIndex
from dataspoke.core.index.points import TOMBSTONE_MS
from dataspoke.core.store.database import Database

SPEC = IndexSpec("model-1", {"meaning": 4}, ("words",))
NOW = 1_800_000_000_000
SPARSE = SparseVector((3, 2**32 - 1), (0.5, 2.0))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def index(database: Database, clock: Clock) -> OutboxIndex:
    return OutboxIndex(database, SPEC, clock=clock)


@pytest.fixture
def outbox(database: Database, clock: Clock) -> Outbox:
    return Outbox(database, SPEC, clock=clock)


def upsert(urn: str, version: int = 1, mark: int = 0, refs: Iterable[str] = ()) -> UpsertPoint:
    """`mark` tells one content from another."""
    payload: dict[str, Any] = {"urn": urn, "mark": mark, "refs": list(refs)}
    vector = np.full(4, mark, np.float32)
    hashes = Hashes(f"content {mark}", f"payload {mark}")
    return UpsertPoint(urn, hashes, {"meaning": vector}, {"words": SPARSE}, payload, version)


def set_payload(urn: str, version: int, mark: int, refs: Iterable[str] = ()) -> SetPayload:
    payload: dict[str, Any] = {"urn": urn, "mark": mark, "refs": list(refs)}
    return SetPayload(urn, Hashes("content 0", f"payload {mark}"), payload, version)


def shown(op: IndexOp) -> tuple[Any, ...]:
    """An operation as a value that compares."""
    if isinstance(op, DeletePoint):
        return ("delete", op.urn, op.version)
    if isinstance(op, SetPayload):
        return ("payload", op.urn, op.version, op.hashes, dict(op.payload))
    dense = {name: vector.tolist() for name, vector in op.dense.items()}
    return ("upsert", op.urn, op.version, op.hashes, dict(op.payload), dense, dict(op.sparse))


def drain(outbox: Outbox) -> list[tuple[Any, ...]]:
    pending = outbox.pending(1000)
    outbox.applied(pending)
    return [shown(one.op) for one in pending]


def test_what_was_written_is_known_at_once_and_waits_for_the_owner(
    index: OutboxIndex, outbox: Outbox
) -> None:
    ops = [upsert("b", 1, 7), upsert("a", 2, 8)]
    index.apply(ops)
    assert index.hashes(["a", "b", "c"]) == {op.urn: op.hashes for op in ops}
    assert outbox.backlog() == (2, NOW)
    assert drain(outbox) == [shown(op) for op in ops], "in order, and whole"
    assert outbox.backlog() == (0, None)
    assert index.hashes(["a", "b"]) == {op.urn: op.hashes for op in ops}


def test_changes_of_one_urn_wait_as_one_and_keep_their_age(
    index: OutboxIndex, outbox: Outbox, clock: Clock
) -> None:
    index.apply([upsert("a", 1, 1)])
    clock.now += 5
    index.apply([upsert("a", 2, 2), upsert("b", 2, 2)])
    assert outbox.backlog() == (2, NOW)
    assert drain(outbox) == [shown(upsert("a", 2, 2)), shown(upsert("b", 2, 2))]
    index.apply([upsert("a", 3, 3)])
    assert outbox.backlog() == (1, NOW + 5)


def test_an_older_version_is_ignored_and_an_equal_one_is_not(
    index: OutboxIndex, outbox: Outbox
) -> None:
    index.apply([upsert("a", 5, 1)])
    index.apply([upsert("a", 4, 2), DeletePoint("a", 4), set_payload("a", 4, 9)])
    assert index.hashes(["a"]) == {"a": upsert("a", 5, 1).hashes}
    index.apply([upsert("a", 5, 3)])
    assert drain(outbox) == [shown(upsert("a", 5, 3))]


def test_a_tombstone_keeps_its_version(index: OutboxIndex, outbox: Outbox) -> None:
    index.apply([upsert("a", 1, refs=["r"])])
    index.apply([DeletePoint("a", 5), DeletePoint("never seen", 6)])
    assert index.hashes(["a"]) == {}
    assert list(index.urns()) == []
    assert index.referencing("r", after=None, limit=9) == []
    assert drain(outbox) == [("delete", "a", 5), ("delete", "never seen", 6)]
    index.apply([upsert("a", 4), upsert("never seen", 5)])
    assert drain(outbox) == []
    index.apply([upsert("a", 6)])
    assert "a" in index.hashes(["a"])


def test_a_payload_onto_waiting_vectors_keeps_them(index: OutboxIndex, outbox: Outbox) -> None:
    index.apply([upsert("a", 1, 0)])
    index.apply([set_payload("a", 2, 9)])
    (kind, _, version, hashes, payload, dense, sparse) = drain(outbox)[0]
    assert (kind, version, hashes) == ("upsert", 2, Hashes("content 0", "payload 9"))
    assert payload["mark"] == 9
    assert (dense, sparse) == ({"meaning": [0.0] * 4}, {"words": SPARSE})


def test_a_payload_onto_an_applied_point_leaves_its_vectors_alone(
    index: OutboxIndex, outbox: Outbox
) -> None:
    index.apply([upsert("a", 1, 0)])
    drain(outbox)
    index.apply([set_payload("a", 2, 8), set_payload("a", 2, 9)])
    assert drain(outbox) == [shown(set_payload("a", 2, 9))]


def test_a_payload_for_what_is_not_there_does_nothing(index: OutboxIndex, outbox: Outbox) -> None:
    index.apply([set_payload("a", 1, 9), DeletePoint("b", 1), set_payload("b", 2, 9)])
    assert drain(outbox) == [("delete", "b", 1)]
    assert index.hashes(["a", "b"]) == {}


def test_the_content_hash_stays_with_the_vectors(index: OutboxIndex) -> None:
    index.apply([upsert("a", 1, 5), set_payload("a", 2, 9)])
    assert index.hashes(["a"]) == {"a": Hashes("content 5", "payload 9")}


def test_a_change_that_came_while_the_owner_applied_goes_on_waiting(
    index: OutboxIndex, outbox: Outbox
) -> None:
    index.apply([upsert("a", 1, 1), upsert("b", 1, 1)])
    pending = outbox.pending(10)
    index.apply([upsert("a", 2, 2)])
    outbox.applied(pending)
    outbox.applied(pending)
    assert drain(outbox) == [shown(upsert("a", 2, 2))]


def test_bodies_are_dropped_once_applied(
    index: OutboxIndex, outbox: Outbox, database: Database
) -> None:
    index.apply([upsert("a")])
    drain(outbox)
    with database.reading() as conn:
        rows = database.run(
            conn, "SELECT payload, vectors, op, seq, queued_at FROM dataspoke_index_points"
        ).all()
    assert rows == [(None,) * 5]


def test_pending_comes_in_pages(index: OutboxIndex, outbox: Outbox) -> None:
    index.apply([upsert(f"{n}") for n in range(5)])
    assert [one.op.urn for one in outbox.pending(2)] == ["0", "1"]
    outbox.applied(outbox.pending(2))
    assert [one.op.urn for one in outbox.pending(9)] == ["2", "3", "4"]


def test_references_follow_the_payload_in_rising_order(index: OutboxIndex) -> None:
    urns = ["urn:é", "urn:a", "urn:B", "urn:z", "urn:_"]
    index.apply([upsert(urn, 1, refs=["r", "r", "other"]) for urn in urns])
    assert index.referencing("r", after=None, limit=9) == sorted(urns)
    assert index.referencing("r", after="urn:_", limit=2) == ["urn:a", "urn:z"]
    index.apply([set_payload("urn:a", 2, 1, refs=["other"]), upsert("urn:B", 2, refs=["r2"])])
    assert index.referencing("r", after=None, limit=9) == ["urn:_", "urn:z", "urn:é"]
    assert index.referencing("r2", after=None, limit=9) == ["urn:B"]
    assert index.referencing("other", after="urn:a", limit=9) == ["urn:z", "urn:é"]


def test_odd_payloads_survive(index: OutboxIndex, outbox: Outbox) -> None:
    odd = {"text": "表 \0 \ud800 % ?", "none": None, "deep": [{"a": [1.5]}]}
    op = upsert("a")
    op = UpsertPoint(op.urn, op.hashes, {}, {}, odd | {"refs": ["bad \0", "x" * 3000]}, 1)
    index.apply([op])
    (kind, *_, payload, dense, sparse) = drain(outbox)[0]
    assert (kind, dense, sparse) == ("upsert", {}, {})
    assert {name: payload[name] for name in odd} == odd
    assert index.referencing("bad \0", after=None, limit=1) == []


@pytest.mark.parametrize("urn", ["nul \0", "lone \ud800", "x" * 3000])
def test_a_urn_that_no_database_keeps_is_skippable(index: OutboxIndex, urn: str) -> None:
    with pytest.raises(SkippableError, match="Cannot index"):
        index.apply([upsert("a"), upsert(urn)])
    assert index.hashes(["a", urn]) == {}
    assert index.referencing(urn, after=None, limit=1) == []


def test_every_point_is_streamed_once_in_batches(index: OutboxIndex, outbox: Outbox) -> None:
    ops = [upsert(f"{n:03}", 1, n) for n in range(25)]
    index.apply(ops)
    drain(outbox)
    index.apply([DeletePoint("003", 2)])
    batches = list(index.urns(batch=10))
    assert [len(batch) for batch in batches] == [10, 10, 4]
    assert {urn: h for batch in batches for urn, h in batch.items()} == {
        op.urn: op.hashes for op in ops if op.urn != "003"
    }


def test_info_is_for_people(index: OutboxIndex, database: Database) -> None:
    index.apply([upsert("a"), DeletePoint("b", 1)])
    info = index.info()
    assert (info.engine, info.model_id, info.points) == ("outbox", "model-1", 1)
    assert info.location == database.url_for_people
    assert info.details == {"waiting": 2, "oldest_ms": NOW}


def test_each_model_has_a_ledger_of_its_own(database: Database, index: OutboxIndex) -> None:
    other = OutboxIndex(database, IndexSpec("model-2", {"meaning": 4}, ("words",)))
    index.apply([upsert("a", 1, refs=["r"])])
    assert other.hashes(["a"]) == {}
    assert other.referencing("r", after=None, limit=9) == []
    assert list(other.urns()) == []
    assert other.info().points == 0


def test_an_unbound_ledger_takes_over_the_points_of_the_index(
    index: OutboxIndex, outbox: Outbox
) -> None:
    index.apply([upsert("new", 5, 1), DeletePoint("gone", 5)])
    assert outbox.generation() is None
    stored = {urn: Hashes(f"content of {urn}", "p") for urn in ("old", "new", "gone")}
    outbox.bind("folder-1", iter([stored, {}]))
    assert outbox.generation() == "folder-1"
    assert index.hashes(["old", "new", "gone"]) == {
        "old": Hashes("content of old", ""),
        "new": upsert("new", 5, 1).hashes,
    }
    assert [op[:2] for op in drain(outbox)] == [("upsert", "new"), ("delete", "gone")]
    index.apply([set_payload("old", 6, 9, refs=["r"])])
    assert index.hashes(["old"]) == {"old": Hashes("content of old", "payload 9")}
    assert index.referencing("r", after=None, limit=9) == ["old"]


def test_binding_again_changes_nothing(index: OutboxIndex, outbox: Outbox) -> None:
    outbox.bind("folder-1", iter([]))
    index.apply([upsert("a", 1, 3)])
    drain(outbox)
    outbox.bind("folder-1", iter([{"x": Hashes("c", "p")}]))
    assert index.hashes(["a", "x"]) == {"a": upsert("a", 1, 3).hashes}


def test_another_folder_clears_what_was_applied_and_keeps_what_waits(
    index: OutboxIndex, outbox: Outbox
) -> None:
    outbox.bind("folder-1", iter([]))
    index.apply([upsert(urn, 1, 1, refs=["r"]) for urn in ("applied", "edited")])
    index.apply([upsert("dead", 1), DeletePoint("dead", 2)])
    drain(outbox)
    index.apply([set_payload("edited", 2, 4), upsert("waiting", 2, 2), DeletePoint("dead", 3)])
    outbox.bind("folder-2", iter([{"restored": Hashes("c", "p")}]))
    assert outbox.generation() == "folder-2"
    assert index.hashes(["applied", "edited", "waiting", "dead", "restored"]) == {
        "edited": Hashes("", "payload 4"),  # its vectors may be missing: embed it again
        "waiting": upsert("waiting", 2, 2).hashes,
        "restored": Hashes("c", ""),
    }
    assert index.referencing("r", after=None, limit=9) == []
    assert [op[:2] for op in drain(outbox)] == [
        ("payload", "edited"), ("upsert", "waiting"), ("delete", "dead"),
    ]  # fmt: skip


def test_a_bind_that_was_interrupted_is_done_again(index: OutboxIndex, outbox: Outbox) -> None:
    outbox.bind("folder-1", iter([{"old": Hashes("old", "p")}]))

    def breaks() -> Any:
        yield {"a": Hashes("a", "p")}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        outbox.bind("folder-2", breaks())
    assert outbox.generation() is None
    outbox.bind("folder-2", iter([{"a": Hashes("a", "p"), "b": Hashes("b", "p")}]))
    assert set(index.hashes(["old", "a", "b"])) == {"a", "b"}


def test_old_tombstones_are_dropped_when_the_owner_starts(
    index: OutboxIndex, outbox: Outbox, clock: Clock, database: Database
) -> None:
    outbox.bind("folder-1", iter([]))
    index.apply([DeletePoint("old", NOW), DeletePoint("newer", NOW + TOMBSTONE_MS)])
    index.apply([upsert("point", NOW)])
    drain(outbox)
    index.apply([DeletePoint("waiting", NOW)])
    clock.now = NOW + TOMBSTONE_MS + 1
    outbox.bind("folder-1", iter([]))
    with database.reading() as conn:
        rows = database.run(conn, "SELECT urn FROM dataspoke_index_points ORDER BY urn").all()
    assert [row[0] for row in rows] == ["newer", "point", "waiting"]


def test_writers_and_the_owner_at_once_lose_nothing(database_url: str) -> None:
    databases = [Database.open(database_url) for _ in range(3)]
    rounds, failures = 15, list[BaseException]()
    engine, stop = Engine(), threading.Event()

    def write(number: int) -> None:
        index = OutboxIndex(databases[number], SPEC)
        for turn in range(1, rounds + 1):
            urns = [f"{n}" for n in range(10)]
            index.apply(
                [upsert(urn, turn * 2 + number, turn, ["r"]) for urn in urns[:: 1 - 2 * number]]
            )

    def own() -> None:
        outbox = Outbox(databases[2], SPEC)
        while True:
            finished = stop.is_set()
            pending = outbox.pending(7)
            engine.apply([one.op for one in pending])
            outbox.applied(pending)
            if finished and not pending:
                return

    def guarded(function: Any, *args: int) -> None:
        try:
            function(*args)
        except BaseException as exc:
            failures.append(exc)

    owner = threading.Thread(target=guarded, args=(own,))
    writers = [threading.Thread(target=guarded, args=(write, n)) for n in range(2)]
    for thread in (owner, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    owner.join()
    assert failures == []
    assert {urn: point.version for urn, point in engine.points.items()} == {
        f"{n}": rounds * 2 + 1 for n in range(10)
    }
    for database in databases:
        database.close()


@given(
    dense=st.dictionaries(
        st.text(max_size=5), st.lists(st.floats(width=32, allow_nan=False), max_size=5), max_size=3
    ),
    sparse=st.dictionaries(
        st.text(max_size=5),
        st.dictionaries(st.integers(0, 2**32 - 1), st.floats(0.125, 100, width=32), max_size=5),
        max_size=3,
    ),
)
def test_vectors_survive_packing(
    dense: dict[str, list[float]], sparse: dict[str, dict[int, float]]
) -> None:
    vectors = {name: np.array(numbers, np.float32) for name, numbers in dense.items()}
    weights = {
        name: SparseVector(tuple(sorted(w)), tuple(w[i] for i in sorted(w)))
        for name, w in sparse.items()
    }
    body = pack_vectors(vectors, weights)
    unpacked, unpacked_weights = unpack_vectors(body)
    assert {name: vector.tolist() for name, vector in unpacked.items()} == dense
    assert all(vector.dtype == np.float32 for vector in unpacked.values())
    assert unpacked_weights == weights
    numbers = sum(map(len, dense.values())) + 2 * sum(map(len, sparse.values()))
    assert len(body) - 4 * numbers == body.index(b"\n") + 1, "four bytes a number"


@dataclass
class Point:
    version: int
    live: bool
    content: str = ""
    payload: Any = None
    dense: Any = None


class Engine:
    """What an index does with operations, in memory."""

    def __init__(self) -> None:
        self.points: dict[str, Point] = {}

    def apply(self, ops: Iterable[IndexOp]) -> None:
        for op in ops:
            held = self.points.get(op.urn, Point(-1, live=False))
            if op.version < held.version:
                continue
            if isinstance(op, DeletePoint):
                self.points[op.urn] = Point(op.version, live=False)
            elif isinstance(op, UpsertPoint):
                dense = {name: vector.tolist() for name, vector in op.dense.items()}
                content = op.hashes.content_hash
                self.points[op.urn] = Point(op.version, True, content, dict(op.payload), dense)
            elif held.live:
                held.version, held.payload = op.version, dict(op.payload)

    def live(self) -> dict[str, Point]:
        return {urn: point for urn, point in self.points.items() if point.live}


_urns = st.sampled_from("abc")
_versions = st.integers(1, 6)
_marks = st.integers(0, 5)
_refs = st.lists(st.sampled_from(["r", "s"]), max_size=2)
_ops = st.one_of(
    st.builds(upsert, _urns, _versions, _marks, _refs),
    st.builds(set_payload, _urns, _versions, _marks, _refs),
    st.builds(DeletePoint, _urns, _versions),
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.lists(_ops, min_size=1, max_size=4)),
        st.tuples(st.just("drain"), st.integers(1, 3)),
        st.tuples(st.just("drain and crash"), st.integers(1, 3)),
    ),
    max_size=25,
)


def test_random_histories_end_as_if_written_directly(database: Database) -> None:
    ledgers = iter(range(10**6))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=_steps)
    def run(steps: list[tuple[str, Any]]) -> None:
        spec = IndexSpec(f"ledger {next(ledgers)}", {"meaning": 4}, ("words",))
        index, outbox = OutboxIndex(database, spec), Outbox(database, spec)
        direct, drained = Engine(), Engine()
        for step, value in [*steps, ("drain", math.inf)]:
            if step == "write":
                index.apply(value)
                direct.apply(value)
            else:
                pending = outbox.pending(int(min(value, 1000)))
                drained.apply(one.op for one in pending)
                if step == "drain":
                    outbox.applied(pending)
            live = direct.live()
            assert {urn: h.content_hash for urn, h in index.hashes("abc").items()} == {
                urn: point.content for urn, point in live.items()
            }
            assert index.referencing("r", after=None, limit=9) == sorted(
                urn for urn, point in live.items() if "r" in point.payload["refs"]
            )
        assert drained.live() == direct.live()
        assert outbox.backlog() == (0, None)

    run()
