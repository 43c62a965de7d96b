"""One write transaction: reads what is there, collects rows, writes them in bulk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import orjson

from dataspoke.local_hub.retention import POLICY_ASPECT, Policies, Policy
from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY

T = TypeVar("T")


class AspectRow(NamedTuple):
    """One version of an aspect. `meta` and `value` are JSON texts, `modified_at` UTC ms."""

    id: int
    seq: int
    run: int | None
    modified_at: int
    actor: str
    meta: str
    value: str


# A record for the change log: topic, key, time (UTC ms), body.
Event = tuple[str, str, int, str]


class Transaction:
    """What a write may do. Lives on the writing thread, one job at a time."""

    def __init__(self, connection: sqlite3.Connection, aspect_numbers: Mapping[str, int]) -> None:
        self.connection = connection
        self._numbers = aspect_numbers
        self._names = {number: name for name, number in aspect_numbers.items()}
        self.policies = Policies(connection, aspect_numbers.get(POLICY_ASPECT))
        self._next_entity = self._first_free_entity()
        self._runs: dict[str, int] = {}
        self.last_offset = 0
        self._entities: list[tuple[int, str, str]] = []
        self._new: list[AspectRow] = []
        self._changed: list[AspectRow] = []
        self._history: list[AspectRow] = []
        self._outdated: list[tuple[int, int, int]] = []
        self._timeseries: list[tuple[int, int, str, int | None, str, str]] = []
        self._events: list[Event] = []
        self._run_times: dict[int, int] = {}

    def _first_free_entity(self) -> int:
        row = self.connection.execute("SELECT coalesce(max(id), 0) + 1 FROM entity").fetchone()
        return int(row[0])

    # --- reading inside the transaction

    def entities(self, urns: Iterable[str]) -> dict[str, int]:
        """Rows of those entities that exist."""
        rows = self.connection.execute(
            "SELECT e.urn, e.id FROM json_each(?) w CROSS JOIN entity e ON e.urn = w.value",
            (orjson.dumps(list(urns)).decode(),),
        )
        return dict(rows.fetchall())

    def aspect_id(self, entity: int, name: str) -> int:
        """The row id of an aspect of an entity."""
        return entity * ASPECTS_PER_ENTITY + self._numbers[name]

    def aspects(self, ids: Sequence[int]) -> dict[int, AspectRow]:
        """Latest versions of those aspects that exist."""
        rows = self.connection.execute(
            "SELECT a.id, a.seq, a.run, a.modified_at, a.actor, a.meta, a.value "
            "FROM json_each(?) w CROSS JOIN aspect a ON a.id = w.value",
            (orjson.dumps(ids).decode(),),
        )
        return {row[0]: AspectRow(*row) for row in rows}

    def aspects_of(self, entity: int) -> dict[str, AspectRow]:
        """All latest aspects of one entity by name."""
        rows = self.connection.execute(
            "SELECT id, seq, run, modified_at, actor, meta, value FROM aspect "
            "WHERE id >= ? AND id < ?",
            (entity * ASPECTS_PER_ENTITY, (entity + 1) * ASPECTS_PER_ENTITY),
        )
        return {self._names[row[0] % ASPECTS_PER_ENTITY]: AspectRow(*row) for row in rows}

    def holders(self, types: Iterable[str], name: str, text: str) -> list[str]:
        """Urns of the entities of `types` whose aspect `name` has `text` in its JSON; a scan."""
        rows = self.connection.execute(
            "SELECT e.urn FROM json_each(?) w CROSS JOIN entity e ON e.type = w.value "
            "CROSS JOIN aspect a ON a.id = e.id * ? + ? WHERE instr(a.value, ?) ORDER BY e.urn",
            (
                orjson.dumps(list(types)).decode(),
                ASPECTS_PER_ENTITY,
                self._numbers[name],
                orjson.dumps(text).decode()[1:-1],
            ),
        )
        return [row[0] for row in rows]

    def previous(self, aspect: int, not_by: str) -> AspectRow | None:
        """The newest of the older versions of an aspect that another run wrote."""
        row = self.connection.execute(
            "SELECT aspect, seq, run, modified_at, actor, meta, value FROM aspect_history "
            "WHERE aspect = ? AND run IS NOT (SELECT id FROM run WHERE name = ?) "
            "ORDER BY seq DESC LIMIT 1",
            (aspect, not_by),
        ).fetchone()
        return None if row is None else AspectRow(*row)

    def run(self, name: str, now: int) -> int:
        """The row of a run, which is created when it is new."""
        number = self._runs.get(name)
        if number is None:
            self.connection.execute(
                "INSERT OR IGNORE INTO run (name, last_at) VALUES (?, ?)", (name, now)
            )
            found = self.connection.execute("SELECT id FROM run WHERE name = ?", (name,))
            number = self._runs[name] = int(found.fetchone()[0])
        self._run_times[number] = now
        return number

    # --- writing: collected until `flush`

    def add_entity(self, urn: str, entity_type: str) -> int:
        """Remember a new entity; the result is its row."""
        entity = self._next_entity
        self._next_entity += 1
        self._entities.append((entity, urn, entity_type))
        return entity

    def add_aspect(self, row: AspectRow) -> None:
        """Write the first version of an aspect."""
        self._new.append(row)

    def touch_aspect(self, row: AspectRow) -> None:
        """Write other metadata of the latest version."""
        self._changed.append(row)

    def replace_aspect(self, row: AspectRow, old: AspectRow, policy: Policy) -> None:
        """Make `row` the latest version; `old` moves into the history, which `policy` limits."""
        self._changed.append(row)
        self._history.append(old)
        bounds = policy.bounds(row.seq, row.modified_at)
        if bounds is not None:
            self._outdated.append((row.id, *bounds))

    def put_point(
        self, aspect: int, at: int, doc: str, run: int | None, meta: str, value: str
    ) -> None:
        """Add a point of a timeseries; the same (aspect, at, doc) is replaced."""
        self._timeseries.append((aspect, at, doc, run, meta, value))

    def add_event(self, event: Event) -> None:
        """Append to the change log."""
        self._events.append(event)

    def add_events(self, events: Iterable[Event]) -> None:
        """Append to the change log, in their order."""
        self._events.extend(events)

    def trim_events(self, before: int, up_to: int, most: int) -> int:
        """Remove at most `most` events older than `before` (UTC ms), none behind `up_to`."""
        return self.connection.execute(
            "DELETE FROM events WHERE offset IN (SELECT offset FROM events WHERE offset <= ? "
            "AND created_at < ? ORDER BY offset LIMIT ?)",
            (up_to, before, most),
        ).rowcount

    def set_cursor(self, name: str, offset: int) -> None:
        """Keep an offset under a name."""
        self.connection.execute(
            "INSERT INTO cursor (name, offset) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET offset = excluded.offset",
            (name, offset),
        )

    def delete_aspect(self, aspect: int) -> None:
        """Remove an aspect with its history and its points."""
        self.connection.execute("DELETE FROM aspect WHERE id = ?", (aspect,))
        self.connection.execute("DELETE FROM aspect_history WHERE aspect = ?", (aspect,))
        self.connection.execute("DELETE FROM timeseries WHERE aspect = ?", (aspect,))

    def restore(self, row: AspectRow) -> None:
        """Make a version of the history the latest one and drop it from the history."""
        self.connection.execute(
            "DELETE FROM aspect_history WHERE aspect = ? AND seq >= ?", (row.id, row.seq)
        )
        self._changed.append(row)

    def delete_points(self, aspect: int, start: int | None, end: int | None) -> int:
        """Remove the points of a timeseries with start <= at <= end; how many there were."""
        done = self.connection.execute(
            "DELETE FROM timeseries WHERE aspect = ? AND at BETWEEN ? AND ?",
            (
                aspect,
                start if start is not None else -(2**63),
                end if end is not None else 2**63 - 1,
            ),
        )
        return done.rowcount

    def delete_run_points(self, run: str) -> int:
        """Remove the points that a run wrote; how many there were."""
        return self.connection.execute(
            "DELETE FROM timeseries WHERE run = (SELECT id FROM run WHERE name = ?)", (run,)
        ).rowcount

    def delete_entity(self, entity: int) -> int:
        """Remove an entity with all that belongs to it; how many points it had."""
        span = (entity * ASPECTS_PER_ENTITY, (entity + 1) * ASPECTS_PER_ENTITY)
        self.connection.execute("DELETE FROM aspect WHERE id >= ? AND id < ?", span)
        self.connection.execute("DELETE FROM aspect_history WHERE aspect >= ? AND aspect < ?", span)
        points = self.connection.execute(
            "DELETE FROM timeseries WHERE aspect >= ? AND aspect < ?", span
        ).rowcount
        self.connection.execute("DELETE FROM entity WHERE id = ?", (entity,))
        return points

    def flush(self) -> None:
        """Write what was collected."""
        many = self.connection.executemany
        if self._entities:
            many("INSERT INTO entity (id, urn, type) VALUES (?, ?, ?)", self._entities)
        if self._history:
            many(
                "INSERT OR REPLACE INTO aspect_history "
                "(aspect, seq, run, modified_at, actor, meta, value) VALUES (?, ?, ?, ?, ?, ?, ?)",
                self._history,
            )
        if self._outdated:
            many(
                "DELETE FROM aspect_history WHERE aspect = ? AND seq <= ? AND modified_at < ?",
                self._outdated,
            )
        if self._new:
            many(
                "INSERT INTO aspect (id, seq, run, modified_at, actor, meta, value) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                self._new,
            )
        if self._changed:
            many(
                "INSERT OR REPLACE INTO aspect (id, seq, run, modified_at, actor, meta, value) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                self._changed,
            )
        if self._timeseries:
            many(
                "INSERT OR REPLACE INTO timeseries (aspect, at, doc, run, meta, value) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                self._timeseries,
            )
        if self._run_times:
            many(
                "UPDATE run SET last_at = ? WHERE id = ?",
                [(at, run) for run, at in self._run_times.items()],
            )
        if self._events:
            many(
                "INSERT INTO events (topic, key, created_at, body) VALUES (?, ?, ?, ?)",
                self._events,
            )
            row = self.connection.execute("SELECT last_insert_rowid()").fetchone()
            self.last_offset = int(row[0])
        self._clear()

    def attempt(self, work: Callable[[], T]) -> T:
        """Do `work` and flush, or leave everything as it was before and raise what it raised."""
        self.flush()
        self.connection.execute("SAVEPOINT attempt")
        try:
            result = work()
            self.flush()
        except BaseException:
            self.connection.execute("ROLLBACK TO attempt")
            self.forget()
            raise
        finally:
            self.connection.execute("RELEASE attempt")
        return result

    def forget(self) -> None:
        """Drop what was collected, and what is known, after the database was rolled back."""
        self._runs.clear()
        self._clear()
        self.policies.forget()
        self._next_entity = self._first_free_entity()
        # An offset that was rolled back is given out again: nobody may have passed it already.
        row = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        self.last_offset = (row.fetchone() or (0,))[0]

    def _clear(self) -> None:
        self._entities.clear()
        self._history.clear()
        self._outdated.clear()
        self._new.clear()
        self._changed.clear()
        self._timeseries.clear()
        self._run_times.clear()
        self._events.clear()
