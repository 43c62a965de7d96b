"""The same cases on the embedded engine and on a server: they must answer alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from index_support import SPEC, edge_index, make_point, qdrant_index

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.errors import ConfigError
from dataspoke.core.index import edge, qdrant
from dataspoke.core.index.model import (
    Condition,
    DeletePoint,
    DenseQuery,
    Hashes,
    SetPayload,
    SparseQuery,
    VectorIndex,
    point_id,
)

CATALOGUE = [
    (
        "urn:a",
        "customer orders",
        {"tags": ["urn:li:tag:PII", "urn:li:tag:core"], "column_count": 3},
    ),
    ("urn:b", "customer addresses", {"tags": ["urn:li:tag:PII"], "deprecated": True}),
    ("urn:c", "shipping delays", {"tags": [], "deprecated": False, "last_modified": 1000}),
    ("urn:d", "monthly sales", {"platform": "postgres", "last_modified": 2000, "refs": ["urn:x"]}),
    (
        "urn:e",
        "sales targets",
        {"platform": "", "description": "what we hope", "columns": [{"n": 1}]},
    ),
]


@pytest.fixture(scope="module", params=["edge", "qdrant"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VectorIndex]:
    """The catalogue in each engine; the tests only read it."""
    # A collection of its own: other tests use the server meanwhile.
    spec = replace(SPEC, model_id="catalogue")
    if request.param == "edge":
        opened = edge_index(tmp_path_factory.mktemp("catalogue"), spec)
    else:
        opened = qdrant_index(request.getfixturevalue("qdrant_server"), spec)
    with opened as index:
        index.apply([make_point(urn, text, **payload) for urn, text, payload in CATALOGUE])
        yield index


CONDITIONS = [
    (Condition("tags", "eq", ("urn:li:tag:PII",)), "ab"),
    (Condition("tags", "eq", ("urn:li:tag:pii",)), ""),
    (Condition("tags", "in", ("urn:li:tag:core", "nothing")), "a"),
    (Condition("tags", "in", ()), ""),
    (Condition("tags", "in", (), negated=True), "abcde"),
    (Condition("tags", "prefix", ("urn:li:tag:",)), "ab"),
    (Condition("tags", "exists"), "ab"),
    (Condition("tags", "exists", negated=True), "cde"),
    (Condition("deprecated", "eq", (True,)), "b"),
    (Condition("deprecated", "eq", (False,)), "c"),
    (Condition("deprecated", "eq", (1,)), ""),
    (Condition("deprecated", "exists"), "bc"),
    (Condition("last_modified", "gte", (1000,)), "cd"),
    (Condition("last_modified", "gte", (1001,)), "d"),
    (Condition("last_modified", "lte", (1999.5,)), "c"),
    (Condition("last_modified", "lte", (1999.5,), negated=True), "abde"),
    (Condition("last_modified", "eq", (2000,)), "d"),
    (Condition("last_modified", "in", (1000, 2000, "other")), "cd"),
    (Condition("last_modified", "exists"), "cd"),
    (Condition("column_count", "eq", (3,)), "a"),
    (Condition("platform", "exists"), "d"),
    (Condition("platform", "eq", ("",)), ""),
    (Condition("description", "exists"), "e"),
    (Condition("columns", "exists"), "e"),
    (Condition("name", "eq", ("a",)), "a"),
    (Condition("name", "prefix", ("",)), "abcde"),
    (Condition("no_such_field", "exists"), ""),
    (Condition.any_of(), ""),
    (Condition.any_of(()), "abcde"),
    (
        Condition.any_of((Condition("name", "eq", ("a",)),), (Condition("name", "eq", ("b",)),)),
        "ab",
    ),
    (
        Condition.any_of(
            (Condition("tags", "exists"), Condition("deprecated", "exists", negated=True)),
            (Condition.any_of((Condition("name", "in", ("d", "e")),)),),
        ),
        "ade",
    ),
    (Condition("", "any", (), True, ((Condition("tags", "exists"),),)), "cde"),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS, ids=str)
def test_a_condition_finds_the_same_points(
    filled: VectorIndex, condition: Condition, expected: str
) -> None:
    names = sorted(
        load["name"] for load in filled.fetch(filled.matching([condition], limit=100)).values()
    )
    assert names == list(expected)
    assert filled.count([condition]) == len(expected)


def test_conditions_hold_together(filled: VectorIndex) -> None:
    conditions = [Condition("tags", "exists"), Condition("deprecated", "exists", negated=True)]
    assert filled.matching(conditions, limit=10) == [point_id("urn:a")]


@pytest.mark.parametrize(
    "condition",
    [
        Condition("last_modified", "gte", ("yesterday",)),
        Condition("last_modified", "gte", (True,)),
        Condition("last_modified", "gte", ()),
        Condition("name", "prefix", ("a", "b")),
        Condition("description", "eq", ("what we hope",)),
    ],
    ids=str,
)
def test_a_condition_without_sense_is_refused(filled: VectorIndex, condition: Condition) -> None:
    with pytest.raises(ConfigError, match="Cannot filter"):
        filled.count([condition])


def test_search_ranks_dense_and_sparse_queries_under_the_same_conditions(
    filled: VectorIndex,
) -> None:
    asked = make_point("question", "customer orders")
    queries = [
        DenseQuery("meaning", asked.dense["meaning"]),
        SparseQuery("words", asked.sparse["words"]),
    ]
    dense, sparse = filled.search(queries, conditions=[], limit=3)
    assert [hit.id for hit in dense][:2] == [point_id("urn:a"), point_id("urn:b")]
    assert dense[0].score == pytest.approx(1.0, abs=1e-5)
    assert [hit.id for hit in sparse] == [
        point_id("urn:a"),
        point_id("urn:b"),
    ]  # the others share no word
    deprecated = [Condition("deprecated", "eq", (True,))]
    both = filled.search(queries, conditions=deprecated, limit=3)
    assert [[hit.id for hit in hits] for hits in both] == [[point_id("urn:b")]] * 2


def test_a_rare_word_weighs_more_than_a_common_one(index: VectorIndex) -> None:
    index.apply([make_point(f"urn:{n}", "common") for n in range(8)])
    index.apply([make_point("urn:rare", "rare")])
    common, rare = sum(map(ord, "common")), sum(map(ord, "rare"))
    both = SparseVector(tuple(sorted((common, rare))), (1.0, 1.0))
    [hits] = index.search([SparseQuery("words", both)], conditions=[], limit=3)
    assert hits[0].id == point_id("urn:rare")
    assert hits[0].score > 1.5 * hits[1].score


def test_no_query_and_no_operation_are_fine(index: VectorIndex) -> None:
    index.apply([])
    assert index.search([], conditions=[], limit=5) == []
    assert index.get([]) == {}
    assert index.hashes([]) == {}
    assert list(index.urns()) == []


def test_a_point_without_words_is_found_by_its_meaning(index: VectorIndex) -> None:
    bare = make_point("urn:a", "")
    index.apply([bare])
    assert not bare.sparse["words"].indices
    [hits] = index.search([DenseQuery("meaning", bare.dense["meaning"])], conditions=[], limit=1)
    assert [hit.id for hit in hits] == [point_id("urn:a")]


def test_hashes_and_payloads_are_those_last_written(index: VectorIndex) -> None:
    index.apply([make_point("urn:a", "old"), make_point("urn:a", "new", tags=["t"], version=2)])
    assert index.hashes(["urn:a", "urn:b"]) == {
        "urn:a": make_point("urn:a", "new", tags=["t"]).hashes
    }
    assert index.get(["urn:a", "urn:b"])["urn:a"]["tags"] == ["t"]


def test_a_set_payload_replaces_the_payload_and_leaves_the_vectors(index: VectorIndex) -> None:
    first = make_point("urn:a", "orders", tags=["t"])
    index.apply([first])
    index.apply([SetPayload("urn:a", Hashes("c", "p"), {"name": "renamed"}, 2)])
    assert index.get(["urn:a"]) == {
        "urn:a": {"urn": "urn:a", "name": "renamed", "content_hash": "c", "payload_hash": "p"}
    }
    assert index.count([Condition("tags", "exists")]) == 0
    [hits] = index.search([DenseQuery("meaning", first.dense["meaning"])], conditions=[], limit=1)
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)


def test_a_set_payload_of_nothing_makes_no_point(index: VectorIndex) -> None:
    change = SetPayload("urn:a", Hashes("c", "p"), {"name": "a"}, 5)
    index.apply([change])
    assert index.count([]) == 0
    index.apply([make_point("urn:a", version=1), DeletePoint("urn:a", 2)])
    index.apply([change])
    assert index.get(["urn:a"]) == {}


def test_an_older_operation_never_wins(index: VectorIndex) -> None:
    index.apply([make_point("urn:a", "new", version=10)])
    index.apply(
        [
            make_point("urn:a", "old", version=9),
            SetPayload("urn:a", Hashes("c", "p"), {"name": "old"}, 8),
            DeletePoint("urn:a", 7),
        ]
    )
    assert index.hashes(["urn:a"]) == {"urn:a": make_point("urn:a", "new").hashes}


def test_a_deletion_outlives_a_write_that_was_read_before_it(index: VectorIndex) -> None:
    index.apply([make_point("urn:a", version=1)])
    index.apply([DeletePoint("urn:a", 5), DeletePoint("urn:never", 5)])
    index.apply([make_point("urn:a", version=4), make_point("urn:never", version=4)])
    assert index.count([]) == 0
    assert index.matching([], limit=10) == []
    assert list(index.urns()) == []
    assert index.info().points == 0
    index.apply([make_point("urn:a", version=5)])
    assert index.count([]) == 1


def test_repeating_operations_changes_nothing(index: VectorIndex) -> None:
    ops = [
        make_point("urn:a", version=3),
        make_point("urn:b", version=3),
        SetPayload("urn:b", Hashes("c", "p"), {"name": "b"}, 3),
        DeletePoint("urn:a", 3),
    ]
    index.apply(ops)
    once = index.get(["urn:a", "urn:b"])
    index.apply(ops)
    assert index.get(["urn:a", "urn:b"]) == once
    assert index.count([]) == 1


def test_urns_stream_in_rising_order_with_their_hashes(index: VectorIndex) -> None:
    urns = [f"urn:li:tag:{number:02}" for number in range(25)]
    index.apply([make_point(urn, urn) for urn in reversed(urns)])
    pages = list(index.urns(batch=10))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [urn for page in pages for urn in page] == urns
    assert pages[2]["urn:li:tag:24"].content_hash == "text urn:li:tag:24"


def test_more_points_than_one_answer_of_the_engine_holds(
    index: VectorIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "_PAGE", 7)
    monkeypatch.setattr(qdrant, "_PAGE", 7)
    urns = [f"urn:{number:02}" for number in range(30)]
    index.apply([make_point(urn, refs=["r"]) for urn in urns])
    assert [urn for page in index.urns(batch=20) for urn in page] == urns
    assert index.referencing("r", after="urn:27", limit=10) == ["urn:28", "urn:29"]


def test_referencing_pages_through_the_neighbours_in_rising_order(index: VectorIndex) -> None:
    index.apply(
        [make_point(f"urn:{name}", refs=["urn:tag", f"urn:{name}-only"]) for name in "dbeac"]
    )
    index.apply([DeletePoint("urn:c", 2)])
    assert index.referencing("urn:tag", after=None, limit=2) == ["urn:a", "urn:b"]
    assert index.referencing("urn:tag", after="urn:b", limit=2) == ["urn:d", "urn:e"]
    assert index.referencing("urn:tag", after="urn:e", limit=2) == []
    assert index.referencing("urn:ta", after=None, limit=2) == []


def test_payloads_come_back_as_they_were_written(index: VectorIndex) -> None:
    payload = {
        "columns": [{"name": "id", "type": "int", "description": 'ключ 日本 \u0000 "x"'}],
        "empty": "",
        "none": None,
        "nothing": [],
        "tree": {"a": [1, 2.5, True]},
        "created": 1_793_000_000_123,
        "ratio": 0.25,
        "deprecated": False,
    }
    written = make_point("urn:li:dataset:(urn:li:dataPlatform:x,a,PROD)", **payload)
    index.apply([written])
    [stored] = index.get([written.urn]).values()
    assert {key: stored[key] for key in payload} == payload
    assert isinstance(stored["created"], int)


def test_what_is_returned_is_the_callers_own(index: VectorIndex) -> None:
    index.apply([make_point("urn:a", tags=["t"])])
    first = index.get(["urn:a"])["urn:a"]
    first["tags"].append("mine")
    assert index.get(["urn:a"])["urn:a"]["tags"] == ["t"]


def test_only_named_points_match_where_ids_are_named(filled: VectorIndex) -> None:
    ids = sorted(point_id(f"urn:{name}") for name in "abz")
    tagged = Condition("tags", "exists")
    assert filled.matching([], limit=10, among=ids) == [i for i in ids if i != point_id("urn:z")]
    assert len(filled.matching([tagged], limit=1, among=ids)) == 1
    assert filled.matching([Condition("deprecated", "eq", (True,))], limit=9, among=ids) == [
        point_id("urn:b")
    ]
    assert filled.matching([], limit=10, among=[]) == []


def test_points_are_fetched_by_id_unless_deleted(index: VectorIndex) -> None:
    index.apply([make_point("urn:a", tags=["t"]), make_point("urn:b"), DeletePoint("urn:b", 2)])
    fetched = index.fetch([point_id(urn) for urn in ("urn:a", "urn:b", "urn:c")])
    assert fetched == {point_id("urn:a"): index.get(["urn:a"])["urn:a"]}
    assert index.fetch([]) == {}


def test_the_stream_has_every_point_and_since_a_version_also_the_deleted(
    index: VectorIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "_STREAM_PAGE", 3)
    monkeypatch.setattr(qdrant, "_PAGE", 3)
    index.apply([make_point(f"urn:{n}", version=n) for n in range(1, 9)])
    index.apply([DeletePoint("urn:2", 20)])
    everything = [point for page in index.stream() for point in page]
    assert sorted(point.version for point in everything) == [1, 3, 4, 5, 6, 7, 8]
    assert all(point.payload and point_id(point.payload["urn"]) == point.id for point in everything)
    late = {point.id: point for page in index.stream(since=7) for point in page}
    assert {id_: point.version for id_, point in late.items()} == {
        point_id("urn:7"): 7,
        point_id("urn:8"): 8,
        point_id("urn:2"): 20,
    }
    assert late[point_id("urn:2")].payload is None


def test_the_source_is_kept_for_exactly_the_hashes_that_it_made(index: VectorIndex) -> None:
    index.apply([make_point("urn:a"), make_point("urn:b")])
    hashes = make_point("urn:a").hashes
    other = Hashes("another text", hashes.payload_hash, "source of b")
    index.remember({"urn:a": replace(hashes, source="source of a"), "urn:b": other})
    held = index.hashes(["urn:a", "urn:b"])
    assert [one.source for one in held.values()] == ["source of a", ""]
    assert index.get(["urn:a"])["urn:a"] == dict(make_point("urn:a").payload) | {
        "content_hash": hashes.content_hash,
        "payload_hash": hashes.payload_hash,
    }
    index.apply(
        [replace(make_point("urn:a", "new", version=2), hashes=replace(hashes, source="n"))]
    )
    assert index.hashes(["urn:a"])["urn:a"].source == "n"
