"""The hub's database file: opening, locking and creating it."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from dataspoke.core.errors import FatalError
from dataspoke.local_hub.schema import LATER_INDEXES, SCHEMA, SCHEMA_VERSION

_READER_CACHE_KIB = 4 * 1024


def lock_folder(folder: Path) -> IO[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "hub.lock").open("w")
    except OSError as exc:
        raise FatalError(
            f"Cannot write the hub's folder {folder}: {exc.strerror or exc}. Choose a folder with "
            "--home that this user may write."
        ) from exc
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        lock.close()
        raise FatalError(
            f"Cannot open the hub's folder {folder}: another hub is using it. Stop that one, or "
            "choose another folder with --home."
        ) from exc
    return lock


def connect(path: Path, cache_kib: int = _READER_CACHE_KIB) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    # A commit is in the log, that is, with the operating system, before anybody is answered: a
    # killed process loses nothing. Only a crash of the machine may cost the last commits.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def prepare(
    connection: sqlite3.Connection, folder: Path, aspect_names: Iterable[str]
) -> dict[str, int]:
    """Create the tables in a new database; give every aspect of the registry its number."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        connection.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
    elif version != SCHEMA_VERSION:
        raise FatalError(
            f"Cannot open the hub's folder {folder}: its database has version {version}, this "
            f"program reads version {SCHEMA_VERSION}. Choose another folder with --home."
        )
    connection.executescript(LATER_INDEXES)
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "INSERT OR IGNORE INTO aspect_name (name) VALUES (?)", [(name,) for name in aspect_names]
    )
    numbers = {row[1]: row[0] for row in connection.execute("SELECT id, name FROM aspect_name")}
    connection.execute("COMMIT")
    return numbers
