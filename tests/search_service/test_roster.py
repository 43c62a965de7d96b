from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from airline_catalogue import airline, table, upsert
from index_support import edge_index

from dataspoke.core.index.hash_embedder import HashEmbedder
from dataspoke.core.index.model import DeletePoint, VectorIndex, point_id
from dataspoke.search_service.roster import Roster

EMBEDDER = HashEmbedder()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[VectorIndex]:
    with edge_index(tmp_path) as index:
        index.apply([upsert(snapshot, EMBEDDER) for snapshot in airline()])
        yield index


def urns_of(roster: Roster) -> set[str]:
    return {row.urn for row in roster.facts()}


def test_a_new_roster_knows_nothing_and_fetches_what_is_asked(index: VectorIndex) -> None:
    roster = Roster(index)
    known = airline()[0]
    rows = roster.rows([point_id(known.urn), point_id("urn:li:tag:none")])
    assert [(row.urn, row.name) for row in rows.values()] == [(known.urn, known.name)]
    assert not roster.complete
    assert len(roster) == 0


def test_the_first_refresh_reads_the_whole_index(index: VectorIndex) -> None:
    roster = Roster(index)
    roster.refresh()
    assert roster.complete
    assert urns_of(roster) == {snapshot.urn for snapshot in airline()}
    assert roster.generation > 0


def test_a_later_refresh_takes_what_was_written_and_deleted_since(index: VectorIndex) -> None:
    roster = Roster(index)
    roster.refresh()
    before, gone = roster.generation, airline()[0]
    fresh = table("brand_new")
    index.apply([replace(upsert(fresh, EMBEDDER), version=90), DeletePoint(gone.urn, 91)])
    roster.refresh()
    assert urns_of(roster) == ({s.urn for s in airline()} | {fresh.urn}) - {gone.urn}
    assert roster.generation > before


def test_a_refresh_without_changes_keeps_the_generation(index: VectorIndex) -> None:
    roster = Roster(index)
    roster.refresh()
    before = roster.generation
    roster.refresh()
    assert roster.generation == before


def test_following_reads_what_the_index_holds_now(index: VectorIndex) -> None:
    roster = Roster(index)
    roster.refresh()
    one, two = airline()[:2]
    renamed = replace(upsert(replace(one, name="renamed"), EMBEDDER), version=9)
    index.apply([renamed, DeletePoint(two.urn, 9)])
    roster.follow([one.urn, two.urn])
    assert roster.rows([point_id(one.urn)])[point_id(one.urn)].name == "renamed"
    assert roster.holding("name:renamed") == [point_id(one.urn)]
    assert roster.holding(f"urn:{two.urn.lower()}") == []


def test_names_find_all_that_bear_them_in_any_case(index: VectorIndex) -> None:
    twins = [table("twin"), table("Twin", env="DEV")]
    index.apply([upsert(twin, EMBEDDER) for twin in twins])
    roster = Roster(index)
    roster.refresh()
    assert set(roster.holding("name:twin")) == {point_id(twin.urn) for twin in twins}
    assert roster.holding(f"urn:{twins[0].urn.lower()}") == [point_id(twins[0].urn)]
    index.apply([DeletePoint(twins[0].urn, 9)])
    roster.follow([twins[0].urn])
    assert roster.holding("name:twin") == [point_id(twins[1].urn)]
    assert roster.holding("name:nothing of that name") == []


def test_a_stopped_refresh_is_not_complete(index: VectorIndex) -> None:
    roster = Roster(index)
    roster.refresh(stopping=lambda: True)
    assert not roster.complete


def test_equal_labels_are_one_object(index: VectorIndex) -> None:
    roster = Roster(index)
    roster.refresh()
    platforms = [row.platform for row in roster.facts() if row.platform]
    assert len({id(platform) for platform in platforms}) == len(set(platforms))
