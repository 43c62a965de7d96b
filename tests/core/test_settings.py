from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dataspoke.core.errors import ConfigError
from dataspoke.core.settings import DEFAULT_GMS_URL, DEFAULT_MODEL, Settings


def test_an_empty_environment_means_everything_local_and_under_one_home() -> None:
    settings = Settings.from_env({})
    assert settings.home == Path("~/.dataspoke").expanduser()
    assert settings.gms_url == DEFAULT_GMS_URL
    assert settings.model == DEFAULT_MODEL
    assert settings.database_url == f"sqlite:///{settings.home}/dataspoke.db"
    assert settings.index_dir == settings.home / "index"
    assert (settings.gms_token, settings.qdrant_url, settings.now) == (None, None, None)


def test_an_empty_variable_is_an_unset_one() -> None:
    environ = {"DATAHUB_GMS_TOKEN": "", "DATASPOKE_QDRANT_URL": "", "DATASPOKE_HOME": ""}
    assert Settings.from_env(environ) == Settings.from_env({})


def test_the_home_of_a_command_line_wins_and_is_made_absolute(tmp_path: Path) -> None:
    settings = Settings.from_env({"DATASPOKE_HOME": "/elsewhere"}, home=tmp_path / "h")
    assert settings.home == tmp_path / "h"
    assert Settings.from_env({"DATASPOKE_HOME": "relative"}).home.is_absolute()


def test_urls_lose_their_last_slash() -> None:
    settings = Settings.from_env(
        {"DATAHUB_GMS_URL": "http://hub:8080/", "DATAHUB_FRONTEND_URL": "http://hub:9002/"}
    )
    assert (settings.gms_url, settings.frontend_url) == ("http://hub:8080", "http://hub:9002")


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("2026-11-01T00:00:00+00:00", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T02:00:00+02:00", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_the_clock_can_be_frozen(text: str, now: datetime) -> None:
    assert Settings.from_env({"DATASPOKE_NOW": text}).now == now


def test_a_wrong_time_is_answered_with_a_right_one() -> None:
    with pytest.raises(ConfigError, match=r"DATASPOKE_NOW: 'yesterday'.*Write it as 2026"):
        Settings.from_env({"DATASPOKE_NOW": "yesterday"})
