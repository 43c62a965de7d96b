"""Which engine, from the settings: the one place where that is decided."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dataspoke.core.errors import require
from dataspoke.core.index.model import IndexSpec, IndexWriter, VectorIndex
from dataspoke.core.settings import Settings

if TYPE_CHECKING:
    from dataspoke.core.store.database import Database


def open_writer(settings: Settings, spec: IndexSpec, database: Database) -> IndexWriter:
    """The index as a process sees it that does not own the embedded one.

    With DATASPOKE_QDRANT_URL it writes to that server, else to the outbox in the database,
    which the owner of the embedded index drains.
    """
    if settings.qdrant_url:
        return _open_server(settings, spec)
    from dataspoke.core.index.outbox import OutboxIndex

    return OutboxIndex(database, spec)


def open_owner(settings: Settings, spec: IndexSpec) -> VectorIndex:
    """The whole index: the server, or the embedded engine, locked by this process.

    Raises FatalError if another process owns the embedded index or its files are damaged,
    RetriableError if the server is away, MissingExtraError without the engine's library.
    """
    if settings.qdrant_url:
        return _open_server(settings, spec)
    require("qdrant_edge", extra="search", purpose="open the embedded index")
    require("filelock", extra="search", purpose="lock the embedded index")
    from dataspoke.core.index.edge import EdgeIndex

    return EdgeIndex.open(settings.index_dir, spec, now_ms=_now_ms())


def _open_server(settings: Settings, spec: IndexSpec) -> VectorIndex:
    require("qdrant_client", extra="qdrant", purpose="use the Qdrant server")
    from dataspoke.core.index.qdrant import QdrantIndex

    assert settings.qdrant_url is not None
    return QdrantIndex.open(
        settings.qdrant_url, spec, api_key=settings.qdrant_api_key, now_ms=_now_ms()
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
