"""The hub's database: one SQLite file, one writing thread, any number of readers.

Writes are functions of a `Transaction`. The writing thread takes all that wait, runs each inside
a savepoint, and commits them together: concurrent writers share one commit, a refused one takes
nothing of the others along, and nobody is answered before the commit. Readers have a connection
per thread and never wait for the writer (WAL).
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import orjson

from dataspoke.core.errors import FatalError
from dataspoke.local_hub.database import connect, lock_folder, prepare
from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY
from dataspoke.local_hub.transaction import AspectRow, Transaction

T = TypeVar("T")

_MOST_PER_COMMIT = 256
_WRITER_CACHE_KIB = 32 * 1024
# A checkpoint waits for the disk, so that a thread of its own does it after so many rows. While
# writes go on without a pause it cannot start the log anew: the writer does, once it is long.
_CHECKPOINT_ROWS = 10_000
_LONG_LOG_PAGES = 16_000


class StoredEvent(NamedTuple):
    """One record of the change log; `created_at` in UTC ms, `body` plain JSON of the record."""

    offset: int
    topic: str
    key: str
    created_at: int
    body: str


class TimeseriesRow(NamedTuple):
    """One point of a timeseries aspect; `at` in UTC ms."""

    at: int
    meta: str
    value: str


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Transaction], Any]
    done: Future[Any]


class Store:
    """All that the hub remembers. `open` it once per folder; `close` it to stop the writer."""

    def __init__(self, folder: Path, lock: IO[str], numbers: dict[str, int]) -> None:
        self._path = folder / "hub.db"
        self._lock = lock
        self.aspect_numbers = numbers
        self.aspect_names = {number: name for name, number in numbers.items()}
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._readers_guard = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._news = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        self._last_offset = self._read_last_offset()
        self._checkpoint_due = threading.Event()
        self._closing = False
        self._checkpointer = threading.Thread(
            target=self._checkpoint_loop, name="hub-checkpoint", daemon=True
        )
        self._checkpointer.start()
        self._writer = threading.Thread(target=self._write_loop, name="hub-writer", daemon=True)
        self._writer.start()

    @classmethod
    def open(cls, folder: Path, aspect_names: Iterable[str]) -> Store:
        """Open or create the database in `folder`, which belongs to one hub at a time.

        Raises FatalError when it cannot be written, is in use, damaged, or of another version.
        """
        lock = lock_folder(folder)
        try:
            connection = connect(folder / "hub.db")
            try:
                numbers = prepare(connection, folder, aspect_names)
            finally:
                connection.close()
        except sqlite3.DatabaseError as exc:
            lock.close()
            raise FatalError(
                f"Cannot open the hub's database {folder / 'hub.db'}: {exc}. Move the folder "
                "away to start with an empty hub, or restore it from a backup."
            ) from exc
        except BaseException:
            lock.close()
            raise
        return cls(folder, lock, numbers)

    def close(self) -> None:
        """Finish the waiting writes and release the folder. Idempotent."""
        if self._writer.is_alive():
            self._jobs.put(None)
            self._writer.join()
        self._closing = True
        self._checkpoint_due.set()
        self._checkpointer.join()
        with self._readers_guard:
            for connection in self._readers:
                connection.close()
            self._readers.clear()
        self._lock.close()

    # --- writing

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Run `work` in a write transaction; the future is done after its commit."""
        done: Future[T] = Future()
        self._jobs.put(_Job(work, done))
        return done

    def write(self, work: Callable[[Transaction], T]) -> T:
        """`submit` and wait."""
        return self.submit(work).result()

    def _write_loop(self) -> None:
        connection = connect(self._path, _WRITER_CACHE_KIB)
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LONG_LOG_PAGES}")
        transaction = Transaction(connection, self.aspect_numbers)
        checkpoint_at = _CHECKPOINT_ROWS
        while True:
            jobs = self._take_jobs()
            if not jobs:
                break
            # From here on a caller can no longer take its job back.
            jobs = [job for job in jobs if job.done.set_running_or_notify_cancel()]
            self._commit_together(connection, transaction, jobs)
            if connection.total_changes > checkpoint_at:
                checkpoint_at = connection.total_changes + _CHECKPOINT_ROWS
                self._checkpoint_due.set()
        connection.close()

    def _checkpoint_loop(self) -> None:
        connection = connect(self._path)
        while True:
            self._checkpoint_due.wait()
            self._checkpoint_due.clear()
            if self._closing:
                break
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        connection.close()

    def _take_jobs(self) -> list[_Job]:
        """All waiting jobs up to a bound; waits for the first. Empty means stop."""
        first = self._jobs.get()
        jobs: list[_Job] = []
        while first is not None:
            jobs.append(first)
            if len(jobs) == _MOST_PER_COMMIT:
                return jobs
            try:
                first = self._jobs.get_nowait()
            except queue.Empty:
                return jobs
        if jobs:
            self._jobs.put(None)  # the stop comes after the work that was before it
        return jobs

    def _commit_together(
        self, connection: sqlite3.Connection, transaction: Transaction, jobs: list[_Job]
    ) -> None:
        answers: list[tuple[_Job, Any, BaseException | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                answers.append(_run(transaction, job))
            connection.execute("COMMIT")
        except sqlite3.Error as exc:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            transaction.forget()
            for job in jobs:
                job.done.set_exception(exc)
            return
        if transaction.last_offset > self._last_offset:
            with self._news:
                self._last_offset = transaction.last_offset
                self._news.notify_all()
        for job, result, error in answers:
            if error is not None:
                job.done.set_exception(error)
            else:
                job.done.set_result(result)
        for listener in tuple(self._listeners):
            listener()

    # --- events

    def last_offset(self) -> int:
        """Offset of the newest committed event, 0 if there is none."""
        return self._last_offset

    def read_events(self, topic: str | None, after: int, limit: int) -> list[StoredEvent]:
        """Events with offset > `after` in order; `topic` None means all topics."""
        columns = "SELECT offset, topic, key, created_at, body FROM events"
        if topic is None:
            sql = f"{columns} WHERE offset > ? ORDER BY offset LIMIT ?"
            rows = self.reader().execute(sql, (after, limit))
        else:
            sql = f"{columns} WHERE topic = ? AND offset > ? ORDER BY offset LIMIT ?"
            rows = self.reader().execute(sql, (topic, after, limit))
        return [StoredEvent(*row) for row in rows]

    def offset_before(self, moment: int) -> int:
        """Offset of the last event older than `moment` (UTC ms), 0 if there is none."""
        reader = self.reader()
        low, high = 0, self._last_offset
        while low < high:  # offsets and times rise together
            middle = (low + high + 1) // 2
            row = reader.execute(
                "SELECT offset, created_at FROM events WHERE offset >= ? ORDER BY offset LIMIT 1",
                (middle,),
            ).fetchone()
            if row is not None and row[1] < moment:
                low = row[0]
            else:
                high = middle - 1
        return low

    def wait_for_events(self, after: int, timeout: float) -> bool:
        """Block until an event beyond `after` is committed, at most `timeout` seconds."""
        with self._news:
            return self._news.wait_for(lambda: self._last_offset > after, timeout)

    def add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each commit, on the writing thread; the result removes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def cursor(self, name: str) -> int | None:
        """The offset kept under `name`, or None."""
        row = self.reader().execute("SELECT offset FROM cursor WHERE name = ?", (name,)).fetchone()
        return None if row is None else int(row[0])

    def set_cursor(self, name: str, offset: int) -> None:
        """Keep `offset` under `name`, durably."""
        self.write(lambda tx: tx.set_cursor(name, offset))

    def _read_last_offset(self) -> int:
        row = self.reader().execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        found = row.fetchone()
        return int(found[0]) if found else 0

    # --- reading

    def reader(self) -> sqlite3.Connection:
        """This thread's reading connection; each statement sees what is committed by then."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(self._path)
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            with self._readers_guard:
                self._readers.append(connection)
        return connection

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, with all statements inside seeing the same moment."""
        connection = self.reader()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")

    def entity_id(self, urn: str) -> int | None:
        """The row of an entity, or None if the hub does not know it."""
        row = self.reader().execute("SELECT id FROM entity WHERE urn = ?", (urn,)).fetchone()
        return None if row is None else int(row[0])

    def aspect(self, urn: str, name: str, version: int = 0) -> AspectRow | None:
        """One aspect; version 0 is the latest, which has a number too; 1 was the first one."""
        entity, number = self.entity_id(urn), self.aspect_numbers.get(name)
        if entity is None or number is None:
            return None
        key, reader = entity * ASPECTS_PER_ENTITY + number, self.reader()
        columns = "SELECT seq, run, modified_at, actor, meta, value"
        row = reader.execute(f"{columns} FROM aspect WHERE id = ?", (key,)).fetchone()
        if version > 0 and row is not None and row[0] != version:
            row = reader.execute(
                f"{columns} FROM aspect_history WHERE aspect = ? AND seq = ?", (key, version)
            ).fetchone()
        return None if row is None else AspectRow(key, *row)

    def aspects(
        self, urns: Sequence[str], names: Collection[str] | None = None
    ) -> dict[str, dict[str, AspectRow]]:
        """Latest aspects of the entities that exist, in the order of `urns`.

        `names` None means all aspects; an entity that has none of them is there, but empty.
        """
        found: dict[str, dict[str, AspectRow]] = {}
        wanted, values = "", [orjson.dumps(urns).decode()]
        if names is not None:
            numbers = [self.aspect_numbers[name] for name in names if name in self.aspect_numbers]
            wanted = "AND a.id - e.id * 4096 IN (SELECT value FROM json_each(?))"
            values.append(orjson.dumps(numbers).decode())
        rows = self.reader().execute(
            "SELECT w.value, a.id, a.seq, a.run, a.modified_at, a.actor, a.meta, a.value "  # noqa: S608
            "FROM json_each(?) w CROSS JOIN entity e ON e.urn = w.value "
            f"LEFT JOIN aspect a ON a.id >= e.id * 4096 AND a.id < e.id * 4096 + 4096 {wanted}",
            values,
        )
        for urn, *row in rows:
            aspects = found.setdefault(urn, {})
            if row[0] is not None:
                aspects[self.aspect_names[row[0] % ASPECTS_PER_ENTITY]] = AspectRow(*row)
        return found

    def list_urns(self, entity_type: str, start: int, count: int) -> list[str]:
        """Urns of a type in their order, from the `start`-th on."""
        rows = self.reader().execute(
            "SELECT urn FROM entity WHERE type = ? ORDER BY urn LIMIT ? OFFSET ?",
            (entity_type, count, start),
        )
        return [row[0] for row in rows]

    def count(self, entity_type: str) -> int:
        """How many entities of a type there are."""
        row = self.reader().execute("SELECT count(*) FROM entity WHERE type = ?", (entity_type,))
        return int(row.fetchone()[0])

    def timeseries(
        self, urn: str, name: str, *, start: int | None = None, end: int | None = None
    ) -> Iterator[TimeseriesRow]:
        """Points of a timeseries aspect with start <= at <= end, the newest first."""
        entity, number = self.entity_id(urn), self.aspect_numbers.get(name)
        if entity is None or number is None:
            return
        rows = self.reader().execute(
            "SELECT at, meta, value FROM timeseries WHERE aspect = ? AND at BETWEEN ? AND ? "
            "ORDER BY at DESC, id DESC",
            (
                entity * ASPECTS_PER_ENTITY + number,
                start if start is not None else -(2**63),
                end if end is not None else 2**63 - 1,
            ),
        )
        for row in rows:
            yield TimeseriesRow(*row)


def _run(transaction: Transaction, job: _Job) -> tuple[_Job, Any, BaseException | None]:
    try:
        return job, transaction.attempt(lambda: job.work(transaction)), None
    except sqlite3.Error:
        raise
    except Exception as exc:  # the caller gets it; the other jobs go on
        return job, None, exc
