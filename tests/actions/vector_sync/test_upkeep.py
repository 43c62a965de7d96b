"""When a reconcile is needed, and that it is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_process import HubProcess
from sync_stage import Silent, Stage

from dataspoke.actions.vector_sync.reconcile_run import repair
from dataspoke.actions.vector_sync.upkeep import close_gaps
from dataspoke.core.store.database import Database
from dataspoke.core.store.state import GAPS, StateStore


@pytest.fixture
def state(tmp_path: Path) -> StateStore:
    return StateStore(Database.open(f"sqlite:///{tmp_path / 'dataspoke.db'}"))


def test_a_gap_that_opened_meanwhile_stays(state: StateStore) -> None:
    known = {f"{GAPS}a": "lost its place", f"{GAPS}b": "lost its place"}
    state.set(f"{GAPS}a", "lost its place")
    state.set(f"{GAPS}b", "lost its place again")
    close_gaps(state, known)
    assert state.items(GAPS) == {f"{GAPS}b": "lost its place again"}


@pytest.mark.slow
def test_a_reconcile_of_everything_closes_the_gaps(tmp_path: Path) -> None:
    with HubProcess(tmp_path) as hub:
        stage = Stage(hub, tmp_path / "home")
        stage.table(0)
        database = Database.open(stage.settings.database_url)
        state = StateStore(database)
        state.set(f"{GAPS}vector_sync", "lost its place")
        for types, left in ((["tag"], 1), ([], 0)):
            repair(stage.settings, max_removals=0.3, types=types, restart=False, progress=Silent())
            assert len(state.items(GAPS)) == left
        database.close()
