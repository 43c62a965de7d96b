"""A catalogue in memory, a work table and an outbox in SQLite, and an engine between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dataspoke.actions.vector_sync.engine import Limits, SyncEngine
from dataspoke.actions.vector_sync.guard import RemovalGuard
from dataspoke.core.entities import EntitySnapshot
from dataspoke.core.errors import SkippableError
from dataspoke.core.hub.aspects import references_of
from dataspoke.core.hub.reader import Known, ReadResult
from dataspoke.core.index.hash_embedder import HashEmbedder
from dataspoke.core.index.model import Vector
from dataspoke.core.index.outbox import OutboxIndex
from dataspoke.core.index.spec import spec_for
from dataspoke.core.store.database import Database
from dataspoke.core.store.state import StateStore
from dataspoke.core.telemetry.metrics import SyncMetrics
from dataspoke.core.urns import entity_type_of, last_part
from dataspoke.core.work.table import SqlWorkTable


def dataset(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,{name},PROD)"


@dataclass
class Catalogue:
    """What DataHub knows. `away` is raised by every call; `silent` urns are in no answer."""

    snapshots: dict[str, EntitySnapshot] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    bad: dict[str, SkippableError] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    away: Exception | None = None
    reads: int = 0
    unseen: str = ""

    def put(self, urn: str, **fields: object) -> None:
        made = EntitySnapshot(urn=urn, entity_type=entity_type_of(urn), name=last_part(urn))
        self.snapshots[urn] = replace(made, **fields)  # type: ignore[arg-type]

    def change(self, urn: str, **fields: object) -> None:
        self.snapshots[urn] = replace(self.snapshots[urn], **fields)  # type: ignore[arg-type]

    def read(self, urns: Sequence[str], *, known: Known | None = None) -> ReadResult:
        if self.away:
            raise self.away
        self.reads += 1
        result = ReadResult()
        for urn in urns:
            if urn in self.bad:
                result.bad[urn] = self.bad[urn]
            elif urn in self.snapshots and urn not in self.silent:
                found = self.snapshots[urn]
                names = {ref: self.names[ref] for ref in references_of(found) if ref in self.names}
                found = replace(found, names=names)
                if known is not None:
                    result.sources[urn] = f"{known.salt} {found} {self.unseen}"
                    if known.sources([urn]).get(urn) == result.sources[urn]:
                        result.same.append(urn)
                        continue
                result.found[urn] = found
            else:
                result.absent.append(urn)
        return result

    def exists(self, urn: str) -> bool:
        if self.away:
            raise self.away
        return urn in self.snapshots

    def list_urns(self, entity_type: str, *, start: int, count: int) -> list[str]:
        if self.away:
            raise self.away
        urns = sorted(urn for urn in self.snapshots if entity_type_of(urn) == entity_type)
        return urns[start : start + count]


@dataclass
class Clock:
    """Milliseconds that move only when told to."""

    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, ms: int) -> None:
        self.now += ms


class CountingEmbedder(HashEmbedder):
    """The fast embedder, remembering what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> Vector:
        self.turns.append(list(texts))
        return super().embed(texts)

    @property
    def texts(self) -> int:
        return sum(len(turn) for turn in self.turns)


@dataclass
class Room:
    """Everything a test of the engine touches."""

    database: Database
    work: SqlWorkTable
    state: StateStore
    index: OutboxIndex
    catalogue: Catalogue
    embedder: CountingEmbedder
    clock: Clock
    metrics: SyncMetrics
    engine: SyncEngine

    def new_engine(self, *, max_share: float = 0.3, limits: Limits | None = None) -> SyncEngine:
        return SyncEngine(
            self.work,
            self.catalogue,
            self.index,
            self.embedder,
            clock=self.clock,
            guard=RemovalGuard(max_share),
            metrics=self.metrics,
            limits=limits or Limits(batch=50),
        )

    def settle(self) -> None:
        """Work until nothing is ready."""
        while self.engine.run_once():
            pass

    def indexed(self) -> set[str]:
        return {urn for batch in self.index.urns() for urn in batch}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    database = Database.open(f"sqlite:///{tmp_path / 'work.db'}")
    embedder = CountingEmbedder()
    made = Room(
        database=database,
        work=SqlWorkTable(database),
        state=StateStore(database),
        index=OutboxIndex(database, spec_for(embedder)),
        catalogue=Catalogue(),
        embedder=embedder,
        clock=Clock(),
        metrics=SyncMetrics(),
        engine=None,  # type: ignore[arg-type]
    )
    made.engine = made.new_engine()
    yield made
    made.engine.close()
    database.close()
