"""Short runs of `benchmarks/soak.py`: nothing is lost by a kill, and an outage is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest
from soak_scenarios import kill_at_random, take_away
from spoke_stack import RECIPES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soak")


@pytest.mark.parametrize("source", sorted(RECIPES))
def test_the_index_equals_the_hub_after_the_action_was_killed(home: Path, source: str) -> None:
    kill_at_random(home, source, events=600, kills=3, pace_s=0.05)


@pytest.mark.parametrize("what", ["hub", "database", "index"])
def test_what_is_away_is_waited_for_and_said(home: Path, what: str) -> None:
    said, _seconds = take_away(home, what, events=300, seconds=8)
    assert "Cannot" in said
