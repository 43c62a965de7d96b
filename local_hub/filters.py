"""Filters as GMS takes them: an OR of ANDs of ``{field, condition, values, negated}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataspoke.local_hub.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition on one field. `values` are texts; any of them may match."""

    field: str
    condition: str = "EQUAL"
    values: tuple[str, ...] = ()
    negated: bool = False


# An OR of ANDs; empty means no condition.
Groups = tuple[tuple[Criterion, ...], ...]


def criteria(raw: Any) -> Groups:
    """Read the `orFilters` of GraphQL, the `or` or `criteria` of rest.li. Raises BadRequest."""
    if raw is None:
        return ()
    if isinstance(raw, Mapping):
        raw = raw.get("or") or ([{"and": raw["criteria"]}] if raw.get("criteria") else [])
    return tuple(
        tuple(_read(item) for item in _listed(group.get("and"))) for group in _objects(raw)
    )


def groups_of(raw: Any) -> Groups:
    """The filter of the OpenAPI: ``{"and": [{"criteria": […]}]}``, whose `and` is an OR.

    The forms of the other protocols are read too. Raises BadRequest.
    """
    if isinstance(raw, Mapping) and raw.get("and") is not None:
        raw = [
            {"and": group["criteria"]} if "criteria" in group else {"and": [group]}
            for group in _objects(raw["and"])
        ]
    return criteria(raw)


def _objects(raw: Any) -> list[Mapping[str, Any]]:
    if not isinstance(raw, list) or not all(isinstance(item, Mapping) for item in raw):
        raise BadRequest("Cannot read the filter: expected a list of AND groups")
    return raw


def _listed(raw: Any) -> list[Any]:
    if raw is not None and not isinstance(raw, list):
        raise BadRequest("Cannot read the filter: expected a list of criteria")
    return raw or []


def _read(raw: Any) -> Criterion:
    name = raw.get("field") if isinstance(raw, Mapping) else None
    if not isinstance(name, str):
        raise BadRequest("Cannot read the filter: a criterion has no field")
    values = _listed(raw.get("values"))
    if not values and raw.get("value") is not None:
        values = [raw["value"]]
    return Criterion(
        name,
        str(raw.get("condition") or "EQUAL"),
        tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values),
        bool(raw.get("negated")),
    )
