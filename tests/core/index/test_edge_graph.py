from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from index_support import NOW_MS, SPEC, make_point

from dataspoke.core.errors import FatalError
from dataspoke.core.index import edge as edge_module
from dataspoke.core.index import edge_graph
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.edge_graph import GraphBuilder
from dataspoke.core.index.model import DeletePoint, DenseQuery, point_id


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EdgeIndex]:
    index = EdgeIndex.open(tmp_path, SPEC, now_ms=NOW_MS)
    index.apply([make_point(f"urn:{n}", f"table {n}") for n in range(50)])
    yield index
    index.close()


def shards(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*/shard*"))


def test_a_small_index_needs_no_graph(index: EdgeIndex) -> None:
    assert not index.needs_graph()


def test_an_index_that_outgrew_the_limit_needs_one(
    index: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_module, "GRAPH_ABOVE_KB", 1)
    assert index.needs_graph()


def test_a_build_takes_the_place_of_the_shard_and_loses_nothing(
    index: EdgeIndex, tmp_path: Path
) -> None:
    generation = index.generation
    assert GraphBuilder(index).build()
    assert shards(tmp_path) == ["shard-2"]
    assert index.generation == generation
    index.apply([make_point("urn:new", "table new")])
    index.close()
    again = EdgeIndex.open(tmp_path, SPEC, now_ms=NOW_MS)
    assert again.count([]) == 51
    assert again.generation == generation
    query = DenseQuery("meaning", make_point("q", "table new").dense["meaning"])
    assert again.search([query], conditions=[], limit=1)[0][0].id == point_id("urn:new")
    again.close()


def test_what_is_written_during_a_build_is_in_the_new_shard(
    index: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = edge_graph._optimize_elsewhere

    def meanwhile(copy: Path, stopping: object) -> bool:
        index.apply([make_point("urn:late", "orders late"), DeletePoint("urn:3", 2)])
        index.apply([make_point("urn:7", "customers", version=3)])
        return elsewhere(copy, lambda: False)

    monkeypatch.setattr(edge_graph, "_optimize_elsewhere", meanwhile)
    assert GraphBuilder(index).build()
    assert index.count([]) == 50
    assert index.hashes(["urn:3", "urn:7", "urn:late"]) == {
        "urn:7": make_point("urn:7", "customers").hashes,
        "urn:late": make_point("urn:late", "orders late").hashes,
    }
    index.apply([make_point("urn:3", "older than its deletion", version=1)])
    assert "urn:3" not in index.get(["urn:3"])


def test_writers_and_readers_go_on_while_a_graph_is_built(index: EdgeIndex) -> None:
    over = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not over.is_set():
            index.apply([make_point(f"urn:more:{written}", f"more {written}")])
            index.matching([], limit=5)
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    assert GraphBuilder(index).build()
    over.set()
    writer.join()
    assert written > 0
    assert index.count([]) == 50 + written


def test_a_failed_build_leaves_the_index_as_it_is(
    index: EdgeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(FatalError, match="ended with 1"):
        GraphBuilder(index).build()
    assert shards(tmp_path) == ["shard"]
    assert index.count([]) == 50


def test_a_stopped_build_leaves_no_copy(index: EdgeIndex, tmp_path: Path) -> None:
    builder = GraphBuilder(index)
    builder.stop(timeout=0)
    assert not builder.build()
    assert shards(tmp_path) == ["shard"]


def test_a_copy_that_a_kill_left_behind_is_removed(index: EdgeIndex, tmp_path: Path) -> None:
    copy = index.copy_shard()
    index.close()
    assert copy.exists()
    EdgeIndex.open(tmp_path, SPEC, now_ms=NOW_MS).close()
    assert shards(tmp_path) == ["shard"]
