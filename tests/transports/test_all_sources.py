"""One hub, four event sources, the stock `datahub actions`: the same events arrive over each."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from datahub_cli import ActionsProcess
from logged_process import wait_until
from pipelines import Recorder, Stage, describe

pytestmark = pytest.mark.slow

SOURCES = ("dataspoke-events", "datahub-cloud", "kafka", "pg_queue")


def recorded(record: Recorder) -> set[tuple[str, ...]]:
    """What arrived of our datasets, without what a transport may repeat or reorder.

    The aspect's text is left out: `datahub-cloud` garbles what is outside ASCII.
    """
    return {
        (line["type"], line["urn"], line["aspect"], line["change"])
        for line in record.lines
        if ",shop.t" in line["urn"]
    }


def start_all(stage: Stage, **config: Any) -> dict[str, tuple[ActionsProcess, Recorder]]:
    pipelines = {
        kind: stage.pipeline(kind, stage.source(kind, **config.get(kind, {}))) for kind in SOURCES
    }
    for process, _ in pipelines.values():
        process.start()
    return pipelines


def test_the_same_events_arrive_over_every_source(full_stage: Stage) -> None:
    pipelines = start_all(full_stage, **{"datahub-cloud": {"lookback_days": 1}})
    full_stage.wait_joined(pipelines["dataspoke-events"][0])
    describe(full_stage.hub, *range(60))
    for kind, (process, record) in pipelines.items():
        process.wait_ready(
            lambda record=record: set(record.numbers) == set(range(60)),
            what=f"all events over {kind}",
            timeout=90,
        )
    expected = recorded(pipelines["dataspoke-events"][1])
    assert len(expected) >= 120, "keys and descriptions"
    for kind, (_, record) in pipelines.items():
        wait_until(lambda record=record: recorded(record) == expected, what=f"the same over {kind}")
    texts = {
        kind: {
            line["value"] for line in record.lines if line["aspect"] == "editableDatasetProperties"
        }
        for kind, (_, record) in pipelines.items()
    }
    assert texts["kafka"] == texts["pg_queue"] == texts["dataspoke-events"]
    assert '{"description":"café 1"}' in texts["dataspoke-events"]


def test_kafka_loses_nothing_by_kill_9(full_stage: Stage) -> None:
    pipeline, record = full_stage.pipeline(
        "killed", full_stage.source("kafka"), action={"pause": 0.005}
    )
    pipeline.start()
    chance = random.Random(11)
    sent = 0
    for _ in range(2):
        for _ in range(4):
            describe(full_stage.hub, *range(sent, sent + 25))
            sent += 25
        target = len(set(record.numbers)) + chance.randrange(5, 60)
        wait_until(
            lambda target=target: len(set(record.numbers)) >= target, what="some events", timeout=60
        )
        pipeline.restart()
    wait_until(lambda: set(record.numbers) == set(range(sent)), what="all events", timeout=90)


def test_pg_queue_goes_on_after_the_visibility_timeout(full_stage: Stage) -> None:
    pipeline, record = full_stage.pipeline(
        "killed", full_stage.source("pg_queue"), action={"pause": 0.01}
    )
    pipeline.start()
    describe(full_stage.hub, *range(80))
    wait_until(lambda: len(record.numbers) > 10, what="some events", timeout=60)
    pipeline.restart()
    wait_until(lambda: set(record.numbers) == set(range(80)), what="all events", timeout=90)


def test_datahub_cloud_looks_back_after_a_kill(full_stage: Stage) -> None:
    pipeline, record = full_stage.pipeline(
        "killed", full_stage.source("datahub-cloud", lookback_days=1), action={"pause": 0.01}
    )
    describe(full_stage.hub, *range(40))
    pipeline.start()
    wait_until(lambda: len(record.numbers) > 10, what="some events", timeout=60)
    pipeline.kill()
    describe(full_stage.hub, *range(40, 60))
    pipeline.start()
    wait_until(lambda: set(record.numbers) == set(range(60)), what="all events", timeout=60)


def test_publishers_go_on_after_the_hub_was_killed(full_stage: Stage) -> None:
    pipelines = start_all(
        full_stage, **{"datahub-cloud": {"lookback_days": 1, "infinite_retry": True}}
    )
    full_stage.wait_joined(pipelines["dataspoke-events"][0])
    describe(full_stage.hub, *range(30))
    full_stage.hub.kill()
    time.sleep(1)
    full_stage.hub.start()
    describe(full_stage.hub, *range(30, 60))
    for kind, (process, record) in pipelines.items():
        process.wait_ready(
            lambda record=record: set(record.numbers) == set(range(60)),
            what=f"all events over {kind}",
            timeout=90,
        )
