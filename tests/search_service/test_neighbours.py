from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from airline_catalogue import dataset_urn, table, upsert

from dataspoke.core.documents.keys import KEYS_FIELD
from dataspoke.core.entities import EntitySnapshot
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.embedder import Embedder
from dataspoke.core.index.model import Condition
from dataspoke.core.index.spec import spec_for
from dataspoke.search_service.retrieve import Searcher, SearchQuery
from dataspoke.search_service.roster import Roster

SHARDS = [table(f"scans_2024{month:02}{day:02}") for month in range(1, 13) for day in range(1, 21)]
SOURCE = table("scans")
SECRET = table("payroll", upstreams=(SOURCE.urn,), tags=("urn:li:tag:hidden",))
REPORT = table("scan_report", upstreams=(SOURCE.urn, SECRET.urn))
OTHERS = [table(f"scans_of_{word}") for word in ("crew", "bags", "doors", "seats")]
VISIBLE = (Condition(KEYS_FIELD, "eq", ("tag:hidden",), negated=True),)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Searcher]:
    home: Path = tmp_path_factory.mktemp("index")
    index = EdgeIndex.open(home, spec_for(embedder), now_ms=0)
    everything: list[EntitySnapshot] = [*SHARDS, SOURCE, SECRET, REPORT, *OTHERS]
    index.apply([upsert(snapshot, embedder) for snapshot in everything])
    roster = Roster(index)
    roster.refresh()
    opened = Searcher(index, roster, embedder)
    yield opened
    opened.close()
    index.close()


def test_shards_are_one_hit_that_counts_and_lists_them(searcher: Searcher) -> None:
    answer = searcher.search(SearchQuery("scans", limit=100))
    dated = [hit for hit in answer.hits if "_2024" in hit.urn]
    assert len(dated) == 1
    assert len(dated[0].around.copies) == len(SHARDS) - 1
    assert answer.total == len(answer.hits)


def test_shards_do_not_crowd_out_the_others(searcher: Searcher) -> None:
    found = {hit.urn for hit in searcher.search(SearchQuery("scans 2024", limit=100)).hits}
    assert {snapshot.urn for snapshot in OTHERS} <= found


def test_a_listing_counts_groups(searcher: Searcher) -> None:
    answer = searcher.search(SearchQuery("", limit=100))
    assert answer.total == len(answer.hits) == 1 + 3 + len(OTHERS)


def test_a_shard_that_is_named_stands_for_its_group(searcher: Searcher) -> None:
    first = searcher.search(SearchQuery("scans_20240307")).hits[0]
    assert first.urn == dataset_urn("airline.flight.scans_20240307")
    assert len(first.around.copies) == len(SHARDS) - 1


def test_neighbours_that_the_caller_may_not_see_are_left_out(searcher: Searcher) -> None:
    def names(urn: str, rights: tuple[Condition, ...]) -> tuple[set[str], set[str]] | None:
        found = searcher.entity(urn, rights=rights)
        if found is None:
            return None
        around = found[1]
        return {one.name for one in around.upstreams}, {one.name for one in around.downstreams}

    assert names(SOURCE.urn, ()) == (set(), {"payroll", "scan_report"})
    assert names(SOURCE.urn, VISIBLE) == (set(), {"scan_report"})
    assert names(REPORT.urn, ()) == ({"scans", "payroll"}, set())
    assert names(REPORT.urn, VISIBLE) == ({"scans"}, set())
    assert names(SECRET.urn, VISIBLE) is None
    hits = searcher.search(SearchQuery("scan_report"), rights=VISIBLE).hits
    assert hits[0].payload["upstream_names"] == ["scans"]
    assert "payroll" not in str(hits[0].explanation)
