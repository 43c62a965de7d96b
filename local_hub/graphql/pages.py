"""Lists of entities as GraphQL pages them: `start`, `count`, `total`, and the entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataspoke.local_hub.filters import Criterion, Groups
from dataspoke.local_hub.graphql.room import Arguments, Context
from dataspoke.local_hub.search import Query

DEFAULT_COUNT = 20


def page(
    context: Context,
    kind: str,
    name: str,
    given: Arguments,
    *,
    groups: Groups = (),
    sort: Sequence[tuple[str, bool]] = (),
    default: int = DEFAULT_COUNT,
) -> dict[str, Any]:
    """A page of the entities of type `kind`, under `name`, as `given` asks.

    `given` may have `start`, `count` (`default` if absent) and a `query` text; `sort` is of
    (field, descending).
    """
    start, count = given.get("start") or 0, given.get("count")
    count = default if count is None else count
    query = Query(given.get("query") or "*", (kind,), groups, sort=tuple(sort))
    found = context.search.find(query, start, count)
    return {
        "start": start,
        "count": count,
        "total": found.total,
        name: context.loader.many(hit.urn for hit in found.hits),
    }


def every(**fields: str | Sequence[str] | None) -> Groups:
    """One group: each field that is given has (one of) its values.

    >>> every(state="ACTIVE", stage=None)
    ((Criterion(field='state', condition='EQUAL', values=('ACTIVE',), negated=False),),)
    """
    return (
        tuple(
            Criterion(name, values=(value,) if isinstance(value, str) else tuple(value))
            for name, value in fields.items()
            if value
        ),
    )


def sliced(entities: Sequence[Any], name: str, given: Arguments, default: int) -> dict[str, Any]:
    """A page of what was found already."""
    start, count = given.get("start") or 0, given.get("count")
    shown = entities[start : start + (default if count is None else count)]
    return {"start": start, "count": len(shown), "total": len(entities), name: shown}


def given_only(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is not null: GMS leaves absent fields out of an aspect."""
    return {name: value for name, value in values.items() if value is not None}
