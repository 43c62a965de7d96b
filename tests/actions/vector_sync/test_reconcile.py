"""Listing, orphans, the fail-safe and resuming."""

from __future__ import annotations

from typing import Any

import pytest

from dataspoke.actions.vector_sync.check import check
from dataspoke.actions.vector_sync.reconcile import (
    OVERLAP,
    Reconcile,
    ReconcileRefused,
    checked_types,
)
from dataspoke.core.entities import SEARCHABLE_ENTITY_TYPES
from dataspoke.core.errors import ConfigError, RetriableError, SkippableError

PAGE = 50


def dataset(number: int) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,t{number:04},PROD)"


def run(room: Any, hub: Any = None, **options: Any) -> Reconcile:
    values: dict[str, Any] = {"key": "r", "clock": room.clock, "max_removals": 0.3, "page": PAGE}
    return Reconcile(hub or room.catalogue, room.index, room.work, room.state, **values | options)


def differences(room: Any) -> Any:
    return check(
        room.catalogue,
        room.index,
        model_id=room.embedder.model_id,
        types=SEARCHABLE_ENTITY_TYPES,
        pause=lambda: None,
    )


def fill(room: Any, count: int) -> list[str]:
    urns = [dataset(number) for number in range(count)]
    for urn in urns:
        room.catalogue.put(urn)
    run(room).run()
    room.settle()
    return urns


def test_everything_that_is_missing_comes_into_the_index(room: Any) -> None:
    urns = [dataset(number) for number in range(3 * PAGE + 7)]
    for urn in [*urns, "urn:li:tag:pii", "urn:li:domain:d"]:
        room.catalogue.put(urn)
    found = differences(room)
    assert len(found.missing) == len(urns) + 2
    summary = run(room).run()
    assert (summary.listed, summary.orphans) == (len(urns) + 2, 0)
    room.settle()
    assert differences(room).equal


def test_stale_and_orphaned_points_are_repaired(room: Any) -> None:
    urns = fill(room, 60)
    room.catalogue.change(urns[0], description="changed while nobody listened")
    room.catalogue.change(urns[1], removed=True)
    del room.catalogue.snapshots[urns[2]]
    found = differences(room)
    assert found.stale == [urns[0]]
    assert sorted(found.orphaned) == urns[1:3]
    assert run(room).run().orphans == 1
    room.settle()
    assert differences(room).equal
    assert room.indexed() == {urns[0], *urns[3:]}


def test_what_a_list_leaves_out_is_not_removed(room: Any) -> None:
    urns = fill(room, 60)

    class Gaps:
        def list_urns(self, entity_type: str, *, start: int, count: int) -> list[str]:
            page = room.catalogue.list_urns(entity_type, start=start, count=count)
            return [urn for urn in page if urn not in urns[:10]]

    run(room, hub=Gaps()).run()
    room.settle()
    assert room.indexed() == set(urns)


@pytest.mark.parametrize("size", [5, 60])
def test_a_token_that_sees_nothing_empties_nothing(room: Any, size: int) -> None:
    urns = fill(room, size)
    room.catalogue.snapshots.clear()
    with pytest.raises(ReconcileRefused, match="DataHub lists nothing") as caught:
        run(room).run()
    assert urns[0] in str(caught.value)
    assert "--max-removals 1.0" in str(caught.value)
    room.settle()
    assert room.indexed() == set(urns)


def test_too_large_a_share_is_refused_until_it_is_allowed(room: Any) -> None:
    urns = fill(room, 100)
    for urn in urns[:40]:
        del room.catalogue.snapshots[urn]
    with pytest.raises(ReconcileRefused, match="40 of 100 points"):
        run(room).run()
    room.settle()
    assert room.indexed() == set(urns)
    run(room, max_removals=1.0).run()
    room.settle()
    assert room.indexed() == set(urns[40:])


def test_only_the_types_asked_for_are_looked_at(room: Any) -> None:
    fill(room, 5)
    room.catalogue.put("urn:li:tag:pii")
    room.catalogue.snapshots = {
        urn: seen for urn, seen in room.catalogue.snapshots.items() if "tag" in urn
    }
    summary = run(room, types=("tag",)).run()
    assert (summary.listed, summary.points, summary.orphans) == (1, 0, 0)


def test_a_killed_run_is_resumed_where_it_was(room: Any) -> None:
    for number in range(4 * PAGE):
        room.catalogue.put(dataset(number))
    listed: list[int] = []

    class Dies:
        def list_urns(self, entity_type: str, *, start: int, count: int) -> list[str]:
            if entity_type == "dataset":
                if len(listed) == 2:
                    raise KeyboardInterrupt
                listed.append(start)
            return room.catalogue.list_urns(entity_type, start=start, count=count)

    with pytest.raises(KeyboardInterrupt):
        run(room, hub=Dies()).run()
    room.settle()
    before = room.metrics.done._value.get()
    summary = run(room).run()
    room.settle()
    assert summary.listed == 4 * PAGE
    again = room.metrics.done._value.get() - before
    assert again <= 2 * PAGE + 4 * OVERLAP
    assert differences(room).equal
    assert room.state.get("r") is None


def test_an_outage_in_the_middle_is_gone_on_from(room: Any) -> None:
    for number in range(3 * PAGE):
        room.catalogue.put(dataset(number))
    calls = 0

    class Flaky:
        def list_urns(self, entity_type: str, *, start: int, count: int) -> list[str]:
            nonlocal calls
            calls += 1
            if calls % 2:
                raise RetriableError("Cannot reach DataHub.")
            return room.catalogue.list_urns(entity_type, start=start, count=count)

    reconcile = run(room, hub=Flaky())
    for _ in range(100):
        try:
            summary = reconcile.run()
            break
        except RetriableError:
            continue
    assert summary.listed == 3 * PAGE
    room.settle()
    assert differences(room).equal


def test_another_choice_of_types_begins_anew(room: Any) -> None:
    fill(room, 3)
    room.state.set("r", '{"types": ["tag"], "type": "tag", "start": 40}')
    assert run(room, types=("dataset",)).run().listed == 3


def test_unknown_types_are_named_with_the_known_ones() -> None:
    assert checked_types(()) == SEARCHABLE_ENTITY_TYPES
    assert checked_types(["tag", "tag"]) == ("tag",)
    with pytest.raises(ConfigError, match=r"'table'.*dataset, container"):
        checked_types(["table"])


def test_the_check_forgives_what_is_on_its_way(room: Any) -> None:
    urns = fill(room, 5)
    room.catalogue.change(urns[0], description="new")

    def catch_up() -> None:
        room.work.put([work_of(urns[0])], now=room.clock())
        room.settle()

    found = check(
        room.catalogue,
        room.index,
        model_id=room.embedder.model_id,
        types=("dataset",),
        pause=catch_up,
    )
    assert found.equal
    assert found.compared == 5


def test_the_check_names_what_nobody_can_read(room: Any) -> None:
    urns = fill(room, 3)
    room.catalogue.bad[urns[1]] = SkippableError("Cannot read the aspect 'x'.")
    found = differences(room)
    assert found.equal
    assert found.unreadable == {urns[1]: "Cannot read the aspect 'x'."}


def work_of(urn: str) -> Any:
    from dataspoke.core.work.model import Work

    return Work("sync", urn)
