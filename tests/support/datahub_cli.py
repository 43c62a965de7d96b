"""The stock `datahub` command as tests run it: own HOME, no telemetry, bounded in time."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from logged_process import LoggedProcess, clean_env, script


def run_datahub(
    *args: str,
    hub_url: str,
    home: Path,
    token: str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 180,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run `datahub <args>` against `hub_url`; with `check` a failure shows its output."""
    home.mkdir(parents=True, exist_ok=True)
    variables = {"DATAHUB_GMS_URL": hub_url} | ({"DATAHUB_GMS_TOKEN": token} if token else {})
    done = subprocess.run(
        [script("datahub"), *args],
        env=clean_env(home, variables | dict(env or {})),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(
            f"datahub {' '.join(args)} ended with {done.returncode}\n"
            f"{done.stdout[-4_000:]}\n{done.stderr[-4_000:]}"
        )
    return done


class ActionsProcess(LoggedProcess):
    """`datahub actions -c RECIPE`; `env` is added to a clean environment."""

    def __init__(
        self, recipe_path: Path, env: Mapping[str, str] | None = None, *, home: Path | None = None
    ) -> None:
        home = home or recipe_path.parent
        self.name = recipe_path.stem
        super().__init__(
            [script("datahub"), "actions", "-c", str(recipe_path)],
            log_path=home / f"{recipe_path.stem}.log",
            env=clean_env(home, env),
        )

    def restart(self) -> None:
        """Kill -9, then start again."""
        self.kill()
        self.start()

    def wait_for_log(self, text: str, *, timeout: float = 60) -> None:
        """Wait until the log holds `text`, anywhere since its first start."""
        self.wait_ready(
            lambda: text in self.log_text(), what=f"{text!r} in its log", timeout=timeout
        )

    def __enter__(self) -> ActionsProcess:
        super().__enter__()
        return self
