"""The folder of a quickstart: what lies where, who uses it, and whether it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataspoke.core.errors import ConfigError

_MARKER = ".dataspoke-quickstart"
_README = "A quickstart of Data Spoke lives here. It may delete everything in this folder.\n"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths under `root`. Everything but the marker and the locks can be built again."""

    root: Path

    @property
    def marker(self) -> Path:
        return self.root / _MARKER

    @property
    def lock(self) -> Path:
        """Held by the quickstart that uses this home."""
        return self.root / ".lock"

    @property
    def children_lock(self) -> Path:
        """Held, shared, by the guard of every program that a quickstart started."""
        return self.root / ".children.lock"

    @property
    def complete(self) -> Path:
        """There once everything is ingested and indexed; holds the fingerprint of what."""
        return self.root / "complete.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def hub(self) -> Path:
        return self.root / "hub"

    @property
    def data(self) -> Path:
        """DATASPOKE_HOME of action and search service."""
        return self.root / "dataspoke"

    @property
    def user(self) -> Path:
        """HOME of the stock `datahub ingest`, which keeps files of its own there."""
        return self.root / "user"

    @property
    def governance_file(self) -> Path:
        return self.root / "governance.json"

    @property
    def env_file(self) -> Path:
        return self.root / "env.sh"

    @property
    def result(self) -> Path:
        return self.root / "quickstart.json"

    def is_complete(self, fingerprint: str) -> bool:
        """Whether an earlier run finished here with the same warehouse and the same model."""
        try:
            stored = json.loads(self.complete.read_text())
        except (FileNotFoundError, ValueError):
            return False
        return isinstance(stored, dict) and stored.get("fingerprint") == fingerprint

    def clear(self) -> None:
        """Delete everything that a build makes; first the mark that it is complete."""
        for path in (self.complete, self.result, self.env_file, self.governance_file):
            path.unlink(missing_ok=True)
        for folder in (self.warehouse, self.hub, self.data, self.user):
            shutil.rmtree(folder, ignore_errors=True)

    def start_logs(self) -> None:
        """An empty folder for the logs of this run; those of the run before are kept."""
        previous = self.root / "logs.previous"
        shutil.rmtree(previous, ignore_errors=True)
        if self.logs.is_dir():
            self.logs.rename(previous)
        self.logs.mkdir()


@contextmanager
def claimed(root: Path) -> Iterator[Home]:
    """Make `root` a home, or take the one that is there, for this process alone.

    Raises ConfigError when the folder holds something else or another quickstart uses it.
    """
    home = Home(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not home.marker.exists():
            if any(root.iterdir()):
                raise ConfigError(
                    f"Cannot use {root} for the quickstart: it is not empty and was not made by "
                    "a quickstart. Name an empty or a new folder with --home."
                )
            home.marker.write_text(_README)
        lock = home.lock.open("a")
    except OSError as exc:
        raise ConfigError(
            f"Cannot use {root} for the quickstart: {exc.strerror or exc}. "
            "Name a folder that this user may write with --home."
        ) from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"Cannot start: another quickstart{_who(home)} runs in {root}. "
                "Stop it with Ctrl-C, or name another folder with --home."
            ) from None
        yield home


def _who(home: Home) -> str:
    try:
        return f" (process {json.loads(home.result.read_text())['pids']['quickstart']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def fingerprint(*parts: object) -> str:
    """A short digest of what a home was built from."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace the file at once: a reader finds the old or the new text, never a part."""
    write_private(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_private(path: Path, text: str) -> None:
    """Like `write_json` for any text; only we may read the file."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
