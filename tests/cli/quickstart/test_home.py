"""The folder of a quickstart: claimed, recognised, never somebody else's."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from dataspoke.cli.quickstart.home import Home, claimed, fingerprint, write_json
from dataspoke.core.errors import ConfigError


def test_an_empty_folder_becomes_a_home_and_stays_one(tmp_path: Path) -> None:
    for _ in range(2):
        with claimed(tmp_path / "new" / "home") as home:
            (home.root / "something").touch()


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"), claimed(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="--home"), claimed(tmp_path / "file" / "home"):
        pass


HOLDER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from dataspoke.cli.quickstart.home import claimed, write_json
    with claimed(Path(sys.argv[1])) as home:
        write_json(home.result, {"pids": {"quickstart": 4711}})
        print("held", flush=True)
        sys.stdin.read()
    """
)


def test_a_second_quickstart_in_a_home_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], **pipes) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match=r"another quickstart \(process 4711\) runs"):
            claimed(tmp_path).__enter__()
        first.kill()
        first.wait(10)
    with claimed(tmp_path):
        pass


def test_a_home_is_complete_only_for_what_it_was_built_from(tmp_path: Path) -> None:
    home = Home(tmp_path)
    built, other = fingerprint("tables", "model"), fingerprint("tables", "another model")
    assert not home.is_complete(built)
    write_json(home.complete, {"fingerprint": built})
    assert home.is_complete(built)
    assert not home.is_complete(other)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fingerprint": 1}'])
def test_a_damaged_mark_counts_as_not_complete(tmp_path: Path, text: str) -> None:
    home = Home(tmp_path)
    home.complete.write_text(text)
    assert not home.is_complete(fingerprint("tables"))


def test_clearing_deletes_what_a_build_makes_and_nothing_else(tmp_path: Path) -> None:
    with claimed(tmp_path) as home:
        home.start_logs()
        for folder in (home.warehouse, home.hub, home.data, home.user):
            (folder / "deep").mkdir(parents=True)
        home.complete.touch()
        home.clear()
        left = {path.name for path in tmp_path.iterdir()}
    assert left == {".dataspoke-quickstart", ".lock", "logs"}


def test_the_logs_of_the_run_before_are_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for text in ("first", "second", "third"):
        home.start_logs()
        (home.logs / "hub.log").write_text(text)
    assert (tmp_path / "logs.previous" / "hub.log").read_text() == "second"


def test_json_is_replaced_at_once_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "quickstart.json"
    write_json(path, {"state": "one"})
    write_json(path, {"state": "zwei — two"})
    assert json.loads(path.read_text()) == {"state": "zwei — two"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["quickstart.json"]
