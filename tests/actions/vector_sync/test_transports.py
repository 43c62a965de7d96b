"""The same behaviour over every event source that has a recipe; real processes throughout."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from datahub.metadata.schema_classes import GlobalTagsClass, TagAssociationClass, TagPropertiesClass
from hub_process import HubProcess
from logged_process import wait_until
from mock_kafka import MockKafka
from postgres_server import PostgresServer
from sync_stage import Stage, dataset

pytestmark = pytest.mark.slow

TAG = "urn:li:tag:t1"


@pytest.fixture(params=["dataspoke-events", "kafka", "pg_queue", "datahub-cloud"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    spoke = tmp_path / "spoke"
    match request.param:
        case "kafka":
            with (
                MockKafka(tmp_path / "kafka") as kafka,
                HubProcess(tmp_path / "hub", kafka=kafka.bootstrap) as hub,
            ):
                env = {"KAFKA_BOOTSTRAP_SERVER": kafka.bootstrap}
                yield Stage(hub, spoke, recipe="vector_sync.kafka.yml", env=env)
        case "pg_queue":
            with (
                PostgresServer(tmp_path / "pg", fsync=False) as server,
                HubProcess(tmp_path / "hub", pg_queue=server.url) as hub,
            ):
                env = {
                    "DATASPOKE_PGQUEUE_HOST_PORT": server.host_port,
                    "DATASPOKE_PGQUEUE_DATABASE": "postgres",
                    "DATASPOKE_PGQUEUE_USERNAME": "postgres",
                    "DATASPOKE_PGQUEUE_PASSWORD": server.password,
                }
                yield Stage(hub, spoke, recipe="vector_sync.pg_queue.yml", env=env)
        case "datahub-cloud":
            with HubProcess(tmp_path / "hub") as hub:
                yield Stage(hub, spoke, recipe="vector_sync.datahub_cloud.yml")
        case _:
            with HubProcess(tmp_path / "hub") as hub:
                yield Stage(hub, spoke)


def test_what_was_there_and_what_changes_reach_the_index_over_a_kill(stage: Stage) -> None:
    stage.table("before")
    with stage.action() as action:
        wait_until(lambda: dataset("before") in stage.indexed(), what="the reconcile", timeout=90)
        stage.table("after")
        stage.emit(TAG, TagPropertiesClass(name="Personal data"))
        stage.emit(dataset("before"), GlobalTagsClass(tags=[TagAssociationClass(tag=TAG)]))
        wait_until(lambda: dataset("after") in stage.indexed(), what="the event", timeout=60)
        wait_until(
            lambda: "Personal data" in stage.payload(dataset("before")), what="the tag", timeout=60
        )
        action.kill()
        stage.table("while it was down")
        for number in range(50):
            stage.table(f"t{number % 10}", f"text {number}")
        action.start()
        stage.wait_until_equal(timeout=120)
        assert "Traceback" not in action.log_text()


def test_a_new_group_that_is_killed_before_its_first_event_misses_none(stage: Stage) -> None:
    stage.table("before")
    with stage.action() as action:
        wait_until(lambda: dataset("before") in stage.indexed(), what="the reconcile", timeout=90)
        time.sleep(2)
        action.kill()
        stage.table("while it was down")
        action.start()
        wait_until(
            lambda: dataset("while it was down") in stage.indexed(), what="the event", timeout=90
        )
