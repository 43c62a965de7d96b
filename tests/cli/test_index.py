"""`dataspoke index reconcile` as a process against a real hub."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_process import HubProcess
from logged_process import clean_env, script
from sync_stage import Stage, dataset

from dataspoke.core.index.embedder import load_embedder
from dataspoke.core.index.open import open_owner
from dataspoke.core.index.spec import spec_for
from dataspoke.core.store.database import Database
from dataspoke.core.work.table import SqlWorkTable

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with HubProcess(tmp_path / "hub") as hub:
        made = Stage(hub, tmp_path / "spoke")
        made.home.mkdir()
        for number in range(8):
            made.table(number)
        yield made


def reconcile(stage: Stage, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script("dataspoke"), "index", "reconcile", *args],
        env=clean_env(stage.home, stage.env | env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_fills_proves_and_repairs_an_index(stage: Stage) -> None:
    before = reconcile(stage, "--check")
    assert before.returncode == 3, before.stderr
    assert "8 missing" in before.stdout
    assert not (stage.home / "index").exists()
    filled = reconcile(stage)
    assert filled.returncode == 0, filled.stderr
    assert "8 entities compared" in filled.stdout
    assert "Writing the index: 8" in filled.stderr
    after = reconcile(stage, "--check")
    assert after.returncode == 0, after.stdout
    assert "The index agrees with DataHub." in after.stdout
    stage.table(3, "another text")
    stale = reconcile(stage, "--check", "--type", "dataset")
    assert stale.returncode == 3
    assert f"stale: {dataset(3)}" in stale.stdout
    assert reconcile(stage).returncode == 0
    assert reconcile(stage, "--check").returncode == 0


def test_a_lost_index_is_seen_and_made_anew(stage: Stage) -> None:
    assert reconcile(stage).returncode == 0
    shutil.rmtree(stage.home / "index")
    gone = reconcile(stage, "--check")
    assert gone.returncode == 3
    assert "8 missing" in gone.stdout
    assert reconcile(stage).returncode == 0
    again = reconcile(stage, "--check")
    assert again.returncode == 0, again.stdout


def test_an_index_that_somebody_owns_is_waited_for_and_not_touched(stage: Stage) -> None:
    assert reconcile(stage).returncode == 0
    index = open_owner(stage.settings, spec_for(load_embedder("hash")))
    try:
        assert reconcile(stage, "--check").returncode == 0
    finally:
        index.close()  # type: ignore[attr-defined]


def test_what_nobody_can_read_is_a_dead_letter_and_said(stage: Stage) -> None:
    database = Database.open(stage.settings.database_url)
    SqlWorkTable(database).bury_event(
        "sync", "urn:li:tag:x", payload={}, reason="Cannot.", error_type="E", now=1
    )
    database.close()
    done = reconcile(stage)
    assert done.returncode == 0
    assert "1 dead letters wait" in done.stderr


@pytest.mark.parametrize(
    ("args", "env", "sentence"),
    [
        (["--type", "table"], {}, "Choose --type from dataset, container"),
        ([], {"DATAHUB_GMS_URL": "http://127.0.0.1:9"}, "Cannot reach DataHub"),
        ([], {"DATASPOKE_MODEL": "/no/such/folder"}, "Cannot find the model"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_1(
    stage: Stage, args: list[str], env: dict[str, str], sentence: str
) -> None:
    done = reconcile(stage, *args, **env)
    assert done.returncode == 1
    assert done.stderr.count("Error: Cannot") == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
