"""What a run has made, written down before it is made, so that a killed run can be cleaned."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from dataspoke.core.errors import ConfigError, FatalError

MARKER = "dataspoke_conformance"
_SUFFIX = ".jsonl"


class Journal:
    """One file per run: a first line about the run, then a line per urn."""

    def __init__(self, path: Path, server: str, urns: Iterable[str] = ()) -> None:
        self.path = path
        self.server = server
        self._urns = dict.fromkeys(urns)

    @classmethod
    def create(cls, folder: Path, run: str, server: str) -> Self:
        """Begin the journal of a new run. Raises ConfigError if it cannot be written."""
        journal = cls(folder / f"{run}{_SUFFIX}", server)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            journal._append({"run": run, "server": server})
        except OSError as exc:
            raise ConfigError(
                f"Cannot write the journal {journal.path}: {exc.strerror}. "
                "Set DATASPOKE_HOME to a folder that can be written."
            ) from exc
        return journal

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open the journal of an earlier run. A last line that is cut off is left out.

        Raises FatalError for what is no journal.
        """
        records = []
        for line in path.read_text("utf-8").splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                break
        try:
            return cls(path, records[0]["server"], [record["urn"] for record in records[1:]])
        except (IndexError, KeyError, TypeError) as exc:
            raise FatalError(f"Cannot read {path}: it is no journal of a run. Remove it.") from exc

    @property
    def run(self) -> str:
        return self.path.name.removesuffix(_SUFFIX)

    @property
    def urns(self) -> list[str]:
        """In the order in which they were made."""
        return list(self._urns)

    def add(self, urn: str) -> None:
        """Write down a urn; it is on disk, safe from a kill of this process, on return."""
        if urn not in self._urns:
            self._append({"urn": urn})
            self._urns[urn] = None

    def remove(self) -> None:
        """Forget the run: nothing of it is left."""
        self.path.unlink(missing_ok=True)

    def _append(self, record: dict[str, str]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def journals(folder: Path) -> list[Path]:
    """The journals of runs that left something, the oldest first."""
    return sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
