"""The embedded index for processes that do not own it: a ledger of what it will hold.

`OutboxIndex` is the writers' side, `Outbox` the owner's. One row per urn, so that a hundred
changes of one entity wait as one. Reasons and protocol: ADR 0003.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from dataspoke.core.errors import SkippableError
from dataspoke.core.index.ledger import LedgerRow, merge, pending_op, refs_after
from dataspoke.core.index.model import Hashes, IndexInfo, IndexOp, IndexSpec
from dataspoke.core.index.points import TOMBSTONE_MS
from dataspoke.core.store.database import Database
from dataspoke.core.store.texts import MAX_KEY_BYTES, is_key, storable

_LEDGER = "SELECT id FROM dataspoke_index_ledgers WHERE model_id = ?"
_NEW_LEDGER = """
INSERT INTO dataspoke_index_ledgers (model_id, last_seq) VALUES (?, 0)
ON CONFLICT (model_id) DO NOTHING
"""
# Whoever changes points locks the ledger's row first, so that nobody waits in a circle.
_LOCK = "SELECT id FROM dataspoke_index_ledgers WHERE id = ? FOR UPDATE"
_NUMBER = (
    "UPDATE dataspoke_index_ledgers SET last_seq = last_seq + ? WHERE id = ? RETURNING last_seq"
)
_ROWS = """
SELECT urn, version, alive, content_hash, payload_hash, source_hash, op, payload, vectors
FROM dataspoke_index_points WHERE ledger = ? AND urn IN ??
"""
_WRITE = """
INSERT INTO dataspoke_index_points AS p (ledger, urn, version, alive, content_hash,
                                         payload_hash, source_hash, seq, op, queued_at, payload,
                                         vectors)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (ledger, urn) DO UPDATE SET
  version = excluded.version, alive = excluded.alive, content_hash = excluded.content_hash,
  payload_hash = excluded.payload_hash, source_hash = excluded.source_hash, seq = excluded.seq,
  op = excluded.op,
  queued_at = coalesce(p.queued_at, excluded.queued_at), payload = excluded.payload,
  vectors = excluded.vectors
"""
_IDS = "SELECT id, urn FROM dataspoke_index_points WHERE ledger = ? AND urn IN ??"
_REFS = "SELECT ref, point FROM dataspoke_index_refs WHERE point IN ??"
_UNREF = "DELETE FROM dataspoke_index_refs WHERE ref = ? AND point = ?"
_REF = "INSERT INTO dataspoke_index_refs (ref, point) VALUES (?, ?)"
_HASHES = """
SELECT urn, content_hash, payload_hash, source_hash FROM dataspoke_index_points
WHERE ledger = ? AND urn IN ?? AND alive = 1
"""
_PAGE = """
SELECT urn, content_hash, payload_hash, source_hash FROM dataspoke_index_points
WHERE ledger = ? AND urn > ? AND alive = 1 ORDER BY urn LIMIT ?
"""
_REFERENCING = """
SELECT p.urn FROM dataspoke_index_refs AS r JOIN dataspoke_index_points AS p ON p.id = r.point
WHERE r.ref = ? AND p.ledger = ? AND p.urn > ? ORDER BY p.urn LIMIT ?
"""
_REMEMBER = """
UPDATE dataspoke_index_points SET source_hash = ?
WHERE ledger = ? AND urn = ? AND content_hash = ? AND payload_hash = ? AND alive = 1
"""
_COUNT = "SELECT count(*) FROM dataspoke_index_points WHERE ledger = ? AND alive = 1"
_BACKLOG = """
SELECT count(*), min(queued_at) FROM dataspoke_index_points
WHERE ledger = ? AND seq IS NOT NULL
"""
_PENDING = """
SELECT seq, urn, version, alive, content_hash, payload_hash, source_hash, op, payload, vectors
FROM dataspoke_index_points WHERE ledger = ? AND seq IS NOT NULL ORDER BY seq LIMIT ?
"""
_APPLIED = """
UPDATE dataspoke_index_points
SET seq = NULL, op = NULL, queued_at = NULL, payload = NULL, vectors = NULL
WHERE ledger = ? AND seq IN ??
"""
_GENERATION = "SELECT generation FROM dataspoke_index_ledgers WHERE id = ?"
_SET_GENERATION = "UPDATE dataspoke_index_ledgers SET generation = ? WHERE id = ?"
_CLEAR_APPLIED = "DELETE FROM dataspoke_index_points WHERE ledger = ? AND seq IS NULL"
# A payload waits for a point whose vectors may not be in the other folder.
_DOUBT_PAYLOADS = """
UPDATE dataspoke_index_points SET content_hash = '' WHERE ledger = ? AND op = 'payload'
"""
_TAKE_OVER = """
INSERT INTO dataspoke_index_points (ledger, urn, version, alive, content_hash, payload_hash)
VALUES (?, ?, 0, 1, ?, '') ON CONFLICT (ledger, urn) DO NOTHING
"""
_PRUNE = """
DELETE FROM dataspoke_index_points
WHERE ledger = ? AND alive = 0 AND seq IS NULL AND version < ?
"""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class OutboxIndex:
    """An `IndexWriter` whose writes wait in the database until the owner applies them.

    It answers for the index as it will be then. Safe for many threads and processes.
    """

    def __init__(
        self, database: Database, spec: IndexSpec, *, clock: Callable[[], int] = _now_ms
    ) -> None:
        self._db = database
        self._spec = spec
        self._clock = clock
        self._ledger = _Ledger(database, spec)

    def hashes(self, urns: Sequence[str]) -> dict[str, Hashes]:
        params = (self._ledger.id, self._db.array([urn for urn in urns if is_key(urn)]))
        with self._db.reading() as conn:
            rows = self._db.run(conn, _HASHES, params).all()
        return {urn: _hashes(*values) for urn, *values in rows}

    def apply(self, ops: Sequence[IndexOp]) -> None:
        """See `IndexWriter.apply`. One transaction; applying the same again changes nothing
        but the order in which the owner gets it. Raises SkippableError, and applies nothing,
        if a urn is no text that a database can keep."""
        if not ops:
            return
        for op in ops:
            if not is_key(op.urn):
                raise SkippableError(
                    f"Cannot index {storable(op.urn)[:200]!r}: the urn is longer than "
                    f"{MAX_KEY_BYTES} bytes or holds a character that is no text. Correct it."
                )
        ledger, now = self._ledger.id, self._clock()
        with self._db.transaction() as conn:
            seq = self._db.run(conn, _NUMBER, (len(ops), ledger)).scalar_one()
            known = self._rows(conn, ledger, {op.urn for op in ops})
            changed: dict[str, LedgerRow] = {}
            refs: dict[str, frozenset[str]] = {}
            for op in ops:
                row = merge(changed.get(op.urn, known.get(op.urn)), op)
                if row is not None:
                    changed[op.urn] = row
                    refs[op.urn] = refs_after(op)
            if not changed:
                return
            first = seq - len(ops) + 1
            rows = [
                _row_to_values(ledger, urn, row, first + i, now)
                for i, (urn, row) in enumerate(changed.items())
            ]
            self._db.run(conn, _WRITE, rows)
            self._write_refs(conn, ledger, refs)

    def remember(self, hashes: Mapping[str, Hashes]) -> None:
        ledger = self._ledger.id
        rows = [
            (one.source, ledger, urn, one.content_hash, one.payload_hash)
            for urn, one in sorted(hashes.items())
            if is_key(urn)
        ]
        if rows:
            with self._db.transaction() as conn:
                self._db.run(conn, _LOCK, (ledger,))
                self._db.run(conn, _REMEMBER, rows)

    def urns(self, *, batch: int = 1000) -> Iterator[dict[str, Hashes]]:
        """Rising by urn; every batch is a read of its own, so writers are never held up."""
        ledger, after = self._ledger.id, ""
        while True:
            with self._db.reading() as conn:
                rows = self._db.run(conn, _PAGE, (ledger, after, batch)).all()
            if not rows:
                return
            yield {urn: _hashes(*values) for urn, *values in rows}
            after = rows[-1][0]

    def referencing(self, urn: str, *, after: str | None, limit: int) -> list[str]:
        if not is_key(urn):
            return []
        params = (urn, self._ledger.id, after or "", limit)
        with self._db.reading() as conn:
            return [row[0] for row in self._db.run(conn, _REFERENCING, params)]

    def info(self) -> IndexInfo:
        ledger = self._ledger.id
        with self._db.reading() as conn:
            points = self._db.run(conn, _COUNT, (ledger,)).scalar_one()
            waiting, oldest = self._db.run(conn, _BACKLOG, (ledger,)).one()
        return IndexInfo(
            engine="outbox",
            location=self._db.url_for_people,
            model_id=self._spec.model_id,
            points=points,
            details={"waiting": waiting, "oldest_ms": oldest},
        )

    def _rows(self, conn: sa.Connection, ledger: int, urns: set[str]) -> dict[str, LedgerRow]:
        rows = self._db.run(conn, _ROWS, (ledger, self._db.array(urns))).all()
        return {urn: _values_to_row(*values) for urn, *values in rows}

    def _write_refs(
        self, conn: sa.Connection, ledger: int, refs: Mapping[str, frozenset[str]]
    ) -> None:
        ids = self._db.run(conn, _IDS, (ledger, self._db.array(refs.keys()))).all()
        wanted = {(ref, point) for point, urn in ids for ref in refs[urn]}
        points = self._db.array([point for point, _ in ids])
        stored = {(ref, point) for ref, point in self._db.run(conn, _REFS, (points,))}
        for statement, pairs in ((_UNREF, stored - wanted), (_REF, wanted - stored)):
            if pairs:
                self._db.run(conn, statement, sorted(pairs))


@dataclass(frozen=True, slots=True)
class PendingOp:
    """An operation that waits; `seq` tells this state of the row from a later one."""

    seq: int
    op: IndexOp


class Outbox:
    """The ledger as the owner of the embedded index sees it. One process at a time.

    All methods are safe to repeat and raise RetriableError while the database is away.
    """

    def __init__(
        self, database: Database, spec: IndexSpec, *, clock: Callable[[], int] = _now_ms
    ) -> None:
        self._db = database
        self._clock = clock
        self._ledger = _Ledger(database, spec)

    def pending(self, limit: int) -> list[PendingOp]:
        """What waits, the longest unchanged first; at most one operation per urn."""
        ledger = self._ledger.id
        with self._db.reading() as conn:
            rows = self._db.run(conn, _PENDING, (ledger, limit)).all()
        return [
            PendingOp(seq, pending_op(urn, _values_to_row(*values))) for seq, urn, *values in rows
        ]

    def applied(self, pending: Sequence[PendingOp]) -> None:
        """These are in the index for good. Rows that changed meanwhile go on waiting."""
        if not pending:
            return
        ledger, seqs = self._ledger.id, self._db.array([one.seq for one in pending])
        with self._db.transaction() as conn:
            self._db.run(conn, _LOCK, (ledger,))
            self._db.run(conn, _APPLIED, (ledger, seqs))

    def bind(self, generation: str, hashes: Iterator[dict[str, Hashes]]) -> None:
        """Say which index folder the ledger describes; `hashes` streams its points.

        With a folder that is bound already this only drops old tombstones. Else what was
        applied is forgotten and the folder's points are taken over; what waits goes on waiting.
        Points taken over get an empty payload hash: the ledger does not know what they refer
        to, and so the next reconcile writes their payloads (no vectors) once more. A crash in
        between leaves the ledger unbound, and the next bind does it again.
        """
        ledger = self._ledger.id
        bound = self.generation()
        if bound == generation:
            self._db.write(_PRUNE, (ledger, self._clock() - TOMBSTONE_MS))
            return
        if bound is not None:
            with self._db.transaction() as conn:
                self._db.run(conn, _SET_GENERATION, (None, ledger))
                self._db.run(conn, _CLEAR_APPLIED, (ledger,))
                self._db.run(conn, _DOUBT_PAYLOADS, (ledger,))
        for batch in hashes:
            rows = [(ledger, urn, held.content_hash) for urn, held in batch.items()]
            if rows:
                with self._db.transaction() as conn:
                    self._db.run(conn, _LOCK, (ledger,))
                    self._db.run(conn, _TAKE_OVER, rows)
        self._db.write(_SET_GENERATION, (generation, ledger))

    def generation(self) -> str | None:
        """The index folder that the ledger describes; None until the first bind has ended."""
        ledger = self._ledger.id
        with self._db.reading() as conn:
            bound = self._db.run(conn, _GENERATION, (ledger,)).scalar()
        return None if bound is None else str(bound)

    def backlog(self) -> tuple[int, int | None]:
        """How many rows wait, and since when the oldest does (UTC ms)."""
        ledger = self._ledger.id
        with self._db.reading() as conn:
            waiting, oldest = self._db.run(conn, _BACKLOG, (ledger,)).one()
        return waiting, oldest


class _Ledger:
    """The number of a model's ledger, made on first use."""

    def __init__(self, database: Database, spec: IndexSpec) -> None:
        self._db = database
        self._model_id = spec.model_id
        self._id: int | None = None

    @property
    def id(self) -> int:
        if self._id is None:
            with self._db.transaction() as conn:
                self._db.run(conn, _NEW_LEDGER, (self._model_id,))
                self._id = self._db.run(conn, _LEDGER, (self._model_id,)).scalar_one()
        return self._id


def _row_to_values(ledger: int, urn: str, row: LedgerRow, seq: int, now: int) -> tuple[Any, ...]:
    hashes = (row.hashes.content_hash, row.hashes.payload_hash, row.hashes.source)
    state = (ledger, urn, row.version, int(row.alive), *hashes)
    return (*state, seq, row.op, now, row.payload, row.vectors)


def _values_to_row(
    version: int,
    alive: int,
    content: str,
    payload_hash: str,
    source: str | None,
    op: Any,
    payload: str | None,
    vectors: bytes | None,
) -> LedgerRow:
    return LedgerRow(
        version, bool(alive), _hashes(content, payload_hash, source), op, payload, vectors
    )


def _hashes(content: str, payload_hash: str, source: str | None) -> Hashes:
    return Hashes(content, payload_hash, source or "")
