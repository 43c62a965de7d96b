"""`dataspoke-events` under the stock `datahub actions`: killed, stopped, starved and refused."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
from hub_process import HubProcess
from logged_process import wait_until
from pipelines import Stage, describe

pytestmark = pytest.mark.slow


def test_no_event_is_lost_by_kill_9_and_the_order_holds(stage: Stage) -> None:
    pipeline, record = stage.pipeline(
        "killed", stage.source("dataspoke-events", limit=20), action={"pause": 0.005}
    )
    pipeline.start()
    stage.wait_joined(pipeline)
    chance = random.Random(7)
    sent = 0
    for _ in range(3):
        for _ in range(4):
            describe(stage.hub, *range(sent, sent + 25))
            sent += 25
        target = len(set(record.numbers)) + chance.randrange(5, 60)
        wait_until(lambda target=target: len(set(record.numbers)) >= target, what="some events")
        pipeline.restart()
    wait_until(lambda: set(record.numbers) == set(range(sent)), what="all events", timeout=60)
    first_seen = list(dict.fromkeys(record.numbers))
    assert first_seen == sorted(first_seen)
    assert len(record.numbers) < sent * 2, "each kill repeats a batch or two, not everything"


def test_sigterm_ends_within_seconds_and_nothing_is_repeated(stage: Stage) -> None:
    pipeline, record = stage.pipeline("stopped", stage.source("dataspoke-events"))
    pipeline.start()
    stage.wait_joined(pipeline)
    describe(stage.hub, *range(30))
    wait_until(lambda: len(record.numbers) == 30, what="all events")
    time.sleep(0.5)
    began = time.monotonic()
    assert pipeline.stop() == 0
    assert time.monotonic() - began < 6
    describe(stage.hub, *range(30, 60))
    pipeline.start()
    wait_until(lambda: len(record.numbers) >= 60, what="the later events")
    assert record.numbers == list(range(60))


def test_a_hub_killed_under_way_is_waited_for(stage: Stage) -> None:
    pipeline, record = stage.pipeline("starved", stage.source("dataspoke-events"))
    pipeline.start()
    stage.wait_joined(pipeline)
    describe(stage.hub, 1)
    wait_until(lambda: record.numbers == [1], what="the first event")
    stage.hub.kill()
    pipeline.wait_for_log("waits and tries again: Cannot reach DataHub")
    time.sleep(3)
    stage.hub.start()
    describe(stage.hub, 2)
    wait_until(lambda: record.numbers == [1, 2], what="the second event")
    pipeline.wait_for_log("goes on")
    said = re.findall(r"waits and tries again: .*", pipeline.log_text())
    assert len(said) == len(set(said)), "each reason is said once"


def test_a_hub_that_is_not_there_yet_is_waited_for(stage: Stage) -> None:
    stage.hub.stop()
    pipeline, record = stage.pipeline("early", stage.source("dataspoke-events"))
    pipeline.start()
    pipeline.wait_for_log("waits and tries again")
    stage.hub.start()
    stage.wait_joined(pipeline)
    describe(stage.hub, 1)
    wait_until(lambda: record.numbers == [1], what="the event")


def test_what_an_action_refuses_comes_again(stage: Stage, tmp_path: Path) -> None:
    refuse = tmp_path / "refuse"
    refuse.touch()
    pipeline, record = stage.pipeline(
        "refusing",
        stage.source("dataspoke-events", redeliver_after_seconds=1),
        action={"refuse_while": str(refuse)},
    )
    pipeline.start()
    stage.wait_joined(pipeline)
    describe(stage.hub, 1, 2)
    pipeline.wait_for_log("are not acknowledged")
    assert record.numbers == []
    refuse.unlink()
    wait_until(lambda: set(record.numbers) == {1, 2}, what="the same events again")
    assert pipeline.alive


def test_entity_change_events_arrive_from_several_topics_at_once(stage: Stage) -> None:
    topics = [
        "MetadataChangeLog_Versioned_v1",
        "PlatformEvent_v1",
        "MetadataChangeLog_Timeseries_v1",
    ]
    pipeline, record = stage.pipeline(
        "several", stage.source("dataspoke-events", topics=topics, poll_timeout_seconds=5)
    )
    pipeline.start()
    stage.wait_joined(pipeline, *topics)
    began = time.monotonic()
    describe(stage.hub, 1)
    wait_until(
        lambda: (
            {"MetadataChangeLogEvent_v1", "EntityChangeEvent_v1"}
            <= {line["type"] for line in record.lines}
        ),
        what="events of both topics",
        pause=0.01,
    )
    assert time.monotonic() - began < 3, "topics do not wait for each other"


def test_filters_of_the_pipeline_hold_and_text_is_intact(stage: Stage) -> None:
    wanted = {"MetadataChangeLogEvent_v1": {"event": [{"aspectName": "editableDatasetProperties"}]}}
    pipeline, record = stage.pipeline(
        "filtered",
        stage.source("dataspoke-events"),
        filters=[{"type": "event_type", "config": {"filter": wanted}}],
    )
    pipeline.start()
    stage.wait_joined(pipeline)
    describe(stage.hub, 1, 2)
    wait_until(lambda: len(record.lines) >= 2, what="the events")
    assert record.numbers == [1, 2]
    assert record.lines[0]["value"] == '{"description":"café 1"}'
    assert len(record.lines) == 2


def sentence_once(log: str, sentence: str) -> None:
    unwrapped = re.sub(r"\s+", " ", log)
    assert unwrapped.count(sentence) == 1, log


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_wrong_token_ends_with_our_sentence_once(
    stage: Stage, tmp_path: Path, token: str | None
) -> None:
    stage.hub.kill()
    stage.hub = HubProcess(tmp_path / "locked", token="right")
    stage.hub.start()
    datahub = {"server": stage.hub.url} | ({"token": token} if token else {})
    pipeline, _ = stage.pipeline("refused", stage.source("dataspoke-events"), datahub=datahub)
    pipeline.start()
    assert pipeline.wait(timeout=60) == 1
    sentence_once(
        pipeline.log_text(),
        f"Cannot follow MetadataChangeLog_Versioned_v1 of DataHub at {stage.hub.url}: it refuses "
        "the token. Set datahub.token to a valid token whose owner has the platform privilege "
        "'Get Metadata Change Log Events'.",
    )


def test_a_wrong_recipe_key_ends_with_our_sentence_once(stage: Stage) -> None:
    pipeline, _ = stage.pipeline("typo", stage.source("dataspoke-events", limits=5))
    pipeline.start()
    assert pipeline.wait(timeout=60) == 1
    sentence_once(pipeline.log_text(), "Cannot read the recipe: source.config.limits: ")


def test_a_damaged_database_ends_with_our_sentence_once(stage: Stage, tmp_path: Path) -> None:
    database = tmp_path / "damaged.db"
    database.write_bytes(b"this is no database, but it is long enough to look like a file" * 99)
    pipeline, _ = stage.pipeline(
        "damaged", stage.source("dataspoke-events", database_url=f"sqlite:///{database}")
    )
    pipeline.start()
    assert pipeline.wait(timeout=60) == 1
    sentence_once(pipeline.log_text(), f"Cannot open the database {database}: ")


def test_a_hub_with_new_data_asks_for_a_reconcile(stage: Stage, tmp_path: Path) -> None:
    pipeline, record = stage.pipeline(
        "renewed", stage.source("dataspoke-events", start="lookback", lookback_days=1)
    )
    pipeline.start()
    stage.wait_joined(pipeline)
    describe(stage.hub, *range(40))
    wait_until(lambda: len(set(record.numbers)) == 40, what="all events")
    time.sleep(0.5)
    stage.hub.kill()
    (stage.hub.home / "hub").rename(stage.hub.home / "old")
    stage.hub.start()
    describe(stage.hub, 99)
    wait_until(lambda: 99 in record.numbers, what="the event of the new hub")
    pipeline.wait_for_log("Run: dataspoke index reconcile")
