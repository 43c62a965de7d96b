from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataspoke.cli.model import app
from dataspoke.core.errors import ConfigError

TINY = Path(__file__).parents[1] / "core" / "index" / "data" / "tiny-bert"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASPOKE_CACHE", str(tmp_path))
    monkeypatch.delenv("DATASPOKE_MODEL", raising=False)


def test_fetch_prepares_a_model_and_show_describes_it() -> None:
    before = CliRunner().invoke(app, ["show", str(TINY)])
    assert "(made at first use)" in before.stdout
    fetched = CliRunner().invoke(app, ["fetch", str(TINY)])
    assert fetched.exit_code == 0
    assert f"{TINY} is ready: 16 dimensions, id tiny-bert-" in fetched.stdout
    shown = CliRunner().invoke(app, ["show", str(TINY)])
    lines = dict(line.split(":", 1) for line in shown.stdout.splitlines())
    assert lines["dim"].strip() == "16"
    assert lines["engine"].strip() == "onnxruntime"
    assert Path(lines["graph"].strip()).is_file()
    assert len(lines["sha256"].strip()) == 64


def test_show_takes_the_model_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASPOKE_MODEL", "hash")
    assert "engine:      hash" in CliRunner().invoke(app, ["show"]).stdout


def test_a_model_that_is_not_there_is_one_error_of_ours() -> None:
    result = CliRunner().invoke(app, ["fetch", "./no-such-model"])
    assert isinstance(result.exception, ConfigError)
