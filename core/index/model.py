"""The index port: what a vector index stores, answers and promises, whatever the engine.

A *point* is one entity. Its id is `point_id(urn)`; its payload carries the urn. Named dense
vectors and named sparse vectors are those of the `IndexSpec`. Two hashes tell what changed:
`content_hash` covers all that is embedded (texts and model), `payload_hash` the rest.

Every operation carries a `version`: the fencing token of the lease under which the entity
was read, rising over time. A writer ignores an operation older than what it already holds for
that urn, so that a worker that slept through its lease cannot put back an older state.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dataspoke.core.documents.model import SparseVector

Vector = NDArray[np.float32]
Payload = Mapping[str, Any]

_NAMESPACE = uuid.UUID("6b0f6f0e-6a0c-5e0b-9d8a-5f3c0e0d2a11")


def point_id(urn: str) -> str:
    """The id of an entity's point: a UUID that depends on the urn alone."""
    return str(uuid.uuid5(_NAMESPACE, urn))


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """What a collection must look like to hold these documents.

    `model_id` names embedder and document version: another id is another collection
    (blue/green). `dense` maps vector names to dimensions; distance is always cosine over
    unit vectors. `sparse` names the sparse vectors, all with the engine's IDF modifier.
    """

    model_id: str
    dense: Mapping[str, int]
    sparse: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hashes:
    """The two fingerprints of a point; equal hashes mean nothing to do.

    `source` is the fingerprint of what DataHub said when they were computed (`hub.trace`), empty
    where unknown: the same source makes the same hashes, another one may.
    """

    content_hash: str
    payload_hash: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class UpsertPoint:
    """Write the whole point."""

    urn: str
    hashes: Hashes
    dense: Mapping[str, Vector]
    sparse: Mapping[str, SparseVector]
    payload: Payload
    version: int


@dataclass(frozen=True, slots=True)
class SetPayload:
    """Replace the payload of a point and leave its vectors."""

    urn: str
    hashes: Hashes
    payload: Payload
    version: int


@dataclass(frozen=True, slots=True)
class DeletePoint:
    """Remove a point; nothing happens if it is not there."""

    urn: str
    version: int


IndexOp = UpsertPoint | SetPayload | DeletePoint

Operator = Literal["eq", "in", "prefix", "gte", "lte", "exists", "any"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One hard condition on a payload field.

    `eq` and `in` match when any element of a list field is among `values`; `prefix` when one
    starts with `values[0]`; `gte` / `lte` compare numbers; `exists` needs a non-empty field and is
    all that can be asked of free text and of lists of objects. `any` has no field: it holds when
    all conditions of one of its `groups` hold, so an empty group always does, and no group never.
    """

    field: str
    op: Operator
    values: tuple[str | int | float | bool, ...] = ()
    negated: bool = False
    groups: tuple[tuple[Condition, ...], ...] = ()

    @classmethod
    def any_of(cls, *groups: tuple[Condition, ...]) -> Condition:
        """One of the groups holds entirely."""
        return cls("", "any", groups=groups)


class Scored(NamedTuple):
    """One candidate, by its point's id: the score is comparable only within one query.

    Without the payload, which costs an engine as much as the search itself.
    """

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """A point as it is now; `payload` is None for what was deleted."""

    id: str
    version: int
    payload: Payload | None


@dataclass(frozen=True, slots=True)
class DenseQuery:
    """Nearest neighbours in the dense vector called `name`."""

    name: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class SparseQuery:
    """Best matches in the sparse vector called `name`, weighted by the engine's IDF."""

    name: str
    vector: SparseVector


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """For people and for health checks. `engine` is `edge`, `qdrant` or `outbox`."""

    engine: str
    location: str
    model_id: str
    points: int
    details: Mapping[str, Any] = field(default_factory=dict)


class IndexWriter(Protocol):
    """What vector sync and reconcile need. All methods are safe to repeat.

    Raises RetriableError when the engine is away, FatalError when its files are damaged.
    """

    def hashes(self, urns: Sequence[str]) -> dict[str, Hashes]:
        """The hashes of those urns that have a point (or a pending write); others are absent."""
        ...

    def apply(self, ops: Sequence[IndexOp]) -> None:
        """Apply the operations in order; durable when this returns."""
        ...

    def remember(self, hashes: Mapping[str, Hashes]) -> None:
        """Keep the source of those points that have exactly these hashes."""
        ...

    def urns(self, *, batch: int = 1000) -> Iterator[dict[str, Hashes]]:
        """Stream every point as batches of urn → hashes."""
        ...

    def referencing(self, urn: str, *, after: str | None, limit: int) -> list[str]:
        """A page of urns whose payload field `refs` holds `urn`, in rising order of urn."""
        ...

    def info(self) -> IndexInfo: ...


class VectorIndex(IndexWriter, Protocol):
    """A whole engine: what the search service needs on top."""

    def search(
        self,
        queries: Sequence[DenseQuery | SparseQuery],
        *,
        conditions: Sequence[Condition],
        limit: int,
    ) -> list[list[Scored]]:
        """One ranked list per query, all under the same hard conditions."""
        ...

    def matching(
        self,
        conditions: Sequence[Condition],
        *,
        limit: int,
        among: Sequence[str] | None = None,
    ) -> list[str]:
        """Up to `limit` ids of points under the conditions, rising; `among` names the only ids
        that may be in the answer."""
        ...

    def count(self, conditions: Sequence[Condition]) -> int: ...

    def get(self, urns: Iterable[str]) -> dict[str, Payload]:
        """The payloads of those urns that are there."""
        ...

    def fetch(self, ids: Sequence[str]) -> dict[str, Payload]:
        """The payloads of those points that are there, by id."""
        ...

    def stream(self, *, since: int | None = None) -> Iterator[list[StoredPoint]]:
        """Every point in batches, or those of a version of at least `since`, deleted ones
        included. Points written meanwhile may be left out."""
        ...

    def close(self) -> None: ...
