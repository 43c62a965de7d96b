"""The search index: a second SQLite file that follows the change log.

It can be rebuilt at any time, so that writing metadata never waits for it: it follows in the
background, in every pause between two commits. What is left when somebody asks is caught up
with the question: what was acknowledged is always found.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from dataspoke.local_hub.documents import STRUCTURED, Document, document_of
from dataspoke.local_hub.mcl import VERSIONED_TOPIC
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.store import Store

logger = logging.getLogger(__name__)

_VERSION = 3
# Entities per transaction: while somebody waits for the answer, and in the background.
_BATCH, _TURN = 500, 50
# Seconds without a commit after which nobody writes: longer than a large request takes. Under a
# stream of writes without a pause the index stays behind: it would slow them down to half.
_QUIET_SECONDS = 0.1
# Words of a name weigh more than those of a description.
NAME_WEIGHT, TEXT_WEIGHT = 10.0, 1.0

_SCHEMA = """
CREATE TABLE doc (
    id INTEGER PRIMARY KEY,
    urn TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    removed INTEGER NOT NULL,
    fields TEXT NOT NULL
);
CREATE INDEX doc_by_type ON doc (type, urn);
CREATE TABLE field_name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE field (
    name INTEGER NOT NULL,
    value TEXT NOT NULL COLLATE NOCASE,
    doc INTEGER NOT NULL,
    PRIMARY KEY (name, value, doc)
) WITHOUT ROWID;
CREATE INDEX field_by_doc ON field (doc);
CREATE VIRTUAL TABLE words USING fts5 (name, text, tokenize = "unicode61 separators '_'");
CREATE TABLE edge (
    owner INTEGER NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    aspect TEXT NOT NULL,
    via TEXT
);
CREATE INDEX edge_by_owner ON edge (owner);
CREATE INDEX edge_by_source ON edge (source, kind, destination);
CREATE INDEX edge_by_destination ON edge (destination, kind, source);
CREATE TABLE state (cursor INTEGER NOT NULL);
INSERT INTO state VALUES (-1);
"""


class SearchStore:
    """The index of one hub. `reader` gives connections that see everything acknowledged."""

    def __init__(self, folder: Path, registry: Registry, store: Store) -> None:
        self._path = folder / "index.db"
        self._registry = registry
        self._store = store
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._news = threading.Event()
        self._connection = self._open()
        self._cursor = int(self._connection.execute("SELECT cursor FROM state").fetchone()[0])
        self._fields = {
            name: number
            for number, name in self._connection.execute("SELECT id, name FROM field_name")
        }
        self._unfollow = store.add_listener(self._news.set)
        self._follower = threading.Thread(target=self._follow, name="hub-index", daemon=True)
        self._follower.start()

    def close(self) -> None:
        """Stop following. What is not indexed yet is at the next start."""
        self._unfollow()
        self._stop.set()
        self._news.set()
        self._follower.join()
        with self._guard:
            self._connection.close()

    @contextmanager
    def reader(
        self, functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> Iterator[sqlite3.Connection]:
        """A connection to an index that has caught up; its statements may call `functions`."""
        self.catch_up()
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)
        try:
            for name, function in (functions or {}).items():
                connection.create_function(name, -1, function, deterministic=True)
            yield connection
        finally:
            connection.close()

    @property
    def cursor(self) -> int:
        """Offset of the last event that the index has taken in; -1 when it is being built."""
        return self._cursor

    def field_number(self, name: str) -> int | None:
        """The number of a field that has index rows, or None."""
        return self._fields.get(name)

    def structured_fields(self, name: str) -> list[str]:
        """Fields of structured properties that are `name` but for dots written as `_`."""
        wanted = name.removeprefix(STRUCTURED).replace(".", "_")
        return [
            known
            for known in tuple(self._fields)
            if known.startswith(STRUCTURED)
            and known.removeprefix(STRUCTURED).replace(".", "_") == wanted
        ]

    def catch_up(self) -> None:
        """Index everything that was committed before this call."""
        target = self._store.last_offset()
        if self._cursor >= target:
            return
        with self._guard:
            while self._cursor < target and not self._stop.is_set():
                self._index_next(target)

    def _follow(self) -> None:
        self._news.set()  # what was left over at the last end
        while not self._stop.is_set():
            self._news.wait()
            self._news.clear()
            try:
                while self._cursor < self._store.last_offset() and not self._stop.is_set():
                    self._take_turn()
            except sqlite3.Error:
                logger.exception("Cannot update the search index; it is tried again")
                self._news.set()

    def _take_turn(self) -> None:
        """Index a few entities, unless somebody writes: the writers go first."""
        before = self._store.last_offset()
        self._stop.wait(_QUIET_SECONDS)
        with self._guard:
            if self._cursor < before == self._store.last_offset():
                self._index_next(before, _TURN)

    def _index_next(self, target: int, most: int = _BATCH) -> None:
        """Index at most so many entities and move the cursor with them."""
        if self._cursor < 0:
            self._index_all(target)
            return
        upper, urns = self._changed(target, most)
        self._write(urns, upper)

    def _changed(self, target: int, most: int) -> tuple[int, list[str]]:
        """Entities of the next events, and the offset up to which these are all."""
        rows = (
            self._store.reader()
            .execute(
                "SELECT offset, key FROM events WHERE offset > ? AND offset <= ? AND topic = ? "
                "ORDER BY offset LIMIT ?",
                (self._cursor, target, VERSIONED_TOPIC, 10 * most),
            )
            .fetchall()
        )
        upper, urns = target, dict[str, None]()
        for offset, urn in rows:
            if urn not in urns and len(urns) == most:
                return upper, list(urns)
            urns[urn] = None
            upper = offset
        return (upper if len(rows) == 10 * most else target), list(urns)

    def _index_all(self, target: int) -> None:
        """Build the index of a database that has no index, or lost it."""
        last = ""
        while not self._stop.is_set():
            rows = self._store.reader().execute(
                "SELECT urn FROM entity WHERE urn > ? ORDER BY urn LIMIT ?", (last, _BATCH)
            )
            urns = [row[0] for row in rows]
            if not urns:
                self._write([], target)
                return
            self._write(urns, -1)
            last = urns[-1]

    def _write(self, urns: Sequence[str], cursor: int) -> None:
        found = self._store.aspects(urns)
        documents = []
        for urn, aspects in found.items():
            spec = self._registry.entity_of(urn)
            values = {name: orjson.loads(row.value) for name, row in aspects.items()}
            documents.append(document_of(spec, urn, values))
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._remove(connection, urns)
            self._add(connection, documents)
            connection.execute("UPDATE state SET cursor = ?", (cursor,))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        self._cursor = cursor

    def _remove(self, connection: sqlite3.Connection, urns: Iterable[str]) -> None:
        rows = connection.execute(
            "SELECT doc.id FROM json_each(?) w CROSS JOIN doc ON doc.urn = w.value",
            (orjson.dumps(list(urns)).decode(),),
        ).fetchall()
        connection.executemany("DELETE FROM field WHERE doc = ?", rows)
        connection.executemany("DELETE FROM edge WHERE owner = ?", rows)
        connection.executemany("DELETE FROM words WHERE rowid = ?", rows)
        connection.executemany("DELETE FROM doc WHERE id = ?", rows)

    def _add(self, connection: sqlite3.Connection, documents: Sequence[Document]) -> None:
        first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM doc").fetchone()[0]
        docs, words = [], []
        fields: list[tuple[int, str, int]] = []
        edges: list[tuple[int, str, str, str, str, str | None]] = []
        for number, document in enumerate(documents, first):
            docs.append(
                (
                    number,
                    document.urn,
                    document.entity_type,
                    document.removed,
                    orjson.dumps(document.fields).decode(),
                )
            )
            for name in document.filters:
                key = self._number_of(connection, name)
                fields.extend((key, value, number) for value in document.fields.get(name, ()))
            words.append((number, "\n".join(document.names), "\n".join(document.texts)))
            edges.extend(
                (number, edge.source, edge.kind, edge.destination, edge.aspect, edge.via)
                for edge in document.edges
            )
        connection.executemany("INSERT INTO doc VALUES (?, ?, ?, ?, ?)", docs)
        connection.executemany("INSERT OR IGNORE INTO field VALUES (?, ?, ?)", fields)
        connection.executemany("INSERT INTO words (rowid, name, text) VALUES (?, ?, ?)", words)
        connection.executemany("INSERT INTO edge VALUES (?, ?, ?, ?, ?, ?)", edges)

    def _number_of(self, connection: sqlite3.Connection, name: str) -> int:
        number = self._fields.get(name)
        if number is None:
            connection.execute("INSERT OR IGNORE INTO field_name (name) VALUES (?)", (name,))
            found = connection.execute("SELECT id FROM field_name WHERE name = ?", (name,))
            number = self._fields[name] = int(found.fetchone()[0])
        return number

    def _open(self) -> sqlite3.Connection:
        """Open the index; one that is damaged, older or ahead of the store is built anew."""
        try:
            connection = self._connect()
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == _VERSION:
                cursor = connection.execute("SELECT cursor FROM state").fetchone()[0]
                if cursor <= self._store.last_offset():
                    return connection
            elif version == 0:
                return _create(connection)
            connection.close()
        except sqlite3.DatabaseError:
            logger.warning("The search index %s is damaged; it is built anew", self._path)
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        return _create(self._connect())

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=30
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -16384")
        return connection


def _create(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={_VERSION};COMMIT;")
    return connection
