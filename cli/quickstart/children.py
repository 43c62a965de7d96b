"""The programs that the quickstart starts: guarded, logged, and gone when it is gone."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dataspoke.core.errors import FatalError

_GUARD = Path(__file__).with_name("guard.py")
_TAIL_BYTES = 1_000_000
_TAIL_LINES = 12
_LINE_CHARS = 500
_ERROR = re.compile(r"\b(?:[A-Za-z.]*(?:Error|Exception)|error|Failed)\b: |\bFATAL\b")
_STOP_MARGIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how to end it. `user` is (uid, gid), None for our own."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    stop_signal: int = 15
    grace_seconds: float = 10.0
    user: tuple[int, int] | None = None
    folder: Path | None = None


class Child:
    """A running program; `pid` is the program's own, not its guard's."""

    def __init__(self, program: Program, *, log_path: Path, lock_path: Path) -> None:
        self.program = program
        self.log_path = log_path
        read_end, write_end = os.pipe()
        command = [sys.executable, "-I", "-S", str(_GUARD), "--lock", str(lock_path)]
        command += ["--pid-fd", str(write_end), "--stop-signal", str(program.stop_signal)]
        command += ["--grace", str(program.grace_seconds)]
        if program.user is not None:
            uid, gid = program.user
            command += ["--user", str(uid), "--group", str(gid)]
        with log_path.open("ab") as log:
            self._log_start = log.tell()
            self._guard = subprocess.Popen(
                [*command, "--", *program.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(program.env),
                cwd=program.folder,
                pass_fds=(write_end,),
                start_new_session=True,
            )
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            first_line = pipe.readline().strip()
        self.pid = int(first_line) if first_line else self._guard.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._guard.poll()

    def ask_to_stop(self) -> None:
        """Close the pipe to the guard, which then stops the program. Idempotent."""
        if self._guard.stdin is not None and not self._guard.stdin.closed:
            self._guard.stdin.close()

    def stop(self) -> None:
        """Stop it and wait until it is gone. Idempotent."""
        self.ask_to_stop()
        try:
            self._guard.wait(self.program.grace_seconds + _STOP_MARGIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()

    def log_text(self) -> str:
        """What this run has printed, at most its last megabyte."""
        with self.log_path.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - _TAIL_BYTES))
            return log.read().decode(errors="replace")

    def last_line(self) -> str:
        """The last line that it has printed, empty before the first."""
        return next((line for line in reversed(self.log_text().splitlines()) if line.strip()), "")

    def failure(self, what: str) -> FatalError:
        """The error that says what happened to it, with what counts of its log."""
        lines = self.log_text().splitlines()
        shown = lines[-_TAIL_LINES:]
        # Stock commands end with long reports: what went wrong first stands far above.
        first = next((line for line in lines if _ERROR.search(line)), None)
        if first is not None and first not in shown:
            shown = [first, "...", *shown]
        tail = "\n".join(f"    {line[:_LINE_CHARS]}" for line in shown)
        return FatalError(
            f"Cannot go on: {self.program.name} {what}. "
            f"Read its log {self.log_path}, which says:\n{tail or '    (nothing)'}"
        )

    def wait(self, *, timeout: float) -> None:
        """Wait for its success; FatalError if it fails or takes more than `timeout` seconds."""
        try:
            code = self._guard.wait(timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            raise self.failure(f"took longer than {timeout:.0f} s") from None
        self.ask_to_stop()
        if code != 0:
            raise self.failure(f"ended with exit code {code}")


@dataclass(slots=True)
class Children:
    """All programs of one quickstart. `env` is what they start from."""

    logs: Path
    lock_path: Path
    services: list[Child] = field(default_factory=list)
    jobs: list[Child] = field(default_factory=list)

    def start(self, program: Program) -> Child:
        """Start a program that stays up; `check` fails once it has ended."""
        child = self._start(program)
        self.services.append(child)
        return child

    def begin(self, program: Program) -> Child:
        """Start a program that ends by itself; the caller waits for it."""
        child = self._start(program)
        self.jobs.append(child)
        return child

    def run(self, program: Program, *, timeout: float) -> Child:
        """Run a program to its end; FatalError unless it succeeds within `timeout` seconds."""
        child = self.begin(program)
        child.wait(timeout=timeout)
        return child

    def check(self) -> None:
        """FatalError if a service has ended."""
        for child in self.services:
            if child.returncode is not None:
                raise child.failure(f"ended with exit code {child.returncode}")

    def stop(self) -> None:
        """Stop everything: jobs first, services in the reverse order of their start."""
        for child in self.jobs:
            child.ask_to_stop()
        for child in self.services[1:]:
            child.ask_to_stop()
        for child in [*self.jobs, *reversed(self.services)]:
            child.stop()

    def _start(self, program: Program) -> Child:
        log_path = self.logs / f"{program.name.replace(' ', '-')}.log"
        return Child(program, log_path=log_path, lock_path=self.lock_path)


def wait_for_leftovers(lock_path: Path, *, timeout: float) -> None:
    """Wait until the programs of an earlier run are gone; FatalError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    with lock_path.open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise FatalError(
                        "Cannot start: programs of an earlier quickstart in the same home still "
                        f"run after {timeout:.0f} s. Look for them with: fuser -v {lock_path}"
                    ) from None
                time.sleep(0.1)
            else:
                return
