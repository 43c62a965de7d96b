from __future__ import annotations

import pytest
from index_support import make_point

from dataspoke.core.index.model import DeletePoint, Hashes, IndexOp, SetPayload
from dataspoke.core.index.points import Held, page_after, settle, sorted_pages

OLD, NEW = make_point("a", "old", version=1), make_point("a", "new", version=2)
RENAMED = Hashes("c", "renamed")


def _set(version: int) -> SetPayload:
    return SetPayload("a", RENAMED, {"name": "renamed"}, version)


@pytest.mark.parametrize(
    ("ops", "held", "expected"),
    [
        ([], None, None),
        ([OLD], None, OLD),
        ([OLD, NEW], None, NEW),
        ([NEW, OLD], None, NEW),
        ([OLD], Held(1, True), OLD),
        ([OLD], Held(2, True), None),
        ([OLD], Held(2, False), None),
        ([NEW], Held(2, False), NEW),
        ([_set(1)], None, None),
        ([_set(1)], Held(1, False), None),
        ([_set(1)], Held(1, True), _set(1)),
        ([_set(1)], Held(2, True), None),
        ([DeletePoint("a", 1)], None, DeletePoint("a", 1)),
        ([OLD, DeletePoint("a", 2)], None, DeletePoint("a", 2)),
        ([DeletePoint("a", 2), OLD], None, DeletePoint("a", 2)),
        ([DeletePoint("a", 2), _set(3)], Held(1, True), DeletePoint("a", 2)),
        ([DeletePoint("a", 1), NEW], Held(1, True), NEW),
    ],
)
def test_operations_settle_to_the_newest(
    ops: list[IndexOp], held: Held | None, expected: IndexOp | None
) -> None:
    settled = settle(ops, {"a": held} if held else {})
    assert settled == ({"a": expected} if expected else {})


def test_a_payload_set_after_a_write_becomes_part_of_it() -> None:
    [settled] = settle([OLD, _set(3)], {}).values()
    assert isinstance(settled, type(OLD))
    assert (settled.hashes, settled.version) == (RENAMED, 3)
    assert settled.dense is OLD.dense
    assert settled.payload == {"name": "renamed"}


def test_urns_do_not_meet() -> None:
    other = make_point("b")
    assert settle([OLD, other], {"b": Held(9, True)}) == {"a": OLD}


def test_a_page_starts_above_the_last_urn() -> None:
    assert page_after("dbca", None, 2) == ["a", "b"]
    assert page_after("dbca", "b", 5) == ["c", "d"]
    assert page_after("dbca", "bb", 1) == ["c"]


def test_pages_leave_out_what_was_deleted_meanwhile() -> None:
    there = {name: Hashes(name, "") for name in "abd"}
    pages = sorted_pages(
        "dcba", lambda urns: {urn: there[urn] for urn in urns if urn in there}, batch=2
    )
    assert [list(page) for page in pages] == [["a", "b"], ["d"]]
