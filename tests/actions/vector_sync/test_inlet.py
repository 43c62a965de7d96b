"""What `act()` does with an event."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from datahub.metadata.schema_classes import GenericAspectClass, MetadataChangeLogClass
from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.event.event_registry import MetadataChangeLogEvent

from dataspoke.actions.vector_sync.events import MCL_TYPE
from dataspoke.actions.vector_sync.inlet import Inlet
from dataspoke.core.errors import RetriableError
from dataspoke.core.work.model import Work

TABLE = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.orders,PROD)"


def envelope(
    urn: str | None = TABLE, aspect: str = "globalTags", value: bytes = b"{}"
) -> EventEnvelope:
    event = MetadataChangeLogEvent.from_class(
        MetadataChangeLogClass(
            entityType=(urn or TABLE).split(":")[2],
            changeType="UPSERT",
            entityUrn=urn,
            aspectName=aspect,
            aspect=GenericAspectClass(value=value, contentType="application/json"),
        )
    )
    return EventEnvelope(MCL_TYPE, event, {})


def inlet(room: Any, stopping: bool = False) -> Inlet:
    return Inlet(
        room.work,
        room.metrics,
        clock=room.clock,
        stopping=lambda: stopping,
        wake=room.engine.wake,
    )


def test_an_event_is_durable_work_and_wakes_the_workers(room: Any) -> None:
    inlet(room).take(envelope())
    (row,) = room.work.list_open(limit=10)
    assert (row.work.kind, row.work.key) == ("sync", TABLE)
    assert room.engine.wake.is_set()


def test_events_that_do_not_matter_leave_no_trace(room: Any) -> None:
    inlet(room).take(envelope(aspect="datasetProfile"))
    inlet(room).take(EventEnvelope("EntityChangeEvent_v1", object(), {}))  # type: ignore[arg-type]
    assert room.work.stats(now=room.clock()).open == 0
    assert not room.engine.wake.is_set()


def test_an_event_without_an_entity_is_a_dead_letter(room: Any) -> None:
    inlet(room).take(envelope(urn=None))
    (letter,) = room.work.dead_letters(limit=10)
    assert "no entityUrn" in letter.reason
    assert letter.payload["aspectName"] == "globalTags"
    assert room.work.stats(now=room.clock()).open == 0


def test_an_unreadable_value_is_a_dead_letter_and_its_entity_is_read_fresh(room: Any) -> None:
    inlet(room).take(envelope("urn:li:tag:pii", "tagProperties", b"{broken"))
    (letter,) = room.work.dead_letters(limit=10)
    assert letter.key == "urn:li:tag:pii"
    (row,) = room.work.list_open(limit=10)
    assert row.work.key == "urn:li:tag:pii"


def test_a_urn_that_no_table_can_hold_is_a_dead_letter(room: Any) -> None:
    inlet(room).take(envelope("urn:li:tag:" + "x" * 5_000, "status"))
    (letter,) = room.work.dead_letters(limit=10)
    assert "longer than" in letter.reason


class AwayTable:
    """A work table whose database is away for some calls."""

    def __init__(self, table: Any, failures: int) -> None:
        self._table = table
        self.failures = failures

    def put(self, items: Sequence[Work], *, now: int) -> None:
        if self.failures:
            self.failures -= 1
            raise RetriableError("Cannot write the database: it is away.")
        self._table.put(items, now=now)


def test_it_blocks_until_the_put_is_durable(room: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    taking = Inlet(
        AwayTable(room.work, failures=2),  # type: ignore[arg-type]
        room.metrics,
        clock=room.clock,
        stopping=lambda: False,
        wake=threading.Event(),
    )
    taking.take(envelope())
    assert room.work.stats(now=room.clock()).open == 1
    assert taking.blocked is None
    said = [record.message for record in caplog.records if record.name.endswith("outage")]
    assert len(said) == 2


def test_a_stop_during_an_outage_leaves_without_an_acknowledgement(room: Any) -> None:
    taking = Inlet(
        AwayTable(room.work, failures=10**9),  # type: ignore[arg-type]
        room.metrics,
        clock=room.clock,
        stopping=lambda: True,
        wake=threading.Event(),
    )
    with pytest.raises(SystemExit):
        taking.take(envelope())
    assert taking.blocked is not None


def test_a_hundred_edits_of_one_entity_are_one_row(room: Any) -> None:
    taking = inlet(room)
    for number in range(100):
        value = json.dumps({"tags": [{"tag": f"urn:li:tag:{number}"}]}).encode()
        taking.take(envelope(value=value))
    assert room.work.stats(now=room.clock()).open == 1
