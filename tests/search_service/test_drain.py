from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from airline_catalogue import airline, settings_in, table, upsert
from search_support import Writer, entities_of, running, wait_for

from dataspoke.core.errors import DataSpokeError, FatalError, RetriableError
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.model import DeletePoint, IndexOp
from dataspoke.core.index.outbox import Outbox
from dataspoke.core.index.spec import spec_for
from dataspoke.core.store.database import Database
from dataspoke.search_service.drain import OutboxDrainer


def test_what_another_process_writes_is_found_within_a_second(
    tmp_path: Path, writer: Writer
) -> None:
    flights = table("flights", "Departures.")
    with running(settings_in(tmp_path)) as client:

        def first(q: str) -> str | None:
            results = client.get("/search/semantic", params={"q": q}).json()["results"]
            return results[0]["name"] if results else None

        writer.apply(upsert(flights, writer.embedder))
        wait_for(lambda: first("flights") == "flights")

        started = time.monotonic()
        writer.apply(upsert(replace(flights, name="departures"), writer.embedder, version=2))
        wait_for(lambda: first("departures") == "departures")
        assert time.monotonic() - started < 5

        writer.apply(DeletePoint(flights.urn, version=3))
        wait_for(lambda: first("departures") is None)


def test_more_than_one_batch_is_drained_without_a_pause(tmp_path: Path, writer: Writer) -> None:
    ops = [upsert(table(f"t{i}"), writer.embedder) for i in range(1200)]
    writer.apply(*ops)
    with running(settings_in(tmp_path)) as client:
        wait_for(lambda: client.get("/readyz").json()["details"]["outbox"]["applied"] == 1200)
        assert entities_of(client) == 1200


class Flaky:
    """An index that fails as told, then works."""

    def __init__(self, index: EdgeIndex, failures: Sequence[DataSpokeError]) -> None:
        self._index = index
        self._failures = list(failures)

    def apply(self, ops: Sequence[IndexOp]) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self._index.apply(ops)


@pytest.fixture
def owned(tmp_path: Path, writer: Writer) -> tuple[EdgeIndex, Outbox, Database]:
    spec = spec_for(writer.embedder)
    index = EdgeIndex.open(tmp_path / "index", spec, now_ms=0)
    database = Database.open(settings_in(tmp_path).database_url)
    outbox = Outbox(database, spec)
    outbox.bind(index.generation, index.urns())
    return index, outbox, database


def test_a_failed_batch_is_said_once_and_applied_later(
    owned: tuple[EdgeIndex, Outbox, Database],
    writer: Writer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    index, outbox, database = owned
    flaky = Flaky(index, [RetriableError("Cannot write: disk away. Mount it.")] * 2)
    writer.apply(*(upsert(snapshot, writer.embedder) for snapshot in airline()))
    drainer = OutboxDrainer(outbox, flaky, on_fatal=lambda error: None)  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        drainer.start()
        wait_for(lambda: drainer.status.failure)
        assert drainer.status.failure == "Cannot write: disk away. Mount it."
        wait_for(lambda: drainer.status.applied == len(airline()))
    assert drainer.status.failure is None
    assert drainer.status.failures == 2
    assert [r.getMessage() for r in caplog.records].count(
        "The index does not follow: Cannot write: disk away. Mount it."
    ) == 1
    assert drainer.stop(timeout=5)
    assert index.count(()) == len(airline())
    index.close()
    database.close()


def test_a_damaged_index_ends_the_drain_and_tells_the_service(
    owned: tuple[EdgeIndex, Outbox, Database], writer: Writer
) -> None:
    index, outbox, database = owned
    errors: list[FatalError] = []
    flaky = Flaky(index, [FatalError("Cannot use the index: damaged. Rebuild it.")])
    writer.apply(upsert(airline()[0], writer.embedder))
    drainer = OutboxDrainer(outbox, flaky, on_fatal=errors.append)  # type: ignore[arg-type]
    drainer.start()
    wait_for(lambda: errors)
    assert drainer.stop(timeout=5)
    assert outbox.backlog()[0] == 1
    index.close()
    database.close()


def test_what_was_applied_but_not_acknowledged_is_applied_again(
    owned: tuple[EdgeIndex, Outbox, Database], writer: Writer
) -> None:
    index, outbox, database = owned
    writer.apply(*(upsert(snapshot, writer.embedder) for snapshot in airline()))
    index.apply([one.op for one in outbox.pending(5)])  # and then the process died
    drainer = OutboxDrainer(outbox, index, on_fatal=lambda error: None)
    assert drainer.drain_once() == len(airline())
    assert drainer.drain_once() == 0
    assert index.count(()) == len(airline())
    index.close()
    database.close()
