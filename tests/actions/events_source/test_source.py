"""The source over a real HTTP server: what is delivered, what is stored, and when."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from datahub_actions.event.event_envelope import EventEnvelope
from poll_api import FakePollApi, Runner, eventually

from dataspoke.core.errors import ConfigError
from dataspoke.local_hub.transports.avro import MCL_TOPIC, TIMESERIES_TOPIC

MakeRunner = Callable[..., Runner]


def test_the_position_is_stored_before_the_first_event(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    api.add(1, 2, 3)
    runner = make_runner().start()
    assert runner.source.joined.wait(5)
    assert runner.offset() == "3"
    assert runner.seen == []


def test_events_after_the_join_are_delivered_and_their_offset_is_stored(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    runner = make_runner().start()
    runner.source.joined.wait(5)
    api.add(*range(20))
    eventually(lambda: len(runner.seen) == 20)
    assert runner.numbers == list(range(20))
    eventually(lambda: runner.offset() == "20")
    envelope = runner.seen[0]
    assert envelope.event_type == "MetadataChangeLogEvent_v1"
    assert envelope.meta["dataspoke_events"]["topic"] == MCL_TOPIC
    assert '"meta"' in envelope.as_json()


def test_a_new_process_goes_on_where_the_last_ack_was(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    api.add(*range(10))
    first = make_runner(start="lookback", lookback_days=1, limit=4).start()
    blocked = threading.Event()
    first.act = lambda event: not blocked.wait(0.0 if len(first.seen) <= 6 else 30)
    eventually(lambda: len(first.seen) == 7)
    assert first.offset() == "4", "the second batch is not wholly acknowledged"
    second = make_runner(limit=4).start()
    eventually(lambda: len(second.seen) == 6)
    assert second.numbers == [4, 5, 6, 7, 8, 9]
    blocked.set()


def test_events_in_the_very_first_answer_are_owed_until_they_are_acknowledged(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    api.add(1, 2)
    runner = make_runner(start="lookback", lookback_days=3)
    refuse = threading.Event()
    runner.act = lambda event: refuse.is_set()
    runner.start()
    eventually(lambda: len(runner.seen) >= 2)
    stored = runner.offset()
    assert stored is not None
    days = (time.time() * 1000 - int(stored.removeprefix("@"))) / 86_400_000
    assert days == pytest.approx(3, abs=0.01)
    assert runner.source.joined.is_set()
    runner.stop()
    second = make_runner().start()
    eventually(lambda: second.numbers == [1, 2])
    assert api.polls[-1].get("lookbackWindowDays") in (None, "4", "3")
    eventually(lambda: second.offset() == "2")


def test_a_batch_with_a_refused_event_comes_again_and_is_never_skipped(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    runner = make_runner(limit=3).start()
    runner.source.joined.wait(5)
    runner.act = lambda event: len(runner.seen) != 2
    api.add(*range(6))
    eventually(lambda: len(runner.seen) == 9)
    assert runner.numbers == [0, 1, 2, 0, 1, 2, 3, 4, 5]
    eventually(lambda: runner.offset() == "6")


def test_an_ack_may_come_late_and_from_another_thread(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    runner = make_runner(redeliver_after_seconds=30).start()
    runner.source.joined.wait(5)
    runner.act = lambda event: False
    api.add(1, 2)
    eventually(lambda: len(runner.seen) == 2)
    assert runner.offset() == "0"
    for envelope in runner.seen:
        runner.source.ack(envelope, processed=True)
    eventually(lambda: runner.offset() == "2", timeout=3)


def test_a_stuck_topic_does_not_stop_another_one(api: FakePollApi, make_runner: MakeRunner) -> None:
    runner = make_runner(topics=[MCL_TOPIC, TIMESERIES_TOPIC], redeliver_after_seconds=30).start()
    runner.source.joined.wait(5)

    def act(envelope: EventEnvelope) -> bool:
        return bool(envelope.meta["dataspoke_events"]["topic"] == TIMESERIES_TOPIC)

    runner.act = act
    api.add(1)
    eventually(lambda: runner.numbers == [1])
    api.add(7, 8, topic=TIMESERIES_TOPIC)
    eventually(lambda: runner.numbers == [1, 7, 8])
    eventually(lambda: runner.offset(TIMESERIES_TOPIC) == "2")
    assert runner.offset() == "0"


def test_a_hub_that_is_away_is_said_once_and_waited_for(
    api: FakePollApi, make_runner: MakeRunner, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    runner = make_runner(topics=[MCL_TOPIC, TIMESERIES_TOPIC]).start()
    runner.source.joined.wait(5)
    api.answers = [(503, {})] * 4
    api.add(1)
    eventually(lambda: runner.numbers == [1])
    eventually(lambda: "goes on" in caplog.text)
    assert caplog.text.count("waits and tries again") == 1


@pytest.mark.parametrize("answer", [(429, {}), (500, {}), (200, {"events": []}), (200, "no")])
def test_what_heals_does_not_end_the_stream(
    api: FakePollApi, make_runner: MakeRunner, answer: tuple[int, Any]
) -> None:
    api.answers = [answer, answer]
    runner = make_runner().start()
    runner.source.joined.wait(5)
    api.add(1)
    eventually(lambda: runner.numbers == [1])


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_ends_with_one_sentence(
    api: FakePollApi, make_runner: MakeRunner, status: int
) -> None:
    api.answers = [(status, {})]
    runner = make_runner().start()
    runner.join()
    assert isinstance(runner.failure, ConfigError)
    assert runner.failure.__suppress_context__
    assert str(runner.failure) == (
        f"Cannot follow {MCL_TOPIC} of DataHub at {api.url}: it refuses the token. Set "
        "DATAHUB_GMS_TOKEN to a valid token whose owner has the platform privilege "
        "'Get Metadata Change Log Events'."
    )


def test_a_topic_that_is_not_offered_ends_with_one_sentence(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    api.refuse = lambda params: (400, {"message": "Unsupported events topic"})
    runner = make_runner().start()
    runner.join()
    assert isinstance(runner.failure, ConfigError)
    assert "source.config.topics" in str(runner.failure)


def test_an_unknown_offset_starts_over_and_asks_for_a_reconcile(
    api: FakePollApi, make_runner: MakeRunner, caplog: pytest.LogCaptureFixture
) -> None:
    runner = make_runner(start="lookback", lookback_days=1)
    runner.store.state.set(f"offset:p:{MCL_TOPIC}", "99")
    api.add(1, 2)
    runner.start()
    eventually(lambda: runner.numbers == [1, 2])
    eventually(lambda: runner.offset() == "2")
    assert "dataspoke index reconcile" in caplog.text
    assert "no longer knows the position" in str(runner.store.state.get("reconcile_needed:p"))


def test_an_offset_that_datahub_fails_on_time_after_time_is_given_up(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    runner = make_runner()
    runner.store.state.set(f"offset:p:{MCL_TOPIC}", "bad")
    api.refuse = lambda params: (500, {}) if params.get("offsetId") == "bad" else None
    runner.start()
    eventually(lambda: runner.store.state.get("reconcile_needed:p"), timeout=30)
    # It goes on at the end of the stream: what comes before it got there is the reconcile's.
    eventually(lambda: runner.offset() not in (None, "bad"))
    api.add(5)
    eventually(lambda: runner.numbers == [5])


def test_a_whole_outage_never_gives_up_an_offset(api: FakePollApi, make_runner: MakeRunner) -> None:
    runner = make_runner()
    runner.store.state.set(f"offset:p:{MCL_TOPIC}", "0")
    api.add(1)
    api.answers = [(500, {})] * 8
    runner.start()
    eventually(lambda: runner.numbers == [1], timeout=30)
    assert runner.store.state.get("reconcile_needed:p") is None


def test_an_unreadable_event_is_a_dead_letter_and_the_stream_goes_on(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    runner = make_runner().start()
    runner.source.joined.wait(5)
    api.add(1)
    api.topics[MCL_TOPIC] += ["no json", '{"entityType": 5}']
    api.add(2)
    eventually(lambda: runner.numbers == [1, 2])
    eventually(lambda: runner.offset() == "4")
    letters = runner.store.dead_letters.dead_letters(limit=10)
    assert sorted(letter.payload["value"] for letter in letters) == ["no json", '{"entityType": 5}']
    assert all(letter.reason.startswith("Cannot read an event of Meta") for letter in letters)


def test_a_database_that_is_away_holds_the_stream(
    api: FakePollApi, make_runner: MakeRunner, caplog: pytest.LogCaptureFixture
) -> None:
    runner = make_runner(limit=1).start()
    runner.source.joined.wait(5)
    runner.store.state.away = True  # type: ignore[attr-defined]
    api.add(1, 2)
    eventually(lambda: "Cannot use the database" in caplog.text)
    assert runner.numbers == [1], "nothing is delivered over an offset that is not stored"
    runner.store.state.away = False  # type: ignore[attr-defined]
    eventually(lambda: runner.numbers == [1, 2])
    eventually(lambda: runner.offset() == "2")


@pytest.mark.parametrize("answers", [[], [(503, {})] * 999])
def test_a_stop_takes_no_longer_than_two_seconds(
    api: FakePollApi, make_runner: MakeRunner, answers: list[tuple[int, Any]]
) -> None:
    api.answers = answers
    runner = make_runner(poll_timeout_seconds=10).start()
    eventually(lambda: api.polls)
    began = time.monotonic()
    runner.stop()
    runner.source.close()
    runner.source.close()
    assert time.monotonic() - began < 5


def test_a_stop_before_the_start_is_kept(make_runner: MakeRunner) -> None:
    runner = make_runner()
    runner.source.request_stop()
    assert list(runner.source.events()) == []


def test_a_stop_between_two_events_stores_no_offset_too_far(
    api: FakePollApi, make_runner: MakeRunner
) -> None:
    runner = make_runner().start()
    runner.source.joined.wait(5)

    def act(envelope: EventEnvelope) -> bool:
        runner.source.request_stop()
        return True

    runner.act = act
    api.add(1, 2, 3)
    runner.join()
    assert runner.numbers == [1]
    assert runner.offset() == "0"
