"""Timeseries aspects over all entities: reading in pages, counting, taking away.

One index orders the points of an aspect by time, whatever their entity, so that a page of the
history of thousands of datasets is one range of it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY
from dataspoke.local_hub.store import Store, TimeseriesRow
from dataspoke.local_hub.transaction import Transaction

_FIRST, _LAST = -(2**63), 2**63 - 1
# Spelled as in the index `timeseries_by_kind`: only then SQLite uses it.
_KIND = f"t.aspect % {ASPECTS_PER_ENTITY} = ?"


class Point(NamedTuple):
    """One point of an entity; `at` in UTC ms, `meta` and `value` are JSON texts."""

    number: int
    urn: str
    at: int
    meta: str
    value: str


def scroll(
    store: Store,
    aspect: str,
    entity_type: str,
    count: int,
    *,
    after: str | None = None,
    start: int | None = None,
    end: int | None = None,
) -> tuple[list[Point], str | None]:
    """At most `count` points with start <= at <= end, the newest first, and where to go on.

    A point that is written meanwhile neither repeats nor hides another one. Raises BadRequest
    for a scroll id that is none.
    """
    last_at, last_number = _position(after)
    rows = (
        store.reader()
        .execute(
            "SELECT t.id, e.urn, t.at, t.meta, t.value FROM timeseries t "  # noqa: S608
            f"CROSS JOIN entity e ON e.id = t.aspect / {ASPECTS_PER_ENTITY} "
            f"WHERE {_KIND} AND t.at BETWEEN ? AND ? AND (t.at < ? OR t.id < ?) AND e.type = ? "
            "ORDER BY t.at DESC, t.id DESC LIMIT ?",
            (
                store.aspect_numbers[aspect],
                start if start is not None else _FIRST,
                min(end if end is not None else _LAST, last_at),
                last_at,
                last_number,
                entity_type,
                count + 1,
            ),
        )
        .fetchall()
    )
    page = [Point(*row) for row in rows[:count]]
    return page, _scroll_id(page[-1]) if len(rows) > count and page else None


def _scroll_id(point: Point) -> str:
    return base64.urlsafe_b64encode(f"{point.at}:{point.number}".encode()).decode()


def _position(scroll_id: str | None) -> tuple[int, int]:
    if not scroll_id:
        return _LAST, _LAST
    try:
        at, _, number = base64.urlsafe_b64decode(scroll_id).decode().partition(":")
        return int(at), int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError) as exc:
        raise BadRequest(f"Invalid scrollId: {scroll_id}") from exc


def sort_points(
    points: Sequence[TimeseriesRow], field: str, ascending: bool
) -> list[TimeseriesRow]:
    """Points in the order of one of their fields; those without it come last."""
    keyed = [(orjson.loads(point.value).get(field), point) for point in points]
    known = [(value, point) for value, point in keyed if isinstance(value, int | float | str)]
    known.sort(key=lambda pair: (isinstance(pair[0], str), pair[0]), reverse=not ascending)
    return [point for _, point in known] + [
        point for value, point in keyed if not isinstance(value, int | float | str)
    ]


def truncate(
    tx: Transaction, aspect: int, entity_type: str, end: int, *, dry_run: bool
) -> tuple[int, int]:
    """Remove the points of the aspect number `aspect` with at <= end (UTC ms).

    The answer says how many they are, and of how many.
    """
    chosen = (
        f"FROM timeseries AS t WHERE {_KIND} AND t.at <= ? AND EXISTS "  # noqa: S608
        f"(SELECT 1 FROM entity e WHERE e.id = t.aspect / {ASPECTS_PER_ENTITY} AND e.type = ?)"
    )
    counting = f"SELECT count(*) {chosen}"
    execute = tx.connection.execute
    total = execute(counting, (aspect, _LAST, entity_type)).fetchone()[0]
    if dry_run:
        return int(execute(counting, (aspect, end, entity_type)).fetchone()[0]), int(total)
    done = execute(f"DELETE {chosen}", (aspect, end, entity_type))
    return done.rowcount, int(total)


def sizes(store: Store) -> list[tuple[str, str, float]]:
    """Entity type, aspect and size in MiB of each timeseries that has points."""
    rows = store.reader().execute(
        "SELECT e.type, t.aspect % 4096, sum(length(t.value) + length(t.meta)) / 1048576.0 "
        "FROM timeseries t JOIN entity e ON e.id = t.aspect / 4096 GROUP BY 1, 2"
    )
    return [(kind, store.aspect_names[number], size) for kind, number, size in rows]
