"""Questions to the search index: text, filters, order, pages, facets.

A field of a filter may carry the suffix `.keyword`. Unknown fields match nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Criterion, Groups
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.search_store import NAME_WEIGHT, TEXT_WEIGHT, SearchStore

# Names that filters use for fields of the documents.
_ALIASES = {
    "_entityType": "type",
    "entityType": "type",
    "entity": "type",
    "env": "origin",
    "typeName": "typeNames",
    "subtype": "typeNames",
    "domain": "domains",
    "instance": "platformInstance",
}


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. No `types` means all; `groups` is an OR of ANDs, empty means no filter."""

    text: str = "*"
    types: tuple[str, ...] = ()
    groups: Groups = ()
    include_removed: bool = False
    sort: tuple[tuple[str, bool], ...] = ()  # (field, descending)


@dataclass(frozen=True, slots=True)
class Hit:
    """One found entity with its fields (name → values)."""

    urn: str
    entity_type: str
    score: float
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)


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

    def find(self, query: Query, start: int, count: int) -> Page:
        """Hits by relevance (or `sort`), from the `start`-th on."""
        with self._store.reader() as connection:
            sql, values = self._compile(query)
            total = _count(connection, sql, values)
            order = _order(query)
            rows = connection.execute(
                f"SELECT urn, type, score, fields FROM ({sql}) ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608
                [*values, count, start],
            )
            return Page(total, [_hit(row) for row in rows])

    def scroll(self, query: Query, after: str | None, count: int, *, fields: bool = True) -> Page:
        """Hits in the order of their urns, behind the scroll id `after`."""
        last = _decode(after)
        shown = "fields" if fields else "'{}'"
        with self._store.reader() as connection:
            sql, values = self._compile(query)
            total = _count(connection, sql, values)
            rows = connection.execute(
                f"SELECT urn, type, score, {shown} FROM ({sql}) WHERE urn > ? ORDER BY urn LIMIT ?",  # noqa: S608
                [*values, last, count + 1],
            ).fetchall()
        hits = [_hit(row) for row in rows[:count]]
        more = len(rows) > count and hits
        return Page(total, hits, _encode(hits[-1].urn) if more else None)

    def facets(self, query: Query, names: Sequence[str], most: int) -> dict[str, dict[str, int]]:
        """How often each value of a field occurs among the hits, the most frequent first."""
        found: dict[str, dict[str, int]] = {}
        with self._store.reader() as connection:
            sql, values = self._compile(query)
            for name in names:
                if _ALIASES.get(name, name) == "type":
                    rows = connection.execute(
                        f"SELECT type, count(*) FROM ({sql}) GROUP BY 1 ORDER BY 2 DESC, 1",  # noqa: S608
                        values,
                    )
                else:
                    number = self._store.field_number(_ALIASES.get(name, name))
                    rows = connection.execute(
                        f"SELECT f.value, count(*) FROM ({sql}) d JOIN field f ON f.doc = d.id "  # noqa: S608
                        "WHERE f.name = ? GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
                        [*values, number, most],
                    )
                counts = dict(rows.fetchall())
                if counts:
                    found[name] = counts
        return found

    def _compile(self, query: Query) -> tuple[str, list[Any]]:
        """A SELECT of id, urn, type, score, fields for everything that matches."""
        values: list[Any] = []
        match = _match_expression(query.text)
        if match is None:
            source, score = "doc", "1.0"
        else:
            source = "words JOIN doc ON doc.id = words.rowid"
            score = f"-bm25(words, {NAME_WEIGHT}, {TEXT_WEIGHT})"
        conditions = []
        if match is not None:
            conditions.append("words MATCH ?")
            values.append(match)
        if query.types:
            conditions.append(f"doc.type IN ({_marks(query.types)})")
            values.extend(self._registry.entity(name).name for name in query.types)
        if not query.include_removed and not _speaks_of(query, "removed"):
            conditions.append("doc.removed = 0")
        if query.groups:
            groups = []
            for group in query.groups:
                parts = []
                for criterion in group:
                    sql, more = self._criterion(criterion)
                    parts.append(sql)
                    values.extend(more)
                groups.append(f"({' AND '.join(parts) or '1'})")
            conditions.append(f"({' OR '.join(groups)})")
        where = " AND ".join(conditions) or "1"
        columns = f"doc.id, doc.urn, doc.type, {score} AS score, doc.fields"
        return f"SELECT {columns} FROM {source} WHERE {where}", values  # noqa: S608

    def _criterion(self, criterion: Criterion) -> tuple[str, list[Any]]:
        name = criterion.field.removesuffix(".keyword").removesuffix(".delimited")
        name = _ALIASES.get(name, name)
        if name == "type":
            names = [
                self._registry.entity(value.replace("_", "")).name for value in criterion.values
            ]
            sql, values = f"doc.type IN ({_marks(names)})", list[Any](names)
        elif name == "removed":
            wanted = {value.lower() == "true" for value in criterion.values}
            sql, values = f"doc.removed IN ({_marks(wanted)})", list[Any](wanted)
        elif name == "urn" and criterion.condition in ("EQUAL", "IN"):
            sql, values = f"doc.urn IN ({_marks(criterion.values)})", list[Any](criterion.values)
        else:
            sql, values = self._field_condition(name, criterion)
        return (f"NOT ({sql})" if criterion.negated else sql), values

    def _field_condition(self, name: str, criterion: Criterion) -> tuple[str, list[Any]]:
        condition = criterion.condition
        if condition in ("EXISTS", "IS_NULL"):
            present = "json_array_length(doc.fields, ?) > 0"
            sql = (
                f"coalesce({present}, 0)"
                if condition == "EXISTS"
                else f"NOT coalesce({present}, 0)"
            )
            return sql, [_json_path(name)]
        test, values = _value_test(condition, criterion.values)
        number = self._store.field_number(name)
        if number is not None:
            return (
                f"doc.id IN (SELECT doc FROM field WHERE name = ? AND ({test}))",  # noqa: S608
                [number, *values],
            )
        return (
            f"EXISTS (SELECT 1 FROM json_each(doc.fields, ?) WHERE {test})",  # noqa: S608
            [_json_path(name), *values],
        )


_TOKEN = re.compile(r"\w+", re.UNICODE)
_FIELDED = re.compile(r'(\w+):\s*("[^"]*"|\S+)')


def _match_expression(text: str) -> str | None:
    """The FTS5 expression of a query text; None matches everything. All words must occur."""
    text = text.strip()
    if text.startswith("/q"):
        text = text[2:].strip()
    text = _FIELDED.sub(lambda found: found[2], text)
    words = _TOKEN.findall(text)
    operator = " OR " if "OR" in words else " AND "
    tokens = [
        token
        for word in words
        if word not in ("AND", "OR", "NOT")
        for token in word.split("_")
        if token
    ]
    return operator.join(f'"{token}"*' for token in tokens) or None


def _value_test(condition: str, values: Sequence[str]) -> tuple[str, list[Any]]:
    """SQL over a column `value`, true when any of `values` meets the condition."""
    if condition in ("EQUAL", "IN", "DESCENDANTS_INCL", "ANCESTORS_INCL", "RELATED_INCL"):
        return f"value IN ({_marks(values)})", list(values)
    if condition == "IEQUAL":
        return f"lower_text(value) IN ({_marks(values)})", [value.lower() for value in values]
    patterns = {"CONTAIN": "%{}%", "START_WITH": "{}%", "END_WITH": "%{}"}
    if condition in patterns:
        test = " OR ".join(["value LIKE ? ESCAPE '\\'"] * len(values)) or "0"
        return test, [patterns[condition].format(_escape_like(value)) for value in values]
    operators = {
        "GREATER_THAN": ">",
        "GREATER_THAN_OR_EQUAL_TO": ">=",
        "LESS_THAN": "<",
        "LESS_THAN_OR_EQUAL_TO": "<=",
    }
    if condition in operators:
        try:
            numbers = [float(value) for value in values]
        except ValueError as exc:
            raise BadRequest(f"Condition {condition} needs numbers, not {list(values)}") from exc
        test = " OR ".join([f"CAST(value AS REAL) {operators[condition]} ?"] * len(numbers))
        return test or "0", list(numbers)
    raise BadRequest(f"Condition {condition} is not supported")


def _escape_like(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)


def _json_path(name: str) -> str:
    return '$."' + name.replace('"', "") + '"'


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)


def _speaks_of(query: Query, name: str) -> bool:
    return any(
        criterion.field.removesuffix(".keyword") == name
        for group in query.groups
        for criterion in group
    )


def _count(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> int:
    return int(connection.execute(f"SELECT count(*) FROM ({sql})", values).fetchone()[0])  # noqa: S608


def _order(query: Query) -> str:
    parts = []
    for name, descending in query.sort:
        direction = "DESC" if descending else "ASC"
        if name in ("_score", "score"):
            parts.append(f"score {direction}")
        elif name == "urn":
            parts.append(f"urn {direction}")
        elif re.fullmatch(r"\w+", name):
            first = f"json_extract(fields, '$.{_ALIASES.get(name, name)}[0]')"
            parts.append(f"CAST({first} AS REAL) {direction}, {first} {direction}")
        else:
            raise BadRequest(f"Cannot sort by {name!r}")
    return ", ".join([*parts, "score DESC", "urn"])


def _hit(row: tuple[str, str, float, str]) -> Hit:
    return Hit(row[0], row[1], row[2], orjson.loads(row[3]))


def _encode(urn: str) -> str:
    return base64.urlsafe_b64encode(urn.encode()).decode()


def _decode(scroll: str | None) -> str:
    if not scroll:
        return ""
    try:
        return base64.b64decode(scroll.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise BadRequest(f"Invalid scrollId {scroll!r}") from exc
