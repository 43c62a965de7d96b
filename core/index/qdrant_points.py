"""Points, filters and vectors in the words of a Qdrant server's API; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qdrant_client import models

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.index.conditions import AnyFact, Check, FactPrefix, InRange, checks_of
from dataspoke.core.index.model import (
    Condition,
    DeletePoint,
    DenseQuery,
    Hashes,
    SetPayload,
    SparseQuery,
    UpsertPoint,
    Vector,
    point_id,
)
from dataspoke.core.index.points import DEAD_FACT, LIVE_FACT, stored_payload, tombstone_payload
from dataspoke.core.index.spec import FACTS_FIELD, SOURCE_FIELD, VERSION_FIELD


def to_point(op: UpsertPoint | DeletePoint) -> models.PointStruct:
    if isinstance(op, DeletePoint):
        return models.PointStruct(id=point_id(op.urn), vector={}, payload=tombstone_payload(op))
    vectors: dict[str, Any] = {name: to_vector(vector) for name, vector in op.dense.items()}
    vectors |= {name: to_vector(vector) for name, vector in op.sparse.items() if vector.indices}
    payload = stored_payload(op, as_text=False)
    return models.PointStruct(id=point_id(op.urn), vector=vectors, payload=payload)


def to_overwrite(op: SetPayload) -> models.UpdateOperation:
    """Replace the payload, unless the point is newer or gone by now."""
    condition = models.Filter(
        must=[
            models.HasIdCondition(has_id=[point_id(op.urn)]),
            to_condition(AnyFact((LIVE_FACT,))),
            not_newer_than(op.version),
        ]
    )
    body = models.SetPayload(payload=stored_payload(op, as_text=False), filter=condition)
    return models.OverwritePayloadOperation(overwrite_payload=body)


def to_source(urn: str, hashes: Hashes) -> models.UpdateOperation:
    """Keep the source beside the point, as long as it has these very hashes."""
    condition = models.Filter(
        must=[
            models.HasIdCondition(has_id=[point_id(urn)]),
            _equals("content_hash", hashes.content_hash),
            _equals("payload_hash", hashes.payload_hash),
        ]
    )
    body = models.SetPayload(payload={SOURCE_FIELD: hashes.source}, filter=condition)
    return models.SetPayloadOperation(set_payload=body)


def _equals(field: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))


def not_newer_than(version: int) -> models.Filter:
    held = models.FieldCondition(key=VERSION_FIELD, range=models.Range(lte=version))
    return models.Filter(must=[held])


def to_filter(
    conditions: Sequence[Condition], *, among: Sequence[str] | None = None
) -> models.Filter:
    """All conditions at once, over points that are there (no tombstones)."""
    must: list[models.Condition] = [to_condition(AnyFact((LIVE_FACT,)))]
    if among is not None:
        must.append(models.HasIdCondition(has_id=list(among)))
    must_not: list[models.Condition] = []
    for condition in conditions:
        options: list[models.Condition]
        if condition.op == "any":
            options = [to_filter(group) for group in condition.groups]
        else:
            options = [to_condition(check) for check in checks_of(condition)]
        # An empty `should` would match everything, an empty list of facts matches nothing.
        any_of = models.Filter(should=options or [to_condition(AnyFact(()))])
        (must_not if condition.negated else must).append(any_of)
    return models.Filter(must=must, must_not=must_not or None)


def to_condition(check: Check) -> models.FieldCondition:
    match check:
        case AnyFact(facts):
            return models.FieldCondition(key=FACTS_FIELD, match=models.MatchAny(any=list(facts)))
        case FactPrefix(prefix):
            return models.FieldCondition(key=FACTS_FIELD, match=models.MatchPrefix(prefix=prefix))
        case InRange(field, low, high):
            return models.FieldCondition(key=field, range=models.Range(gte=low, lte=high))


def to_vector(vector: Vector | SparseVector) -> list[float] | models.SparseVector:
    if isinstance(vector, SparseVector):
        return models.SparseVector(indices=list(vector.indices), values=list(vector.values))
    numbers: list[float] = vector.tolist()
    return numbers


def to_request(
    query: DenseQuery | SparseQuery, condition: models.Filter | None, limit: int
) -> models.QueryRequest:
    return models.QueryRequest(
        query=to_vector(query.vector),
        using=query.name,
        filter=condition,
        limit=limit,
        with_payload=False,
    )


def written_since(version: int) -> models.Filter:
    """Points and tombstones of at least that version."""
    held = models.FieldCondition(key=VERSION_FIELD, range=models.Range(gte=version))
    return models.Filter(must=[held])


def old_tombstones(before: int) -> models.Filter:
    """Tombstones with a version below `before`."""
    held = models.FieldCondition(key=VERSION_FIELD, range=models.Range(lt=before))
    return models.Filter(must=[to_condition(AnyFact((DEAD_FACT,))), held])
