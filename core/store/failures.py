"""What a driver's error means for us: wait, repair, or correct the settings."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from dataspoke.core.errors import ConfigError, DataSpokeError, FatalError, RetriableError

SETTING = "DATASPOKE_DATABASE_URL"

# Classes of SQLSTATE: connection, transaction rollback, resources, lock not available, operator
# intervention, system error; 25006 is a server that has become a read-only replica.
_PG_AWAY = ("08", "40", "53", "55P03", "57", "58", "25006")
# libpq gives no SQLSTATE for a refused login, only the server's text.
_PG_REFUSED = ("authentication failed", "no password supplied", "does not exist", "permission")


def failure_of(exc: DBAPIError | sqlite3.Error, where: str) -> DataSpokeError | None:
    """Our error for a driver's error; None if it is a fault of ours in the SQL.

    `where` names the database for people and holds no password.
    """
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    if isinstance(cause, sqlite3.Error):
        return _sqlite_failure(cause, where)
    assert isinstance(exc, DBAPIError)
    return _postgres_failure(exc, where)


def _sqlite_failure(cause: sqlite3.Error, where: str) -> DataSpokeError | None:
    name = getattr(cause, "sqlite_errorname", "")
    if "no such table: dataspoke_" in str(cause):
        return _tables_gone(where)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        return RetriableError(
            f"Cannot use the database {where}: another process keeps it locked. "
            "Wait, or stop the program that holds it open for writing."
        )
    if name.startswith("SQLITE_FULL"):
        return RetriableError(
            f"Cannot write the database {where}: the disk is full. Free some space."
        )
    if name.startswith("SQLITE_NOTADB"):
        return FatalError(
            f"Cannot open the database {where}: the file is no SQLite database. "
            f"Move it away, or set {SETTING} to another file."
        )
    if name.startswith("SQLITE_CORRUPT"):
        return FatalError(
            f"Cannot use the database {where}: the file is damaged. Stop Data Spoke and restore "
            "the file from a backup, or move it away and run: dataspoke index reconcile"
        )
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return FatalError(
            f"Cannot write the database {where}: {cause}. Give this user the right to write "
            f"the file and its folder, or set {SETTING} to another file."
        )
    if name.startswith("SQLITE_IOERR"):
        return RetriableError(
            f"Cannot use the database {where}: the disk fails ({cause}, {name}). Check the disk."
        )
    return None


def _postgres_failure(exc: DBAPIError, where: str) -> DataSpokeError | None:
    cause = exc.orig
    state = getattr(cause, "sqlstate", None)
    reason = _first_line(cause)
    if state == "42P01" and "dataspoke_" in reason:
        return _tables_gone(where)
    if state == "42501":
        return ConfigError(
            f"Cannot use the database {where}: {reason}. "
            f"Grant the user of {SETTING} the right to create and write tables."
        )
    if state is None and any(text in reason for text in _PG_REFUSED):
        return ConfigError(
            f"Cannot log in to the database {where}: {reason}. "
            f"Correct user, password and database name in {SETTING}."
        )
    if exc.connection_invalidated or (state is None and _is_operational(cause)):
        return RetriableError(
            f"Cannot reach the database {where}: {reason}. Start PostgreSQL, or correct {SETTING}."
        )
    if state is not None and state.startswith(_PG_AWAY):
        return RetriableError(f"Cannot use the database {where}: {reason}. Try again.")
    return None


def _tables_gone(where: str) -> FatalError:
    return FatalError(
        f"Cannot use the database {where}: its tables were removed while it was in use. "
        "Start Data Spoke again, which makes them anew, and run: dataspoke index reconcile"
    )


def _is_operational(cause: BaseException | None) -> bool:
    return type(cause).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}


def _first_line(cause: BaseException | None) -> str:
    lines = str(cause).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(cause).__name__
