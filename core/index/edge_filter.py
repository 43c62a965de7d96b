"""Conditions in the embedded engine's own words; `qdrant_filter.py` says the same to a server."""

from __future__ import annotations

from collections.abc import Sequence

import qdrant_edge as edge

from dataspoke.core.errors import ConfigError
from dataspoke.core.index.model import Condition
from dataspoke.core.index.points import flag
from dataspoke.core.index.spec import FLAGS_FIELD, LIVE_FIELD

Part = edge.FieldCondition | edge.Filter


def edge_filter(conditions: Sequence[Condition]) -> edge.Filter:
    """All conditions at once, over points that are there (no tombstones)."""
    must: list[Part] = [edge.FieldCondition(LIVE_FIELD, match=edge.MatchValue(1))]
    must_not: list[Part] = []
    for condition in conditions:
        (must_not if condition.negated else must).append(_part(condition))
    return edge.Filter(must=list(must), must_not=list(must_not))


def _part(condition: Condition) -> Part:
    field, values = condition.field, condition.values
    if condition.op == "exists":
        # `except` looks for an element that is not the empty string: null, [] and "" have none.
        return edge.FieldCondition(field, match=edge.MatchExcept([""]))
    if condition.op in ("eq", "in"):
        return edge.Filter(should=list(_any_of(field, values)))
    if len(values) != 1:
        raise ConfigError(f"Cannot filter {field!r} by {condition.op!r}: give exactly one value.")
    value = values[0]
    if condition.op == "prefix":
        return edge.FieldCondition(field, match=edge.MatchPrefix(str(value)))
    if isinstance(value, str | bool):
        raise ConfigError(
            f"Cannot filter {field!r} by {condition.op!r}: {value!r} is no number. "
            "Dates are UTC milliseconds."
        )
    if condition.op == "gte":
        return edge.FieldCondition(field, range=edge.RangeFloat(gte=float(value)))
    return edge.FieldCondition(field, range=edge.RangeFloat(lte=float(value)))


def _any_of(field: str, values: Sequence[str | int | float | bool]) -> list[Part]:
    parts: list[Part] = []
    if words := [value for value in values if isinstance(value, str)]:
        parts.append(edge.FieldCondition(field, match=edge.MatchAny(words)))
    for value in values:
        if isinstance(value, bool):
            flags = edge.MatchAny([flag(field, value)])
            parts.append(edge.FieldCondition(FLAGS_FIELD, match=flags))
        elif isinstance(value, int | float):
            number = float(value)
            parts.append(edge.FieldCondition(field, range=edge.RangeFloat(gte=number, lte=number)))
    if not parts:
        # Among no values is nothing: an empty `should` would match all.
        parts.append(edge.FieldCondition(field, match=edge.MatchAny([])))
    return parts
