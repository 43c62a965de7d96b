"""What vector sync is made of, opened in the order in which mistakes are cheapest to tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dataspoke.actions.vector_sync.engine import Limits, SyncEngine
from dataspoke.actions.vector_sync.guard import RemovalGuard
from dataspoke.core.errors import AccessDeniedError, RetriableError
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.hub.reader import HubReader
from dataspoke.core.index.embedder import Embedder, load_embedder
from dataspoke.core.index.model import IndexSpec, IndexWriter
from dataspoke.core.index.open import open_writer
from dataspoke.core.index.remembering_embedder import RememberingEmbedder
from dataspoke.core.index.spec import spec_for
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database
from dataspoke.core.store.state import StateStore
from dataspoke.core.telemetry.metrics import SyncMetrics
from dataspoke.core.telemetry.outage import Outage, delay_s
from dataspoke.core.work.table import SqlWorkTable

T = TypeVar("T")
Pause = Callable[[float], object]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything open; `close()` once nobody uses it any more."""

    settings: Settings
    database: Database
    work: SqlWorkTable
    state: StateStore
    connection: HubConnection
    reader: HubReader
    embedder: Embedder
    spec: IndexSpec
    writer: IndexWriter

    def engine(
        self, *, max_removal_share: float, metrics: SyncMetrics, limits: Limits, name: str
    ) -> SyncEngine:
        return SyncEngine(
            self.work,
            self.reader,
            self.writer,
            self.embedder,
            clock=now_ms,
            guard=RemovalGuard(max_removal_share),
            metrics=metrics,
            limits=limits,
            name=name,
        )

    def close(self) -> None:
        self.connection.close()
        self.database.close()


def open_database(settings: Settings, *, name: str, pause: Pause | None) -> Database:
    return insist(lambda: Database.open(settings.database_url), name=name, pause=pause)


def open_parts(
    settings: Settings,
    *,
    name: str,
    pause: Pause | None,
    connection: HubConnection | None = None,
    database: Database | None = None,
) -> Parts:
    """Open database, model, DataHub and index.

    What is away is waited for with `pause` (seconds), or with None is an error at once; what
    is wrong (a token, a model, a damaged file) raises in both cases.
    """
    database = database or open_database(settings, name=name, pause=pause)
    embedder = RememberingEmbedder(load_embedder(settings.model))
    spec = spec_for(embedder)
    connection = connection or HubConnection.open(settings)
    insist(connection.check, name=name, pause=pause)
    return Parts(
        settings=settings,
        database=database,
        work=SqlWorkTable(database),
        state=StateStore(database),
        connection=connection,
        reader=HubReader(connection),
        embedder=embedder,
        spec=spec,
        writer=insist(lambda: open_writer(settings, spec, database), name=name, pause=pause),
    )


def insist(call: Callable[[], T], *, name: str, pause: Pause | None) -> T:
    """Do `call` until it does not raise RetriableError. A refusal (401, 403) raises at once."""
    outage = Outage(name)
    failures = 0
    while True:
        try:
            result = call()
        except AccessDeniedError:
            raise
        except RetriableError as exc:
            if pause is None:
                raise
            failures += 1
            outage.begin("start", exc)
            pause(delay_s(failures, exc))
        else:
            outage.over("start")
            return result
