"""Questions to the search index: text, filters, order, pages, facets.

A field of a filter may carry the suffix `.keyword`. Unknown fields match nothing.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from dataspoke.local_hub.documents import STRUCTURED
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Groups
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.search_sql import (
    SQL_FUNCTIONS,
    VISIBLE,
    Conditions,
    Key,
    Sort,
    Sql,
    field_of,
    joined,
    marks,
)
from dataspoke.local_hub.search_store import NAME_WEIGHT, TEXT_WEIGHT, SearchStore

__all__ = ["Hit", "Page", "Query", "Search", "Sort", "scroll_id"]

_STRUCTURED_PREFIX = "/q"
_PROPERTY = "urn:li:structuredProperty:"


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. No `types` means all; `groups` is an OR of ANDs, empty means no filter.

    `structured` texts are of the query language, as are all that begin with ``/q``; others are
    plain words. `slice` (part, parts) leaves one of so many parts of the answer.
    """

    text: str = "*"
    types: tuple[str, ...] = ()
    groups: Groups = ()
    include_removed: bool = False
    sort: tuple[Sort | tuple[str, bool], ...] = ()
    structured: bool = False
    slice: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One found entity with its fields (name → values); `keys` is its place in the order."""

    urn: str
    entity_type: str
    score: float
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keys: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of hits; `scroll` continues behind it, None at the end."""

    total: int
    hits: list[Hit]
    scroll: str | None = None


class Search:
    """Answers queries over one index."""

    def __init__(self, store: SearchStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._conditions = Conditions(store, registry)

    def find(self, query: Query, start: int, count: int) -> Page:
        """Hits by relevance (or `sort`), from the `start`-th on."""
        sort = query.sort or (Sort("_score", descending=True),)
        keys = self._conditions.keys([Sort(*item) for item in sort])
        with self._store.reader(SQL_FUNCTIONS) as connection:
            _refuse_removed_properties(connection, query.groups)
            sql, values = self._compile(query)
            total = _count(connection, sql, values)
            rows = connection.execute(
                f"SELECT urn, type, score, fields{_columns(keys)} FROM ({sql}) "  # noqa: S608
                f"ORDER BY {_order(keys)} LIMIT ? OFFSET ?",
                [*_values(keys), *values, count, start],
            )
            return Page(total, [_hit(row) for row in rows])

    def scroll(self, query: Query, after: str | None, count: int, *, fields: bool = True) -> Page:
        """Hits by urn (or `sort`), behind the scroll id `after`.

        What is written meanwhile neither hides nor repeats a hit whose place stays the same.
        """
        keys = self._conditions.keys([Sort(*item) for item in query.sort])
        behind, place = _behind(keys, _decode(after, len(keys)))
        shown = "fields" if fields else "'{}'"
        with self._store.reader(SQL_FUNCTIONS) as connection:
            _refuse_removed_properties(connection, query.groups)
            sql, values = self._compile(query)
            total = _count(connection, sql, values)
            inner = f"SELECT urn, type, score, fields{_columns(keys)} FROM ({sql})"  # noqa: S608
            rows = connection.execute(
                f"SELECT urn, type, score, {shown}{_names(keys)} FROM ({inner}) "  # noqa: S608
                f"WHERE {behind} ORDER BY {_order(keys)} LIMIT ?",
                [*_values(keys), *values, *place, count + 1],
            ).fetchall()
        hits = [_hit(row) for row in rows[:count]]
        more = len(rows) > count and hits
        return Page(total, hits, scroll_id(hits[-1]) if more else None)

    def facets(self, query: Query, names: Sequence[str], most: int) -> dict[str, dict[str, int]]:
        """How often each value of a field occurs among the hits, the most frequent first."""
        found: dict[str, dict[str, int]] = {}
        with self._store.reader(SQL_FUNCTIONS) as connection:
            _refuse_removed_properties(connection, query.groups)
            sql, values = self._compile(query)
            for name in names:
                if field_of(name) == "_entityType":
                    rows = connection.execute(
                        f"SELECT type, count(*) FROM ({sql}) GROUP BY 1 ORDER BY 2 DESC, 1",  # noqa: S608
                        values,
                    )
                else:
                    number = self._store.field_number(field_of(name))
                    rows = connection.execute(
                        f"SELECT f.value, count(*) FROM ({sql}) d JOIN field f ON f.doc = d.id "  # noqa: S608
                        "WHERE f.name = ? GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
                        [*values, number, most],
                    )
                counts = dict(rows.fetchall())
                if counts:
                    found[name] = counts
        return found

    def _compile(self, query: Query) -> Sql:
        """A SELECT of id, urn, type, score, fields for everything that matches."""
        source, score, conditions = self._text(query)
        if query.types:
            names = [self._registry.entity(name).name for name in query.types]
            conditions.append((f"doc.type IN ({marks(names)})", list[Any](names)))
        if not query.include_removed and not _speaks_of(query, "removed"):
            conditions.append(("doc.removed = 0", []))
        if query.groups:
            conditions.append(self._conditions.groups(query.groups))
        if query.slice is not None:
            part, parts = query.slice
            conditions.append(("doc.id % ? = ?", [parts, part]))
        if VISIBLE.get() is not None:  # last, as it asks the policies about each row
            conditions.append(("visible(doc.urn)", []))
        where, values = joined(conditions, "AND", "1")
        columns = f"doc.id, doc.urn, doc.type, {score} AS score, doc.fields"
        return f"SELECT {columns} FROM {source} WHERE {where}", values  # noqa: S608

    def _text(self, query: Query) -> tuple[str, str, list[Sql]]:
        """Where to look, how to score, and the conditions that the text makes."""
        text = query.text.strip()
        if query.structured or text.startswith(_STRUCTURED_PREFIX):
            text = text.removeprefix(_STRUCTURED_PREFIX).strip()
            condition = self._conditions.structured(text)
            if condition is not None:
                return "doc", "1.0", [condition]
        elif text.startswith("urn:li:"):
            return "doc", "1.0", [("doc.urn = ?", [text])]
        match = self._conditions.words(text)
        if match is None:
            return "doc", "1.0", []
        return (
            "words JOIN doc ON doc.id = words.rowid",
            f"-bm25(words, {NAME_WEIGHT}, {TEXT_WEIGHT})",
            [("words MATCH ?", [match[0]])],
        )


def _refuse_removed_properties(connection: sqlite3.Connection, groups: Groups) -> None:
    """Raises BadRequest when a filter names a soft-deleted structured property."""
    for criterion in (criterion for group in groups for criterion in group):
        if criterion.field.startswith(STRUCTURED):
            urn = _PROPERTY + criterion.field.removeprefix(STRUCTURED)
            if _count(connection, "SELECT 1 FROM doc WHERE urn = ? AND removed = 1", [urn]):
                raise BadRequest(f"Cannot filter on deleted Structured Property {urn}")


def scroll_id(hit: Hit) -> str:
    """The scroll id that continues behind a hit of a scroll."""
    return base64.urlsafe_b64encode(orjson.dumps(hit.keys)).decode()


def _speaks_of(query: Query, name: str) -> bool:
    return any(field_of(criterion.field) == name for group in query.groups for criterion in group)


def _count(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> int:
    return int(connection.execute(f"SELECT count(*) FROM ({sql})", values).fetchone()[0])  # noqa: S608


# The columns of an order are called k0, k1, …; the values of their expressions come first.
def _columns(keys: Sequence[Key]) -> str:
    return "".join(f", {key.sql} AS k{number}" for number, key in enumerate(keys))


def _names(keys: Sequence[Key]) -> str:
    return "".join(f", k{number}" for number in range(len(keys)))


def _values(keys: Sequence[Key]) -> list[Any]:
    return [value for key in keys for value in key.values]


def _order(keys: Sequence[Key]) -> str:
    return ", ".join(f"k{n} {'DESC' if key.descending else 'ASC'}" for n, key in enumerate(keys))


def _behind(keys: Sequence[Key], place: Sequence[Any]) -> Sql:
    """The condition that a row comes behind a place: equal up to some key, then beyond."""
    if not place:
        return "1", []
    parts: list[Sql] = []
    for number, key in enumerate(keys):
        same = "".join(f"k{earlier} = ? AND " for earlier in range(number))
        beyond = "<" if key.descending else ">"
        parts.append((f"({same}k{number} {beyond} ?)", list(place[: number + 1])))
    return joined(parts, "OR")


def _hit(row: tuple[Any, ...]) -> Hit:
    return Hit(row[0], row[1], row[2], orjson.loads(row[3]), tuple(row[4:]))


def _decode(scroll: str | None, count: int) -> list[Any]:
    if not scroll:
        return []
    try:
        place = orjson.loads(base64.b64decode(scroll.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeDecodeError, ValueError) as exc:
        raise BadRequest(f"Invalid scrollId {scroll!r}") from exc
    if not isinstance(place, list) or len(place) != count:
        raise BadRequest(f"Invalid scrollId {scroll!r}: it is of another order")
    return place
