"""Many stock `datahub` commands quickly: a process that has imported the tool forks for each one.

Importing the tool takes most of a command's time; each command still has a process, arguments,
standard streams and an exit code of its own, as from a shell.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from logged_process import clean_env

TIMEOUT = 120  # seconds for one command


class DatahubShell:
    """Runs `datahub <args>` against one hub; `home` holds the tool's settings and caches."""

    def __init__(self, hub_url: str, home: Path, token: str | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        env = {"DATAHUB_GMS_URL": hub_url} | ({"DATAHUB_GMS_TOKEN": token} if token else {})
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=clean_env(home, env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *args: str, typed: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; `typed` is its standard input."""
        streams, answers = self._process.stdin, self._process.stdout
        assert streams is not None
        assert answers is not None
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            paths = {name: Path(folder, name) for name in ("stdin", "stdout", "stderr")}
            paths["stdin"].write_text(typed)
            names = {name: str(path) for name, path in paths.items()}
            asked = {"args": args, "env": dict(env or {}), "cwd": str(self.home)} | names
            streams.write(json.dumps(asked) + "\n")
            streams.flush()
            code = int(answers.readline())
            out, err = paths["stdout"].read_text(), paths["stderr"].read_text()
        return subprocess.CompletedProcess(["datahub", *args], code, out, err)

    def __call__(self, *args: str, typed: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run one command that must succeed; the answer is its standard output."""
        done = self.run(*args, typed=typed, env=env)
        if done.returncode != 0:
            told = f"{done.stdout[-4_000:]}\n{done.stderr[-4_000:]}"
            raise AssertionError(f"datahub {' '.join(args)} ended with {done.returncode}\n{told}")
        return done.stdout

    def json(self, *args: str) -> Any:
        """Run one command that must succeed and print JSON."""
        return json.loads(self(*args))

    def close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait(timeout=30)

    def __enter__(self) -> DatahubShell:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer each line, a command as JSON, with its exit code."""
    from datahub import entrypoints
    from datahub.cli import ingest_cli  # noqa: F401
    from datahub.ingestion.run import pipeline  # noqa: F401

    for line in requests:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(command, entrypoints.main)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _become(command: dict[str, Any], main: Any) -> None:
    """Be the command, in a process of its own, and end with it."""
    signal.alarm(TIMEOUT)
    os.chdir(command["cwd"])
    os.environ.update(command["env"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        opened = os.open(command[name], flags, 0o600)
        os.dup2(opened, number)
    # Line 1 of the pipe may be read ahead by the parent's object: read the file anew.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.argv = ["datahub", *command["args"]]
    code: Any = 1
    try:
        code = main()
    except SystemExit as ending:
        code = ending.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    _serve(sys.stdin, sys.stdout)
