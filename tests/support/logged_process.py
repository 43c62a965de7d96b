"""A child process with a log file, deadlines, and no way to survive its test."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LOG_TAIL = 8_000


def free_port() -> int:
    """A TCP port on the loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def script(name: str) -> str:
    """The console script `name` of the environment that runs the tests."""
    return str(Path(sys.executable).parent / name)


def clean_env(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a `datahub` or `dataspoke` process: own HOME, no telemetry.

    Settings of the developer's shell (DATAHUB_*, DATASPOKE_*, KAFKA_*) do not reach it.
    """
    dropped = ("DATAHUB_", "DATASPOKE_", "KAFKA_", "SCHEMA_REGISTRY_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    env |= {
        "HOME": str(home),
        "DATAHUB_TELEMETRY_ENABLED": "false",
        "DATASPOKE_HOME": str(home / "dataspoke"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return env | dict(extra or {})


def wait_until(
    check: Callable[[], bool], *, what: str, timeout: float = 30, pause: float = 0.05
) -> None:
    """Wait until `check()` holds, or fail after `timeout` seconds saying what was waited for."""
    deadline = time.monotonic() + timeout
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {timeout:.0f} s in vain for: {what}")
        time.sleep(pause)


class LoggedProcess:
    """A command in a process group of its own; stdout and stderr go to `log_path`.

    The log is kept over restarts. Leaving the `with` block, or the interpreter, kills the group.
    """

    def __init__(self, command: Sequence[str], *, log_path: Path, env: Mapping[str, str]) -> None:
        self.command = list(command)
        self.log_path = log_path
        self.env = dict(env)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again after it ended."""
        assert not self.alive, f"{self.command} is running"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                start_new_session=True,
            )
        atexit.register(self.kill)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """SIGKILL to the whole group; does nothing when it has ended."""
        atexit.unregister(self.kill)
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=10)

    def stop(self, *, timeout: float = 20, signum: int = signal.SIGTERM) -> int:
        """End it with `signum` and return its exit code; the log is shown if it does not end."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signum)
        return self.wait(timeout=timeout)

    def wait(self, *, timeout: float) -> int:
        """Wait for its end and return its exit code."""
        assert self._process is not None, "not started"
        try:
            return self._process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(self.failure(f"did not end within {timeout:.0f} s")) from None
        finally:
            atexit.unregister(self.kill)

    def wait_ready(
        self, check: Callable[[], bool], *, what: str, timeout: float = 60, pause: float = 0.1
    ) -> None:
        """Wait until `check()` holds; an early end or a missed deadline shows the log."""
        deadline = time.monotonic() + timeout
        while not check():
            if not self.alive:
                raise AssertionError(self.failure(f"ended with {self.returncode} before: {what}"))
            if time.monotonic() > deadline:
                raise AssertionError(self.failure(f"not within {timeout:.0f} s: {what}"))
            time.sleep(pause)

    def log_text(self) -> str:
        """Everything that it has printed so far, over all its starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def failure(self, what: str) -> str:
        return (
            f"{' '.join(self.command)}: {what}\n--- its log ends ---\n{self.log_text()[-LOG_TAIL:]}"
        )

    def __enter__(self) -> LoggedProcess:
        if self._process is None:
            self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
