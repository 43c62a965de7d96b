"""The engine over a real work table and a real outbox."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from dataspoke.actions.vector_sync import engine as engine_module
from dataspoke.actions.vector_sync import fanout
from dataspoke.actions.vector_sync.decide import Changed, upserts
from dataspoke.actions.vector_sync.engine import (
    FIRST_BATCH,
    REFUSED_DELAY_MS,
    RETRY_DELAYS_MS,
    SMALLEST_BATCH,
    Limits,
    next_size,
)
from dataspoke.core.documents.render import render
from dataspoke.core.errors import AccessDeniedError, FatalError, RetriableError, SkippableError
from dataspoke.core.index.model import IndexOp
from dataspoke.core.work.model import Work

if TYPE_CHECKING:
    from collections.abc import Sequence

TAG = "urn:li:tag:pii"


def dataset(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,{name},PROD)"


def put(room: Any, *urns: str, kind: str = "sync", **fields: Any) -> None:
    room.work.put([Work(kind, urn, **fields) for urn in urns], now=room.clock())


def count(metric: Any) -> float:
    return float(metric._value.get())


def test_new_entities_are_embedded_and_written(room: Any) -> None:
    urns = [dataset(f"t{number}") for number in range(5)]
    for urn in urns:
        room.catalogue.put(urn, description="orders of customers")
    put(room, *urns)
    assert room.engine.run_once() == 5
    assert room.indexed() == set(urns)
    assert room.work.stats(now=room.clock()).open == 0
    assert room.embedder.texts == 5
    assert room.catalogue.reads == 1


def test_an_unchanged_entity_touches_neither_embedder_nor_index(room: Any) -> None:
    urn = dataset("t")
    room.catalogue.put(urn)
    put(room, urn)
    room.settle()
    before = room.index.hashes([urn])
    put(room, urn)
    room.settle()
    assert room.embedder.texts == 1
    assert room.index.hashes([urn]) == before
    assert count(room.metrics.unchanged) == 1


def test_what_datahub_says_as_before_is_not_even_rendered(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    urn = dataset("t")
    room.catalogue.put(urn)
    put(room, urn)
    room.settle()
    monkeypatch.setattr(engine_module, "render", None)
    put(room, urn)
    assert room.engine.run_once() == 1
    assert count(room.metrics.unchanged) == 1
    assert room.work.stats(now=room.clock()).open == 0


def test_a_change_that_no_document_shows_is_rendered_once(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    urn = dataset("t")
    room.catalogue.put(urn)
    put(room, urn)
    room.settle()
    room.catalogue.unseen = "an aspect that no snapshot reads"
    put(room, urn)
    room.settle()
    monkeypatch.setattr(engine_module, "render", None)
    put(room, urn)
    assert room.engine.run_once() == 1
    assert count(room.metrics.unchanged) == 2


def test_another_name_of_a_reference_is_seen_although_the_entity_is_untouched(room: Any) -> None:
    urn, tag = dataset("t"), "urn:li:tag:x"
    room.catalogue.put(urn, tags=(tag,))
    put(room, urn)
    room.settle()
    room.catalogue.names[tag] = "Confidential"
    put(room, urn)
    room.settle()
    # The name is one of the embedded texts too.
    assert count(room.metrics.embedded) == 2
    assert count(room.metrics.unchanged) == 0


def test_a_change_that_is_not_embedded_writes_the_payload_alone(room: Any) -> None:
    urn = dataset("t")
    room.catalogue.put(urn)
    put(room, urn)
    room.settle()
    room.catalogue.change(urn, external_url="https://example.org/t")
    put(room, urn)
    room.settle()
    assert room.embedder.texts == 1
    assert count(room.metrics.payloads) == 1


@pytest.mark.parametrize("how", ["soft", "hard"])
def test_a_removed_entity_leaves_the_index_and_comes_back(room: Any, how: str) -> None:
    urn = dataset("t")
    room.catalogue.put(urn)
    put(room, urn)
    room.settle()
    if how == "soft":
        room.catalogue.change(urn, removed=True)
        put(room, urn)
    else:
        del room.catalogue.snapshots[urn]
        put(room, urn, payload={"deleted": True})
    room.settle()
    assert room.indexed() == set()
    room.clock.forward(1_000)
    room.catalogue.put(urn)
    put(room, urn)
    room.settle()
    assert room.indexed() == {urn}


def test_absent_from_an_answer_is_not_deleted(room: Any) -> None:
    urn = dataset("t")
    room.catalogue.put(urn)
    put(room, urn)
    room.settle()
    room.catalogue.silent.add(urn)
    put(room, urn)
    room.settle()
    assert room.indexed() == {urn}
    assert room.work.stats(now=room.clock()).delayed == 1
    room.catalogue.silent.clear()
    room.clock.forward(RETRY_DELAYS_MS[0])
    room.settle()
    assert room.work.stats(now=room.clock()).open == 0


def test_a_blind_token_empties_nothing(room: Any, caplog: pytest.LogCaptureFixture) -> None:
    urns = [dataset(f"t{number}") for number in range(60)]
    for urn in urns:
        room.catalogue.put(urn)
    put(room, *urns)
    room.settle()
    room.catalogue.snapshots.clear()
    put(room, *urns)
    room.settle()
    kept = len(room.indexed())
    assert kept >= 10
    assert room.engine.blocked is not None
    assert "--max-removals 1.0" in room.engine.blocked
    assert len([r for r in caplog.records if "Cannot remove" in r.message]) == 1
    assert room.work.stats(now=room.clock()).delayed == kept
    room.clock.forward(REFUSED_DELAY_MS)
    room.engine = room.new_engine(max_share=1.0)
    room.settle()
    assert room.indexed() == set()


def test_deletions_that_events_announced_pass_the_fail_safe(room: Any) -> None:
    urns = [dataset(f"t{number}") for number in range(60)]
    for urn in urns:
        room.catalogue.put(urn)
    put(room, *urns)
    room.settle()
    room.catalogue.snapshots.clear()
    put(room, *urns, payload={"deleted": True})
    room.settle()
    assert room.indexed() == set()
    assert room.engine.blocked is None


def test_one_bad_entity_is_tried_again_then_set_aside_and_the_others_go_on(room: Any) -> None:
    good, bad = dataset("good"), dataset("bad")
    room.catalogue.put(good)
    room.catalogue.bad[bad] = SkippableError("Cannot read the aspect 'x'.")
    put(room, good, bad)
    room.settle()
    assert room.indexed() == {good}
    for delay in RETRY_DELAYS_MS:
        assert room.work.stats(now=room.clock()).delayed == 1
        room.clock.forward(delay)
        room.settle()
    (letter,) = room.work.dead_letters(limit=10)
    assert letter.key == bad
    assert letter.reason == "Cannot read the aspect 'x'."
    assert letter.error_type == "SkippableError"
    assert letter.attempts == len(RETRY_DELAYS_MS) + 1
    assert room.work.stats(now=room.clock()).open == 0


def test_an_entity_that_breaks_the_whole_batch_is_found_by_splitting(room: Any) -> None:
    urns = [dataset(f"t{number}") for number in range(16)]
    for urn in urns:
        room.catalogue.put(urn, description=f"words {urn}")
    poison = urns[5]
    embed = room.embedder.embed

    def refuse(texts: Sequence[str]) -> Any:
        if any(poison in text or "t5" in text for text in texts):
            raise ValueError("the model chokes")
        return embed(texts)

    room.embedder.embed = refuse
    room.engine = room.new_engine(limits=Limits(batch=50))
    put(room, *urns)
    room.settle()
    assert room.indexed() == set(urns) - {poison}
    for delay in RETRY_DELAYS_MS:
        room.clock.forward(delay)
        room.settle()
    (letter,) = room.work.dead_letters(limit=10)
    assert letter.key == poison
    assert letter.reason == "ValueError: the model chokes"


def test_what_is_no_urn_becomes_a_dead_letter(room: Any) -> None:
    room.catalogue.bad["nonsense"] = SkippableError("Cannot read the urn 'nonsense'.")
    put(room, "nonsense")
    for delay in (*RETRY_DELAYS_MS, 0):
        room.settle()
        room.clock.forward(delay)
    assert [letter.key for letter in room.work.dead_letters(limit=10)] == ["nonsense"]


def test_an_outage_counts_no_attempt(room: Any) -> None:
    urn = dataset("t")
    room.catalogue.put(urn)
    put(room, urn)
    room.catalogue.away = RetriableError("Cannot reach DataHub.")
    for _ in range(10):
        with pytest.raises(RetriableError):
            room.engine.run_once()
    room.catalogue.away = None
    assert room.engine.run_once() == 1
    assert room.indexed() == {urn}


def test_an_outage_is_said_once_and_so_is_its_end(
    room: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    room.catalogue.put(dataset("t"))
    put(room, dataset("t"))
    room.catalogue.away = RetriableError("Cannot reach DataHub.")
    stop = threading.Event()
    threads = [threading.Thread(target=room.engine.run, args=(stop,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: room.engine.blocked == "Cannot reach DataHub.")
    time.sleep(1.0)
    room.catalogue.away = None
    wait_for(lambda: room.indexed() == {dataset("t")})
    wait_for(lambda: room.engine.blocked is None)
    stop.set()
    for thread in threads:
        thread.join(10)
    said = [record.message for record in caplog.records if record.name.endswith("outage")]
    assert len(said) == 2
    assert "Cannot reach DataHub." in said[0]
    assert "goes on" in said[1]


def test_a_refusal_is_an_outage_and_a_damaged_file_is_not(room: Any) -> None:
    put(room, dataset("t"))
    room.catalogue.away = AccessDeniedError("Cannot use DataHub.")
    with pytest.raises(AccessDeniedError):
        room.engine.run_once()
    room.catalogue.away = FatalError("Cannot open the index.")
    with pytest.raises(FatalError):
        room.engine.run(threading.Event())


def test_a_worker_that_lost_its_lease_writes_nothing(room: Any) -> None:
    urn = dataset("t")
    room.catalogue.put(urn, description="old")
    put(room, urn)
    slow, quick = room.new_engine(), room.new_engine()
    embed = room.embedder.embed

    def sleep_through_the_lease(texts: Sequence[str]) -> Any:
        room.embedder.embed = embed
        room.clock.forward(Limits().lease_ms + 1)
        room.catalogue.change(urn, description="new")
        assert quick.run_once() == 1
        return embed(texts)

    room.embedder.embed = sleep_through_the_lease
    slow.run_once()
    newest = room.index.hashes([urn])
    put(room, urn)
    room.settle()
    assert room.index.hashes([urn]) == newest
    assert room.work.stats(now=room.clock()).open == 0


def test_a_state_written_after_the_lease_was_lost_is_looked_at_again(room: Any) -> None:
    urn = dataset("t")
    room.catalogue.put(urn, description="old")
    put(room, urn)
    slow = room.new_engine()
    apply = room.index.apply

    def lose_the_lease_while_writing(ops: Sequence[IndexOp]) -> None:
        room.index.apply = apply
        apply(ops)
        room.clock.forward(Limits().lease_ms + 1)
        assert room.work.claim(["sync"], limit=1, lease_ms=1, worker="other", now=room.clock())
        room.clock.forward(10)

    room.index.apply = lose_the_lease_while_writing
    slow.run_once()
    assert room.work.stats(now=room.clock()).ready == 1
    room.settle()
    assert room.work.stats(now=room.clock()).open == 0


def test_a_put_during_processing_is_processed_again(room: Any) -> None:
    urn = dataset("t")
    room.catalogue.put(urn, description="old")
    put(room, urn)
    embed = room.embedder.embed

    def change_meanwhile(texts: Sequence[str]) -> Any:
        room.embedder.embed = embed
        room.catalogue.change(urn, description="new")
        put(room, urn)
        return embed(texts)

    room.embedder.embed = change_meanwhile
    room.settle()
    first = room.embedder.turns[-1][0]
    assert "new" in first
    assert len(room.embedder.turns) == 2


def test_a_renamed_tag_refreshes_every_document_that_names_it(room: Any) -> None:
    urns = [dataset(f"t{number:04}") for number in range(fanout.PAGE + 30)]
    for urn in urns:
        room.catalogue.put(urn, tags=(TAG,))
    room.catalogue.names[TAG] = "Personal"
    put(room, *urns)
    room.engine = room.new_engine(limits=Limits(batch=200))
    room.settle()
    before = room.index.hashes(urns)
    room.catalogue.names[TAG] = "Secret"
    put(room, TAG, kind="fanout")
    room.settle()
    after = room.index.hashes(urns)
    assert all(before[urn] != after[urn] for urn in urns)
    assert room.work.stats(now=room.clock()).open == 0


def test_a_fan_out_looks_again_at_rows_in_hand(room: Any) -> None:
    urn = dataset("t")
    room.catalogue.put(urn, tags=(TAG,))
    room.catalogue.names[TAG] = "Old"
    put(room, urn)
    embed = room.embedder.embed
    other = room.engine

    def rename_meanwhile(texts: Sequence[str]) -> Any:
        room.embedder.embed = embed
        room.catalogue.names[TAG] = "New"
        put(room, TAG, kind="fanout")
        assert other.run_once() == 1
        return embed(texts)

    room.embedder.embed = rename_meanwhile
    room.settle()
    assert "new" in room.embedder.turns[-1][0]


def test_a_fan_out_comes_again_when_other_processes_hold_rows(room: Any) -> None:
    put(room, dataset("t"))
    room.work.claim(["sync"], limit=1, lease_ms=60_000, worker="elsewhere", now=room.clock())
    put(room, TAG, kind="fanout")
    assert room.engine.run_once() == 1
    assert room.work.stats(now=room.clock()).delayed == 1
    room.clock.forward(Limits().lease_ms)
    assert room.engine.run_once() >= 1


def test_batches_shrink_while_they_are_slow_and_grow_while_they_are_quick() -> None:
    limits = Limits(batch=256, batch_s=1.0)
    size = FIRST_BATCH
    for _ in range(20):
        size = next_size(size, took_s=size / 20, limits=limits)
    assert 16 <= size <= 24
    for _ in range(20):
        size = next_size(size, took_s=size / 2000, limits=limits)
    assert size == 256
    for _ in range(20):
        size = next_size(size, took_s=60, limits=limits)
    assert size == SMALLEST_BATCH
    assert next_size(4, took_s=0, limits=Limits(batch=4)) == 4


def test_a_deletion_fences_off_older_states(room: Any) -> None:
    urn = dataset("t")
    put(room, urn, payload={"deleted": True})
    room.settle()
    room.catalogue.put(urn)
    document = render(room.catalogue.snapshots[urn], model_id=room.embedder.model_id)
    late = upserts([Changed(document, version=1)], room.embedder.embed(["text"]))
    room.index.apply(late)
    assert room.indexed() == set()


def wait_for(condition: Any, timeout: float = 20) -> None:
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
