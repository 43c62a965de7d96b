"""The durable work table over SQL. Protocol and reasons: ADR 0002.

While a row is held, `ready_at` is the end of the lease, else its `not_before`. A put on a held
row starts a new generation, whose `not_before` and age are its own: the old ones are spent with
the claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from dataspoke.core.store.database import Database
from dataspoke.core.store.texts import as_key, storable
from dataspoke.core.work.model import (
    UNREADABLE_EVENT,
    Claim,
    DeadLetter,
    Work,
    WorkStats,
)
from dataspoke.core.work.rows import dump, row_to_claim, row_to_letter, work_to_row

_MAX_REASON = 4_000

_PUT = """
INSERT INTO dataspoke_work AS w (kind, key, point, priority, not_before, ready_at, payload,
                                 enqueued_at, generation, attempts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0)
ON CONFLICT (kind, key, point) DO UPDATE SET
  generation = w.generation + 1,
  payload = excluded.payload,
  priority = CASE WHEN excluded.priority < w.priority
             THEN excluded.priority ELSE w.priority END,
  enqueued_at = CASE WHEN w.generation = w.leased_generation
                THEN excluded.enqueued_at ELSE w.enqueued_at END,
  not_before = CASE WHEN w.generation = w.leased_generation OR excluded.not_before < w.not_before
               THEN excluded.not_before ELSE w.not_before END,
  ready_at = CASE WHEN w.token IS NOT NULL THEN w.ready_at
             WHEN excluded.not_before < w.not_before
             THEN excluded.not_before ELSE w.not_before END
"""
# A dead letter's payload is older than that of a row which has come since.
_PUT_BACK = """
INSERT INTO dataspoke_work AS w (kind, key, point, priority, not_before, ready_at, payload,
                                 enqueued_at, generation, attempts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0)
ON CONFLICT (kind, key, point) DO UPDATE SET
  generation = w.generation + 1, attempts = 0, not_before = 0,
  ready_at = CASE WHEN w.token IS NOT NULL THEN w.ready_at ELSE 0 END
"""
_CANDIDATES = """
SELECT priority, enqueued_at, id FROM dataspoke_work WHERE kind = ? AND ready_at <= ?
ORDER BY priority, enqueued_at, id LIMIT ? FOR UPDATE SKIP LOCKED
"""
_NEXT_LEASE = """
UPDATE dataspoke_fencing SET last_token = CASE WHEN last_token < ? THEN ? ELSE last_token + 1 END
RETURNING last_token
"""
_LEASE = """
UPDATE dataspoke_work
SET token = ?, ready_at = ?, worker = ?, leased_generation = generation WHERE id IN ??
RETURNING id, kind, key, point, priority, not_before, payload, generation, token, attempts,
          enqueued_at
"""
# Rows are locked in the order in which `put` touches them, so that none waits for the other.
_HELD = """
SELECT id, token, generation > leased_generation, not_before FROM dataspoke_work
WHERE id IN ?? AND token IS NOT NULL ORDER BY kind, key, point FOR UPDATE
"""
_EXTEND = "UPDATE dataspoke_work SET ready_at = ? WHERE id IN ??"
_DELETE = "DELETE FROM dataspoke_work WHERE id IN ??"
_AGAIN = """
UPDATE dataspoke_work SET token = NULL, leased_generation = NULL, worker = NULL,
  ready_at = not_before, attempts = 0 WHERE id IN ??
"""
_RELEASE = """
UPDATE dataspoke_work SET token = NULL, leased_generation = NULL, worker = NULL,
  not_before = ?, ready_at = ?, enqueued_at = ?, attempts = attempts + ? WHERE id = ?
"""
_STATS = """
SELECT count(CASE WHEN ready_at <= ? THEN 1 END),
       count(CASE WHEN ready_at > ? AND token IS NULL THEN 1 END),
       count(CASE WHEN ready_at > ? AND token IS NOT NULL THEN 1 END),
       min(CASE WHEN ready_at <= ? THEN enqueued_at END)
FROM dataspoke_work WHERE ? = 0 OR kind IN ??
"""
_OPEN = """
SELECT id, kind, key, point, priority, not_before, payload, generation, token, attempts,
       enqueued_at
FROM dataspoke_work WHERE ? = 0 OR kind IN ?? ORDER BY priority, enqueued_at, id LIMIT ?
"""
_COUNT_DEAD = "SELECT count(*) FROM dataspoke_dead_letters WHERE ? = 0 OR kind IN ??"
_BURY = """
INSERT INTO dataspoke_dead_letters
  (kind, key, point, priority, payload, reason, error_type, attempts, failed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_REPLACE_DEAD = "DELETE FROM dataspoke_dead_letters WHERE kind = ? AND key = ? AND point = ?"
_DEAD = """
SELECT id, kind, key, point, payload, reason, error_type, attempts, failed_at
FROM dataspoke_dead_letters WHERE ? = 0 OR id IN ?? ORDER BY id DESC LIMIT ?
"""
_TAKE_DEAD = """
DELETE FROM dataspoke_dead_letters WHERE kind <> ? AND (? = 0 OR id IN ??)
RETURNING id, kind, key, point, priority, payload
"""
_DROP_DEAD = "DELETE FROM dataspoke_dead_letters WHERE ? = 0 OR id IN ??"


class SqlWorkTable:
    """`WorkTable` in SQLite or PostgreSQL, for any number of threads and processes.

    `put` is durable when it returns (against what: ADR 0002). All methods may be repeated after
    a RetriableError.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, items: Sequence[Work], *, now: int) -> None:
        """See `WorkTable.put`. SkippableError, and nothing put, if a key cannot be stored."""
        rows = [work_to_row(item, now) for item in items]
        if len(rows) == 1:
            self._db.write(_PUT, rows[0])
        elif rows:
            with self._db.transaction() as conn:
                self._put(conn, rows)

    def claim(
        self, kinds: Sequence[str], *, limit: int, lease_ms: int, worker: str, now: int
    ) -> list[Claim]:
        with self._db.transaction() as conn:
            # One query per kind: only so is the index read in order and no further than needed.
            urgent = sorted(
                tuple(row)
                for kind in dict.fromkeys(kinds)
                for row in self._db.run(conn, _CANDIDATES, (kind, now, limit))
            )[:limit]
            if not urgent:
                return []
            token = self._db.run(conn, _NEXT_LEASE, (now, now)).scalar_one()
            ids = self._db.array([row[2] for row in urgent])
            rows = self._db.run(conn, _LEASE, (token, now + lease_ms, worker, ids)).all()
        claims = {row[0]: row_to_claim(row) for row in rows}
        return [claims[row[2]] for row in urgent]

    def heartbeat(self, claims: Sequence[Claim], *, lease_ms: int, now: int) -> list[Claim]:
        with self._db.transaction() as conn:
            ours = self._ours(conn, claims)
            if ours:
                self._db.run(conn, _EXTEND, (now + lease_ms, self._db.array(ours)))
        return [held.claim for held in ours.values()]

    def complete(
        self, claims: Sequence[Claim], *, puts: Sequence[Work] = (), now: int
    ) -> list[Claim]:
        """See `WorkTable.complete`. If there are claims and none is ours, nothing is put."""
        rows = [work_to_row(item, now) for item in puts]
        with self._db.transaction() as conn:
            ours = self._ours(conn, claims)
            self._finish(conn, ours)
            if rows and (ours or not claims):
                self._put(conn, rows)
        return [held.claim for held in ours.values()]

    def release(
        self, claims: Sequence[Claim], *, not_before: int, count_attempt: bool, now: int
    ) -> None:
        """See `WorkTable.release`. A row put again since its claim may come up earlier."""
        with self._db.transaction() as conn:
            rows = []
            for row, held in self._ours(conn, claims).items():
                at = min(not_before, held.not_before) if held.again else not_before
                rows.append((at, at, held.claim.enqueued_at, int(count_attempt), row))
            if rows:
                self._db.run(conn, _RELEASE, rows)

    def bury(self, claims: Sequence[Claim], *, reason: str, error_type: str, now: int) -> None:
        """See `WorkTable.bury`. Replaces an earlier dead letter of the same row; a row put
        again since its claim gets its dead letter and another chance."""
        why = (storable(reason)[:_MAX_REASON], error_type)
        with self._db.transaction() as conn:
            ours = self._ours(conn, claims)
            if not ours:
                return
            letters = []
            for claim in (held.claim for held in ours.values()):
                item = claim.work
                row = (item.kind, item.key, item.point, int(item.priority), dump(item.payload))
                letters.append((*row, *why, claim.attempts + 1, now))
            self._db.run(conn, _REPLACE_DEAD, [letter[:3] for letter in letters])
            self._db.run(conn, _BURY, letters)
            self._finish(conn, ours)

    def bury_event(
        self,
        kind: str,
        key: str,
        *,
        payload: Mapping[str, Any],
        reason: str,
        error_type: str,
        now: int,
    ) -> None:
        """See `WorkTable.bury_event`. Whatever the texts hold, this keeps them."""
        why = (storable(reason)[:_MAX_REASON], error_type)
        with self._db.transaction() as conn:
            self._db.run(conn, _BURY, (kind, as_key(key), 0, 0, dump(payload), *why, 0, now))

    def stats(self, *, now: int, kinds: Sequence[str] = ()) -> WorkStats:
        chosen = (len(kinds), self._db.array(kinds))
        with self._db.reading() as conn:
            counts = self._db.run(conn, _STATS, (now, now, now, now, *chosen)).one()
            dead = self._db.run(conn, _COUNT_DEAD, chosen).scalar_one()
        ready, delayed, leased, oldest = counts
        return WorkStats(ready, delayed, leased, dead, oldest)

    def list_open(self, *, limit: int, kinds: Sequence[str] = ()) -> list[Claim]:
        """The most urgent rows, held or not; `token` is 0 for those that nobody holds."""
        with self._db.reading() as conn:
            params = (len(kinds), self._db.array(kinds), limit)
            rows = self._db.run(conn, _OPEN, params).all()
        return [row_to_claim(row) for row in rows]

    def dead_letters(self, *, limit: int, ids: Sequence[int] | None = None) -> list[DeadLetter]:
        """Those with these numbers (None = all), the newest first."""
        with self._db.reading() as conn:
            rows = self._db.run(conn, _DEAD, (*self._chosen(ids), limit)).all()
        return [row_to_letter(row) for row in rows]

    def retry_dead(self, ids: Sequence[int] | None, *, now: int) -> int:
        """See `WorkTable.retry_dead`. Attempts start again at 0."""
        with self._db.transaction() as conn:
            params = (UNREADABLE_EVENT, *self._chosen(ids))
            letters = self._db.run(conn, _TAKE_DEAD, params).all()
            # The newest first: the payload of the first one put back is kept.
            newest = sorted((tuple(row) for row in letters), reverse=True)
            if newest:
                rows = [(*row[1:5], 0, 0, row[5], now) for row in newest]
                self._db.run(conn, _PUT_BACK, rows)
        return len(newest)

    def drop_dead(self, ids: Sequence[int] | None) -> int:
        """Forget dead letters (None = all); returns how many."""
        with self._db.transaction() as conn:
            return self._db.run(conn, _DROP_DEAD, self._chosen(ids)).rowcount

    def _put(self, conn: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
        self._db.run(conn, _PUT, sorted(rows, key=lambda row: row[:3]))

    def _ours(self, conn: sa.Connection, claims: Sequence[Claim]) -> dict[int, _Held]:
        """By row id: the leases that are still ours, locked until the transaction ends."""
        ids = self._db.array({claim.row for claim in claims})
        stored = {(row[0], row[1]): row[2:] for row in self._db.run(conn, _HELD, (ids,))}
        ours = {}
        for claim in claims:
            if (state := stored.get((claim.row, claim.token))) is not None:
                ours[claim.row] = _Held(claim, bool(state[0]), state[1])
        return ours

    def _finish(self, conn: sa.Connection, ours: Mapping[int, _Held]) -> None:
        """Delete the rows, but give back those that were put again since their claim."""
        for statement, again in ((_DELETE, False), (_AGAIN, True)):
            ids = [row for row, held in ours.items() if held.again is again]
            if ids:
                self._db.run(conn, statement, (self._db.array(ids),))

    def _chosen(self, ids: Sequence[int] | None) -> tuple[int, Any]:
        return (0, self._db.array([])) if ids is None else (1, self._db.array(ids))


class _Held(NamedTuple):
    """A lease that is ours: whether the row was put again since, and its `not_before` now."""

    claim: Claim
    again: bool
    not_before: int
