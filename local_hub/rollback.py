"""Runs: list them, say what they wrote, take them back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dataspoke.local_hub.deletion import Deletion
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY
from dataspoke.local_hub.store import Store
from dataspoke.local_hub.transaction import Transaction

# Of an aspect `a`: its entity is not soft-deleted.
_NOT_REMOVED = (
    "AND NOT EXISTS (SELECT 1 FROM aspect s WHERE s.id = (a.id / 4096) * 4096 + :status "
    "AND json_extract(s.value, '$.removed')) "
)


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
    """What a rollback did, or would do.

    `unsafe` are entities that go although other runs wrote to them: urn → how many aspects.
    """

    rows: list[RunRow]
    entities_affected: int
    entities_deleted: int
    aspects_reverted: int
    unsafe: dict[str, int]


def runs(store: Store, start: int, count: int, include_soft: bool) -> list[dict[str, Any]]:
    """Runs, the latest first: name, how many aspects are still theirs, time of the last write."""
    hidden = "" if include_soft else _NOT_REMOVED
    rows = store.reader().execute(
        "SELECT name, written, last_at FROM (SELECT r.name, r.last_at, "  # noqa: S608
        f"(SELECT count(*) FROM aspect a WHERE a.run = r.id {hidden}) + "
        "(SELECT count(*) FROM timeseries t WHERE t.run = r.id) AS written FROM run r) "
        "WHERE written > 0 ORDER BY last_at DESC, name LIMIT :count OFFSET :start",
        {"status": store.aspect_numbers["status"], "count": count, "start": start},
    )
    return [{"runId": name, "rows": written, "timestamp": at} for name, written, at in rows]


def describe(
    store: Store, run: str, start: int, count: int, *, include_soft: bool = False
) -> list[RunRow]:
    """A page of the aspects that a run wrote, in the order of their entities."""
    return _describe(store, store.reader(), run, start, count, include_soft=include_soft)


def _describe(
    store: Store,
    connection: sqlite3.Connection,
    run: str,
    start: int,
    count: int,
    *,
    include_soft: bool,
) -> list[RunRow]:
    hidden = "" if include_soft else _NOT_REMOVED
    rows = connection.execute(
        "SELECT e.urn, a.id, a.modified_at, a.value FROM run r JOIN aspect a ON a.run = r.id "  # noqa: S608
        f"JOIN entity e ON e.id = a.id / 4096 WHERE r.name = :run {hidden}"
        "ORDER BY a.id LIMIT :count OFFSET :start",
        {
            "run": run,
            "count": count,
            "start": start,
            "status": store.aspect_numbers["status"],
        },
    )
    found = []
    for urn, aspect, at, value in rows:
        name = store.aspect_names[aspect % ASPECTS_PER_ENTITY]
        found.append(RunRow(urn, name, at, name.endswith("Key"), value))
    return found


def preview(registry: Registry, store: Store, run: str, *, hard: bool) -> Outcome:
    """What `roll_back` would do."""
    connection = store.reader()
    rows = _rows(registry, store, connection, run, hard=hard)
    created = [row.urn for row in rows if row.is_key]
    return Outcome(
        rows if hard else [row for row in rows if not row.is_key],
        len({row.urn for row in rows}),
        len(created),
        len(rows) if hard else len(rows) - len(created),
        _others(store, connection, created, run),
    )


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
    created is soft-deleted, or removed with all that others wrote when `hard`. Points go.
    """
    rows = _rows(registry, store, tx.connection, run, hard=hard)
    created = [row.urn for row in rows if row.is_key]
    gone = set(created) if hard else set()
    reverted = 0
    for row in rows:
        if not row.is_key and row.urn not in gone:
            deletion.revert(row.urn, row.aspect, run)
            reverted += 1
    tx.flush()
    kept = {} if hard else _others(store, tx.connection, created, run)
    for urn in created:
        if hard:
            reverted += deletion.entity(urn)[0]
        else:
            deletion.soft(urn)
    points = deletion.points_of_run(run)
    touched = {row.urn for row in rows if hard or not row.is_key}
    return Outcome(rows, len(touched), len(created), reverted + points, kept)


def _others(
    store: Store, connection: sqlite3.Connection, urns: Sequence[str], run: str
) -> dict[str, int]:
    """Which of the entities have aspects by others than `run`, key and status aside."""
    numbers = store.aspect_numbers
    aside = [number for name, number in numbers.items() if name.endswith("Key")]
    rows = connection.execute(
        "SELECT e.urn, count(*) FROM json_each(?) w CROSS JOIN entity e ON e.urn = w.value "
        "JOIN aspect a ON a.id >= e.id * 4096 AND a.id < e.id * 4096 + 4096 "
        "WHERE a.run IS NOT (SELECT id FROM run WHERE name = ?) "
        "AND a.id % 4096 NOT IN (SELECT value FROM json_each(?)) GROUP BY e.urn",
        (
            orjson.dumps(list(urns)).decode(),
            run,
            orjson.dumps([*aside, numbers["status"]]).decode(),
        ),
    )
    return dict(rows.fetchall())


def _rows(
    registry: Registry, store: Store, connection: sqlite3.Connection, run: str, *, hard: bool
) -> list[RunRow]:
    """What the run wrote; without `hard` not that of entities that are removed already."""
    keys = {entity.key_aspect.name for entity in registry.entities.values()}
    return [
        RunRow(row.urn, row.aspect, row.at, row.aspect in keys, row.value)
        for row in _describe(store, connection, run, 0, -1, include_soft=hard)
    ]
