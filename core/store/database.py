"""One database for all processes: SQLite in a file, or PostgreSQL through psycopg 3.

Both keep the same promises. Speed and durability of SQLite: ADR 0002.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from dataspoke.core.errors import FatalError, RetriableError
from dataspoke.core.store.engines import POOL_SIZE, engine_for
from dataspoke.core.store.failures import SETTING, failure_of
from dataspoke.core.store.schema import SCHEMA_VERSION, UPGRADES, metadata, schema_table

Params = tuple[Any, ...]

WAIT_MS = 10_000
# Any number, the same for every Data Spoke: two first starts must not create tables at once.
_SCHEMA_LOCK = 7_305_411_826


class Database:
    """A pool of connections to one database whose tables are there and of our version.

    Safe for many threads; every process opens its own (never share one over a fork).
    """

    def __init__(self, engine: sa.Engine, url_for_people: str, wait_ms: int) -> None:
        self._engine = engine
        self._wait_ms = wait_ms
        self.url_for_people = url_for_people
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._begin_write = "BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN"
        self._begin_read = "BEGIN" if self.is_sqlite else "BEGIN READ ONLY"
        self._translated: dict[str, str] = {}
        # SQLite lets one writer in at a time and makes the others poll with growing pauses;
        # within this process they queue here instead, which is quicker and fairer.
        self._turn = threading.Lock() if self.is_sqlite else None
        self._writer: sqlite3.Connection | None = None
        self._file: tuple[Path, int] | None = None

    @classmethod
    def open(cls, url: str, *, wait_ms: int = WAIT_MS) -> Database:
        """Connect; create folder and tables where they are missing.

        A killed process never loses what it has written. A power cut may take the last seconds
        from SQLite, unless its URL ends in `?synchronous=full` (slower; ADR 0002).
        `wait_ms` is how long to wait for another writer (SQLite) or for a connection.
        Raises ConfigError for a wrong URL or a refused login, MissingExtraError without
        psycopg, FatalError for a file that cannot be used or a newer schema, RetriableError
        when the database is away or locked.
        """
        engine, people = engine_for(url, wait_ms=wait_ms)
        database = cls(engine, people, wait_ms)
        try:
            database._prepare()
            if database.is_sqlite:
                database._settle_on_file()
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A write transaction: committed and durable at the end, rolled back on an exception.

        On SQLite it excludes every other writer from its first line on, so keep it short and
        never nest it. If the commit itself fails on PostgreSQL it may still have happened: what
        is inside must be safe to repeat.
        """
        self._check_file()
        with self._failures(), self._my_turn():
            conn = self._first(self._begin_write)
            try:
                yield conn
                conn.commit()
            finally:
                conn.close()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A read-only transaction; on SQLite it neither waits for writers nor stops them."""
        self._check_file()
        with self._failures():
            conn = self._first(self._begin_read)
            try:
                yield conn
            finally:
                conn.close()

    def run(
        self, conn: sa.Connection, text: str, params: Params | Sequence[Params] = ()
    ) -> sa.CursorResult[Any]:
        """Execute SQL text that both engines understand, once, or once per row of a list.

        `?` stands for a parameter and `IN ??` for one made by `array`; `FOR UPDATE …` ends a
        query and is left out on SQLite, which has one writer at a time anyhow. Text instead of
        expressions: SQLAlchemy takes longer to compile a statement than SQLite to run it.
        """
        return conn.exec_driver_sql(self._driver_sql(text), params)

    def write(self, text: str, params: Params) -> None:
        """A transaction of one statement, which must be safe to repeat. The quickest way in:
        one round trip on PostgreSQL, and on SQLite past the pool and SQLAlchemy, which take
        longer than SQLite does."""
        self._check_file()
        with self._failures(), self._my_turn():
            if self._writer is not None:
                self._writer.execute(self._driver_sql(text), params)
            else:
                self._first(self._driver_sql(text), params).close()

    def array(self, values: Collection[int] | Collection[str]) -> Any:
        """The parameter of `IN ??`: values of one type, any number of them."""
        return dumps(list(values)) if self.is_sqlite else list(values)

    def close(self) -> None:
        """Close the connections; transactions that still run in other threads end undisturbed."""
        if self._writer is not None:
            with self._my_turn():
                self._writer.close()
        self._engine.dispose()

    def _settle_on_file(self) -> None:
        path = Path(self.url_for_people)
        with self._failures():
            pooled = self._engine.raw_connection()
            pooled.detach()
            self._writer = cast("sqlite3.Connection", pooled.dbapi_connection)
        self._file = (path, path.stat().st_ino)

    def _check_file(self) -> None:
        """SQLite goes on in a file that was moved or deleted, where nobody finds it again."""
        if self._file is None:
            return
        path, inode = self._file
        try:
            found = path.stat().st_ino
        except OSError as exc:
            raise RetriableError(
                f"Cannot use the database {path}: {exc.strerror}. Put the file back, or stop "
                "Data Spoke to start with an empty one."
            ) from exc
        if found != inode:
            raise FatalError(
                f"Cannot use the database {path}: another file has taken its place. "
                "Start Data Spoke again."
            )

    def _first(self, statement: str, params: Params = ()) -> sa.Connection:
        """A connection on which `statement` has been executed. It is also the ping: if the
        server has closed the connection meanwhile, it is repeated on a new one."""
        for attempt in (1, 2):
            conn = self._engine.connect()
            try:
                conn.exec_driver_sql(statement, params)
            except DBAPIError as exc:
                conn.close()
                if attempt == 2 or not exc.connection_invalidated:
                    raise
            else:
                return conn
        raise AssertionError("unreachable")

    def _driver_sql(self, text: str) -> str:
        known = self._translated.get(text)
        if known is None:
            known = _sqlite_sql(text) if self.is_sqlite else _postgres_sql(text)
            self._translated[text] = known
        return known

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=self._wait_ms / 1000):
            raise RetriableError(
                f"Cannot write the database {self.url_for_people}: another thread has been "
                f"writing for {self._wait_ms} ms. Try again."
            )
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as exc:
            failure = failure_of(exc, self.url_for_people)
            if failure is None:
                raise
            raise failure from exc
        except PoolTimeoutError as exc:
            raise RetriableError(
                f"Cannot use the database {self.url_for_people}: all {POOL_SIZE} connections "
                "are busy. Try again."
            ) from exc

    def _prepare(self) -> None:
        if self.is_sqlite:
            self._switch_to_wal()
        with self.transaction() as conn:
            if not self.is_sqlite:
                self.run(conn, "SELECT pg_advisory_xact_lock(?)", (_SCHEMA_LOCK,))
            tables = sa.inspect(conn).get_table_names()
            if schema_table.name not in tables:
                if self.is_sqlite and tables:
                    raise FatalError(
                        f"Cannot use the database {self.url_for_people}: it belongs to another "
                        f"program (it has a table {tables[0]!r}). Set {SETTING} to another file."
                    )
                metadata.create_all(conn)
                conn.execute(schema_table.insert().values(version=SCHEMA_VERSION))
                conn.exec_driver_sql("INSERT INTO dataspoke_fencing (last_token) VALUES (0)")
                return
            # Writing nothing new shows now, not at the first event, if we may not write.
            conn.exec_driver_sql("UPDATE dataspoke_fencing SET last_token = last_token")
            version = conn.execute(sa.select(schema_table.c.version)).scalar()
            while version in UPGRADES:
                for statement in UPGRADES[version]:
                    conn.exec_driver_sql(statement)
                version += 1
                conn.execute(schema_table.update().values(version=version))
        if version != SCHEMA_VERSION:
            raise FatalError(
                f"Cannot use the database {self.url_for_people}: its tables are of version "
                f"{version} and this Data Spoke knows version {SCHEMA_VERSION}. Install the newer "
                f"version again (pip install --upgrade dataspoke), or set {SETTING} to another "
                "database."
            )

    def _switch_to_wal(self) -> None:
        """WAL is a lasting property of the file. The switch needs the file for itself for a
        moment and does not heed the busy timeout, so two first starts must take turns."""
        deadline = time.monotonic() + self._wait_ms / 1000
        while True:
            try:
                with self._failures(), self._engine.connect() as conn:
                    mode = conn.exec_driver_sql("PRAGMA journal_mode=WAL").scalar()
            except RetriableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                break
        if mode != "wal":
            raise FatalError(
                f"Cannot use the database {self.url_for_people}: its file system does not "
                f"support SQLite's write-ahead log. Set {SETTING} to a file on a local disk."
            )


def _sqlite_sql(text: str) -> str:
    return text.split(" FOR UPDATE")[0].replace("IN ??", "IN (SELECT value FROM json_each(?))")


def _postgres_sql(text: str) -> str:
    return text.replace("IN ??", "= ANY(?)").replace("?", "%s")
