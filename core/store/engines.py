"""From a URL to a SQLAlchemy engine that is set up as we need it; nothing is connected yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from dataspoke.core.errors import ConfigError, FatalError, MissingExtraError, require
from dataspoke.core.store.failures import SETTING

POOL_SIZE = 16


def engine_for(url: str, *, wait_ms: int) -> tuple[sa.Engine, str]:
    """The engine, and how to call its database in front of people (no password in it).

    Makes the folder of a SQLite file. Raises ConfigError, MissingExtraError or FatalError.
    """
    parsed = _supported_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, wait_ms), str(parsed.database)
    plain = parsed.set(drivername="postgresql")
    return _postgres_engine(parsed, wait_ms), plain.render_as_string(hide_password=True)


def _supported_url(text: str) -> URL:
    example = "sqlite:////var/lib/dataspoke/dataspoke.db or postgresql://user:password@host/name"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as exc:
        raise ConfigError(
            f"Cannot read {SETTING}: it is no database URL. Write it as {example}."
        ) from exc
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        if url.database in {None, "", ":memory:"}:
            raise ConfigError(
                f"Cannot use {SETTING}: it names no file, so nothing would outlive the process. "
                "Write it as sqlite:////var/lib/dataspoke/dataspoke.db."
            )
        path = Path(str(url.database)).expanduser().absolute()
        return url.set(drivername="sqlite", database=str(path))
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(
        f"Cannot use {SETTING}: {url.drivername!r} is not supported. Write it as {example}."
    )


def _sqlite_engine(url: URL, wait_ms: int) -> sa.Engine:
    synchronous = str(url.query.get("synchronous", "normal")).upper()
    if synchronous not in {"FULL", "NORMAL"} or set(url.query) - {"synchronous"}:
        raise ConfigError(
            f"Cannot use the options in {SETTING}: for SQLite there is only ?synchronous=normal "
            "(the default) or ?synchronous=full. Correct it."
        )
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        reason = "a file has this name" if isinstance(exc, FileExistsError) else exc.strerror
        raise FatalError(
            f"Cannot create the folder {folder} of the database: {reason}. "
            f"Set DATASPOKE_HOME to a folder that this user may write, or {SETTING} to another "
            "file."
        ) from exc
    engine = sa.create_engine(
        url.set(query={}),
        isolation_level="AUTOCOMMIT",  # we write BEGIN ourselves
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=wait_ms / 1000,
        connect_args={"timeout": wait_ms / 1000, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA synchronous={synchronous}")

    return engine


def _postgres_engine(url: URL, wait_ms: int) -> sa.Engine:
    try:
        require("psycopg", extra="postgres", purpose="use PostgreSQL")
    except MissingExtraError:
        raise
    except ImportError as exc:  # psycopg is there and finds no libpq
        raise MissingExtraError(
            "Cannot use PostgreSQL: the library 'psycopg' finds no libpq. "
            "Run: pip install 'dataspoke[postgres]'"
        ) from exc
    connect_args = {
        "connect_timeout": max(2, wait_ms // 1000),
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "application_name": "dataspoke",
    }
    return sa.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=wait_ms / 1000,
        connect_args={k: v for k, v in connect_args.items() if k not in url.query},
    )
