"""Points, filters and vectors in the words of the embedded engine; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import qdrant_edge as edge

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.index.conditions import AnyFact, Check, FactPrefix, InRange, checks_of
from dataspoke.core.index.model import (
    Condition,
    DeletePoint,
    DenseQuery,
    SparseQuery,
    UpsertPoint,
    Vector,
    point_id,
)
from dataspoke.core.index.points import DEAD_FACT, LIVE_FACT, stored_payload, tombstone_payload
from dataspoke.core.index.spec import FACTS_FIELD, VERSION_FIELD


def to_filter(
    conditions: Sequence[Condition], *, among: Sequence[str] | None = None
) -> edge.Filter:
    """All conditions at once, over points that are there (no tombstones)."""
    must: list[edge.FieldCondition | edge.Filter | edge.HasIdCondition] = [
        to_condition(AnyFact((LIVE_FACT,)))
    ]
    if among is not None:
        must.append(edge.HasIdCondition(set(among)))
    must_not: list[edge.FieldCondition | edge.Filter] = []
    for condition in conditions:
        # An empty `should` would match everything, an empty list of facts matches nothing.
        any_of = edge.Filter(should=[*_options(condition)] or [to_condition(AnyFact(()))])
        (must_not if condition.negated else must).append(any_of)
    return edge.Filter(must=list(must), must_not=list(must_not))


def _options(condition: Condition) -> Iterator[edge.FieldCondition | edge.Filter]:
    if condition.op == "any":
        yield from map(to_filter, condition.groups)
    else:
        yield from map(to_condition, checks_of(condition))


def to_condition(check: Check) -> edge.FieldCondition:
    match check:
        case AnyFact(facts):
            return edge.FieldCondition(FACTS_FIELD, match=edge.MatchAny(list(facts)))
        case FactPrefix(prefix):
            return edge.FieldCondition(FACTS_FIELD, match=edge.MatchPrefix(prefix))
        case InRange(field, low, high):
            return edge.FieldCondition(field, range=edge.RangeFloat(gte=low, lte=high))


def to_point(op: UpsertPoint | DeletePoint) -> edge.Point:
    if isinstance(op, DeletePoint):
        return edge.Point(point_id(op.urn), {}, tombstone_payload(op))
    vectors: dict[str, Any] = {name: _dense(vector) for name, vector in op.dense.items()}
    vectors |= {name: _sparse(vector) for name, vector in op.sparse.items() if vector.indices}
    return edge.Point(point_id(op.urn), vectors, stored_payload(op, as_text=True))


def to_request(
    query: DenseQuery | SparseQuery, condition: edge.Filter | None, limit: int
) -> edge.QueryRequest:
    vector = _dense(query.vector) if isinstance(query, DenseQuery) else _sparse(query.vector)
    return edge.QueryRequest(
        limit=limit,
        query=edge.Query.Nearest(vector, using=query.name),
        filter=condition,
        with_payload=False,
    )


def _dense(vector: Vector) -> list[float]:
    numbers: list[float] = vector.tolist()
    return numbers


def _sparse(vector: SparseVector) -> edge.SparseVector:
    return edge.SparseVector(list(vector.indices), list(vector.values))


def written_since(version: int) -> edge.Filter:
    """Points and tombstones of at least that version."""
    held = edge.FieldCondition(VERSION_FIELD, range=edge.RangeFloat(gte=float(version)))
    return edge.Filter(must=[held])


def old_tombstones(before: int) -> edge.Filter:
    """Tombstones with a version below `before`."""
    held = edge.FieldCondition(VERSION_FIELD, range=edge.RangeFloat(lt=float(before)))
    return edge.Filter(must=[to_condition(AnyFact((DEAD_FACT,))), held])
