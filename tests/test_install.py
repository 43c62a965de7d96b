"""Beside the DataHub CLI we change no version, and `pip check` stays clean."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATAHUB = "acryl-datahub[datahub-rest,datahub-kafka,postgres]"


class Environment:
    """A virtual environment of its own."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.bin = folder / "bin"

    def run(self, *command: str) -> str:
        environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        environ["DATAHUB_TELEMETRY_ENABLED"] = "false"
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            env=environ,
            cwd=self.bin,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def pip(self, *arguments: str) -> str:
        return self.run("python", "-m", "pip", "--disable-pip-version-check", *arguments)

    def versions(self) -> dict[str, str]:
        pairs = (line.split("==") for line in self.pip("list", "--format=freeze").splitlines())
        return {name: version for name, version in pairs if name not in ("pip", "setuptools")}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(tmp_path_factory.mktemp("environment"))
    made.pip("install", "--quiet", "--upgrade", "pip>=24", "setuptools>=77")
    made.pip("install", "--quiet", f"{DATAHUB}>=1.7,<1.8")
    return made


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_nothing_of_datahub_changes_version_and_the_plugins_show(
    environment: Environment, tmp_path: Path
) -> None:
    before = environment.versions()

    environment.pip("install", "--quiet", str(ROOT))
    with_base = environment.versions()
    added = set(with_base) - set(before)
    assert {name: with_base.get(name) for name in before} == before
    assert added <= {"dataspoke", "typer", "shellingham", "rich", "markdown-it-py", "mdurl",
                     "Pygments", "annotated-doc"}  # fmt: skip
    environment.pip("check")
    assert "Usage" in environment.run("dataspoke", "--help")

    environment.pip("install", "--quiet", f"{ROOT}[all]")
    with_all = environment.versions()
    assert {name: with_all.get(name) for name in before} == before
    environment.pip("check")
    environment.run("dataspoke", "check")
    listed = environment.run("datahub", "check", "plugins")
    ours = [line for line in listed.splitlines() if line.strip().startswith("dataspoke-")]
    assert ours
    assert [line for line in ours if "(disabled)" in line] == []


def test_we_run_on_the_python_that_we_declare() -> None:
    assert sys.version_info[:2] == (3, 11)
