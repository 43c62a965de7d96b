"""Runs: list them, say what they wrote, take them back."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from dataspoke.local_hub.deletion import Deletion
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY
from dataspoke.local_hub.store import Store
from dataspoke.local_hub.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RunRow:
    """One aspect whose latest version a run wrote; `at` in UTC ms."""

    urn: str
    aspect: str
    at: int
    is_key: bool
    value: str

    def summary(self, run: str | None = None) -> dict[str, Any]:
        """As GMS lists it."""
        found: dict[str, Any] = {
            "urn": self.urn,
            "aspectName": self.aspect,
            "timestamp": self.at,
            "keyAspect": self.is_key,
        }
        if run is not None:
            found["runId"] = run
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rollback did, or would do."""

    rows: list[RunRow]
    entities_affected: int
    entities_deleted: int
    aspects_reverted: int


def runs(store: Store, start: int, count: int, include_soft: bool) -> list[dict[str, Any]]:
    """Runs, the latest first: name, how many aspects are still theirs, time of the last write."""
    hidden = (
        ""
        if include_soft
        else "AND NOT EXISTS (SELECT 1 FROM aspect s WHERE s.id = (a.id / 4096) * 4096 + :status "
        "AND json_extract(s.value, '$.removed')) "
    )
    rows = store.reader().execute(
        "SELECT name, written, last_at FROM (SELECT r.name, r.last_at, "  # noqa: S608
        f"(SELECT count(*) FROM aspect a WHERE a.run = r.id {hidden}) + "
        "(SELECT count(*) FROM timeseries t WHERE t.run = r.id) AS written FROM run r) "
        "WHERE written > 0 ORDER BY last_at DESC, name LIMIT :count OFFSET :start",
        {"status": store.aspect_numbers["status"], "count": count, "start": start},
    )
    return [{"runId": name, "rows": written, "timestamp": at} for name, written, at in rows]


def describe(store: Store, run: str, start: int, count: int) -> list[RunRow]:
    """A page of the aspects that a run wrote, in the order of their entities."""
    return _describe(store, store.reader(), run, start, count)


def _describe(
    store: Store, connection: sqlite3.Connection, run: str, start: int, count: int
) -> list[RunRow]:
    rows = connection.execute(
        "SELECT e.urn, a.id, a.modified_at, a.value FROM run r JOIN aspect a ON a.run = r.id "
        "JOIN entity e ON e.id = a.id / 4096 WHERE r.name = ? ORDER BY a.id LIMIT ? OFFSET ?",
        (run, count, start),
    )
    found = []
    for urn, aspect, at, value in rows:
        name = store.aspect_names[aspect % ASPECTS_PER_ENTITY]
        found.append(RunRow(urn, name, at, name.endswith("Key"), value))
    return found


def preview(registry: Registry, store: Store, run: str) -> Outcome:
    """What `roll_back` would do."""
    rows = _rows(registry, store, store.reader(), run)
    keys = sum(row.is_key for row in rows)
    return Outcome(rows, len({row.urn for row in rows}), keys, len(rows) - keys)


def roll_back(
    registry: Registry,
    store: Store,
    tx: Transaction,
    deletion: Deletion,
    run: str,
    *,
    hard: bool,
) -> Outcome:
    """Take back what a run wrote last.

    An aspect goes back to its newest version by another run, or away. An entity that the run
    created is soft-deleted, or removed when `hard`.
    """
    rows = _rows(registry, store, tx.connection, run)
    created = {row.urn for row in rows if row.is_key}
    reverted = 0
    for row in rows:
        if row.is_key or (hard and row.urn in created):
            continue
        deletion.revert(row.urn, row.aspect, run)
        reverted += 1
    for urn in created:
        if hard:
            deletion.entity(urn)
        else:
            deletion.soft(urn)
    deletion.points_of_run(run)
    return Outcome(rows, len({row.urn for row in rows}), len(created), reverted)


def _rows(
    registry: Registry, store: Store, connection: sqlite3.Connection, run: str
) -> list[RunRow]:
    keys = {entity.key_aspect.name for entity in registry.entities.values()}
    return [
        RunRow(row.urn, row.aspect, row.at, row.aspect in keys, row.value)
        for row in _describe(store, connection, run, 0, -1)
    ]
