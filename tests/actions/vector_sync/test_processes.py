"""The action as people run it: `datahub actions -c`, a real hub, kills and outages."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from datahub.metadata.schema_classes import (
    GlobalTagsClass,
    StatusClass,
    TagAssociationClass,
    TagPropertiesClass,
)
from datahub_cli import run_datahub
from hub_process import HubProcess
from logged_process import LoggedProcess, clean_env, free_port, script, wait_until
from sync_stage import Stage, dataset

from dataspoke.core.store.database import Database
from dataspoke.core.work.model import Work
from dataspoke.core.work.table import SqlWorkTable

pytestmark = pytest.mark.slow

TAG = "urn:li:tag:t1"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with HubProcess(tmp_path / "hub") as hub:
        yield Stage(hub, tmp_path / "spoke")


def test_the_index_follows_datahub_from_the_first_start_on(stage: Stage) -> None:
    for number in range(5):
        stage.table(number)
    stage.emit(TAG, TagPropertiesClass(name="Personal data"))
    with stage.action() as action:
        action.wait_for_log("Reconciling:")
        wait_until(lambda: len(stage.indexed()) == 6, what="the reconcile")
        stage.wait_until_equal()
        # a person's edits
        run_datahub(
            *("put", "--urn", dataset(0), "--aspect", "editableDatasetProperties"),
            *("-d", str(_json(stage, '{"description": "wares on their way"}'))),
            hub_url=stage.hub.url,
            home=stage.home,
        )
        wait_until(lambda: "wares on their way" in stage.payload(dataset(0)), what="the edit")
        # a tag, and later its new name
        stage.emit(dataset(1), GlobalTagsClass(tags=[TagAssociationClass(tag=TAG)]))
        wait_until(lambda: "Personal data" in stage.payload(dataset(1)), what="the tag")
        stage.emit(TAG, TagPropertiesClass(name="Secret"))
        wait_until(lambda: "Secret" in stage.payload(dataset(1)), what="its new name")
        # away, back, and away for good
        stage.emit(dataset(2), StatusClass(removed=True))
        wait_until(lambda: dataset(2) not in stage.indexed(), what="the soft delete")
        stage.emit(dataset(2), StatusClass(removed=False))
        wait_until(lambda: dataset(2) in stage.indexed(), what="its return")
        run_datahub(
            *("delete", "--urn", dataset(2), "--hard", "--force"),
            hub_url=stage.hub.url,
            home=stage.home,
        )
        wait_until(lambda: dataset(2) not in stage.indexed(), what="the hard delete")
        stage.wait_until_equal()
        assert action.stop() == 0


def test_nothing_is_lost_when_it_is_killed_again_and_again(stage: Stage) -> None:
    chance = random.Random(7)
    done = threading.Event()

    def change() -> None:
        for number in range(600):
            stage.table(number % 150, f"text number {number}")
            time.sleep(0.01)
        done.set()

    action = stage.action()
    writer = threading.Thread(target=change)
    with action:
        action.wait_for_log("follows MetadataChangeLog_Versioned_v1")
        writer.start()
        for _ in range(4):
            time.sleep(1 + 3 * chance.random())
            action.restart()
        writer.join(120)
        assert done.is_set()
        wait_until(lambda: len(stage.indexed()) == 150, what="all tables", timeout=90)
        stage.wait_until_equal()


def test_a_hub_that_is_away_is_waited_for(stage: Stage) -> None:
    stage.table(0)
    port = free_port()
    with stage.action(("    # health_port: 9404", f"    health_port: {port}")) as action:
        wait_until(lambda: stage.indexed() == {dataset(0)}, what="the first entity")
        assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
        stage.hub.kill()
        database = Database.open(stage.settings.database_url)
        SqlWorkTable(database).put([Work("sync", dataset(1))], now=1)
        database.close()
        action.wait_for_log("vector_sync waits and tries again: Cannot reach DataHub")
        answer = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
        assert answer.status_code == 503
        assert "Cannot reach DataHub" in answer.text
        time.sleep(3)
        stage.hub.start()
        stage.table(1)
        wait_until(lambda: dataset(1) in stage.indexed(), what="the second entity")
        action.wait_for_log("vector_sync goes on.")
        assert action.log_text().count("vector_sync waits and tries again: Cannot reach") == 1
        metrics = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
        assert "dataspoke_sync_dead_rows 0.0" in metrics
        assert "dataspoke_sync_attempts_failed_total 0.0" in metrics


def test_a_database_that_is_locked_is_waited_for(stage: Stage) -> None:
    stage.table(0)
    port = free_port()
    with stage.action(("    # health_port: 9404", f"    health_port: {port}")) as action:
        wait_until(lambda: stage.indexed() == {dataset(0)}, what="the first entity")
        locker = sqlite3.connect(stage.home / "dataspoke.db", isolation_level=None)
        locker.execute("BEGIN EXCLUSIVE")
        stage.table(1)
        action.wait_for_log("waits and tries again: Cannot", timeout=40)
        assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 503
        locker.execute("ROLLBACK")
        locker.close()
        wait_until(lambda: dataset(1) in stage.indexed(), what="the second entity", timeout=40)
        stage.wait_until_equal()


def test_a_stop_while_the_database_is_away_loses_no_event(stage: Stage) -> None:
    stage.table(0)
    with stage.action() as action:
        wait_until(lambda: stage.indexed() == {dataset(0)}, what="the first entity")
        locker = sqlite3.connect(stage.home / "dataspoke.db", isolation_level=None)
        locker.execute("BEGIN EXCLUSIVE")
        stage.table(1)
        action.wait_for_log("waits and tries again: Cannot", timeout=40)
        os.kill(action.pid, signal.SIGTERM)
        time.sleep(1)
        locker.execute("ROLLBACK")
        locker.close()
        action.wait(timeout=60)
        action.start()
        wait_until(lambda: dataset(1) in stage.indexed(), what="the second entity", timeout=60)


def test_a_lost_database_is_made_anew_by_itself(stage: Stage) -> None:
    for number in range(3):
        stage.table(number)
    with stage.action() as action:
        wait_until(lambda: len(stage.indexed()) == 3, what="the first reconcile")
        action.kill()
        for path in stage.home.glob("dataspoke.db*"):
            path.unlink()
        action.start()
        wait_until(lambda: len(stage.indexed()) == 3, what="the second reconcile", timeout=60)


def test_dataspoke_worker_does_what_the_action_leaves(stage: Stage) -> None:
    stage.table(0)
    worker = LoggedProcess(
        [script("dataspoke"), "worker", "--workers", "1"],
        log_path=stage.home / "worker.log",
        env=clean_env(stage.home, stage.env),
    )
    with stage.action(("    workers: 2", "    workers: 0")) as action, worker:
        action.wait_for_log("follows MetadataChangeLog_Versioned_v1")
        stage.table(1)
        worker.wait_ready(lambda: dataset(1) in stage.indexed(), what="the second entity")
        assert worker.stop() == 0


def test_an_unreachable_hub_at_the_start_is_waited_for(stage: Stage) -> None:
    stage.table(0)
    stage.hub.kill()
    with stage.action() as action:
        action.wait_for_log("vector_sync waits and tries again: Cannot reach DataHub")
        stage.hub.start()
        wait_until(lambda: stage.indexed() == {dataset(0)}, what="the reconcile", timeout=60)


@pytest.mark.parametrize(
    ("change", "env", "sentence"),
    [
        (("    workers: 2", "    worker: 2"), {}, "action.config.worker: Extra inputs"),
        (None, {"DATAHUB_GMS_TOKEN": "wrong"}, "Correct DATAHUB_GMS_TOKEN."),
        (None, {"DATASPOKE_MODEL": "/no/such/folder"}, "Cannot find the model /no/such/folder"),
        (None, {"DATASPOKE_DATABASE_URL": "mysql://h/d"}, "Cannot use DATASPOKE_DATABASE_URL"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_1(
    secured: Stage, change: tuple[str, str] | None, env: dict[str, str], sentence: str
) -> None:
    recipe = secured.recipe(*([change] if change else []))
    _fails_with(secured, recipe, env, sentence)


def test_a_busy_health_port_is_one_sentence_and_exit_code_1(secured: Stage) -> None:
    taken = f"    health_port: {secured.hub.port}"
    recipe = secured.recipe(("    # health_port: 9404", taken))
    _fails_with(secured, recipe, {}, "action.config.health_port")


def test_a_damaged_database_is_one_sentence_and_exit_code_1(secured: Stage) -> None:
    recipe = secured.recipe()
    (secured.home / "dataspoke.db").write_text("no database at all " * 1000)
    try:
        _fails_with(secured, recipe, {}, "the file is no SQLite database")
    finally:
        (secured.home / "dataspoke.db").unlink()


def test_a_missing_extra_names_its_installation(secured: Stage, tmp_path: Path) -> None:
    (tmp_path / "snowballstemmer.py").write_text(
        "raise ModuleNotFoundError('no such module', name='snowballstemmer')\n"
    )
    env = {"PYTHONPATH": str(tmp_path)}
    _fails_with(secured, secured.recipe(), env, "Run: pip install 'dataspoke[search]'")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("secured")
    with HubProcess(folder / "hub", token="good") as hub:
        yield Stage(hub, folder / "spoke")


def _fails_with(stage: Stage, recipe: Path, env: dict[str, str], sentence: str) -> None:
    done = subprocess.run(
        [script("datahub"), "actions", "-c", str(recipe)],
        env=clean_env(stage.home, stage.env | env),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert said.count("Error: Cannot ") == 1, said
    assert said.count(sentence) == 1, said
    assert "Traceback" not in said, said


def _json(stage: Stage, text: str) -> Path:
    path = stage.home / "aspect.json"
    path.write_text(text)
    return path
