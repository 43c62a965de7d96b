"""Search conditions as SQL over the tables of the index. A statement is text with its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import orjson

from dataspoke.local_hub.documents import STRUCTURED, numeric_fields, scanned_fields
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Criterion, Groups
from dataspoke.local_hub.query_text import ANY, ONE, Group, Node, Not, Range, Term, parse
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.search_store import SearchStore

Sql = tuple[str, list[Any]]

# Names that filters use for fields of the documents.
_ALIASES = {
    "entityType": "_entityType",
    "entity": "_entityType",
    "typeName": "typeNames",
    "subtype": "typeNames",
    "domain": "domains",
    "instance": "platformInstance",
}
# Fields that stand for several, as in GMS.
_EXPANDED = {
    "env": ("origin", "env"),
    "origin": ("origin", "env"),
    "tags": ("tags", "fieldTags", "editedFieldTags"),
    "fieldTags": ("fieldTags", "editedFieldTags"),
    "glossaryTerms": ("glossaryTerms", "fieldGlossaryTerms", "editedFieldGlossaryTerms"),
    "fieldGlossaryTerms": ("fieldGlossaryTerms", "editedFieldGlossaryTerms"),
    "fieldDescriptions": ("fieldDescriptions", "editedFieldDescriptions"),
    "description": ("description", "editedDescription"),
}
_URN = "urn:li:"
_HIERARCHY = "IsPartOf"
_PATTERNS = {"CONTAIN": "%{}%", "START_WITH": "{}%", "END_WITH": "%{}"}
_OPERATORS = {
    "GREATER_THAN": ">",
    "GREATER_THAN_OR_EQUAL_TO": ">=",
    "LESS_THAN": "<",
    "LESS_THAN_OR_EQUAL_TO": "<=",
}
_FAMILIES = {
    "DESCENDANTS_INCL": ("source", "destination"),
    "ANCESTORS_INCL": ("destination", "source"),
}


class Sort(NamedTuple):
    """By which field; entities without it come last unless told otherwise."""

    field: str
    descending: bool = False
    missing_first: bool = False


class Key(NamedTuple):
    """One column of an order."""

    sql: str
    values: list[Any]
    descending: bool


def field_of(name: str) -> str:
    """The name of a field as the index knows it."""
    name = name.removesuffix(".keyword").removesuffix(".delimited")
    return _ALIASES.get(name, name)


def json_path(name: str) -> str:
    """Path of a field in the JSON of a document."""
    return '$."' + name.replace('"', "").replace("\0", "") + '"'


def matches(value: str | None, pattern: str) -> bool:
    """Whether whole words of a text match a pattern with `ANY` and `ONE`, in any case."""
    return value is not None and _compiled(pattern).search(value) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(ANY, ".*").replace(ONE, ".")
    return re.compile(rf"(?<!\w){text}(?!\w)", re.IGNORECASE | re.DOTALL)


class Conditions:
    """Turns filters, texts and orders into SQL over `doc`."""

    def __init__(self, store: SearchStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    @cached_property
    def _numeric(self) -> frozenset[str]:
        return numeric_fields(self._registry)

    @cached_property
    def _scanned(self) -> dict[str, list[str]]:
        return scanned_fields(self._registry)

    # --- filters

    def groups(self, groups: Groups) -> Sql:
        """Any group of which all criteria are met."""
        return joined(
            [joined([self._criterion(one) for one in group], "AND", "1") for group in groups], "OR"
        )

    def _criterion(self, criterion: Criterion) -> Sql:
        name, values = field_of(criterion.field), criterion.values
        test: Sql
        if name == "_entityType":
            test = self._types(values)
        elif name == "removed":
            wanted = {value.lower() == "true" for value in values}
            test = f"doc.removed IN ({marks(wanted)})", list(wanted)
        elif name == "urn" and criterion.condition in ("EQUAL", "IN"):
            test = f"doc.urn IN ({marks(values)})", list(values)
        elif criterion.condition in ("EXISTS", "IS_NULL"):
            test = joined([self._exists(each) for each in _EXPANDED.get(name, (name,))], "OR")
            if criterion.condition == "IS_NULL":
                test = f"NOT {test[0]}", test[1]
        else:
            value_test = _value_test(criterion.condition, values)
            test = self.any_value(name, value_test)
        return (f"NOT ({test[0]})", test[1]) if criterion.negated else test

    def _types(self, values: Sequence[str]) -> Sql:
        names = [self._registry.entity(value.replace("_", "")).name for value in values]
        return f"doc.type IN ({marks(names)})", list[Any](names)

    def _exists(self, name: str) -> Sql:
        paths = [json_path(each) for each in self._known_as(name)]
        tests = ["coalesce(json_array_length(doc.fields, ?), 0) > 0"] * len(paths)
        return f"({' OR '.join(tests)})", list[Any](paths)

    def any_value(self, name: str, test: Sql) -> Sql:
        """Whether a value of the field (or of those that it stands for) passes `test`."""
        sql, values = test
        found: list[Sql] = []
        for expanded in _EXPANDED.get(name, (name,)):
            for each in self._known_as(expanded):
                number = self._store.field_number(each)
                scan = f"EXISTS (SELECT 1 FROM json_each(doc.fields, ?) WHERE {sql})"  # noqa: S608
                if number is None:
                    found.append((scan, [json_path(each), *values]))
                    continue
                inner = f"doc.id IN (SELECT doc FROM field WHERE name = ? AND ({sql}))"  # noqa: S608
                found.append((inner, [number, *values]))
                without_rows = self._scanned.get(each, ())
                if without_rows:
                    rest = f"doc.type IN ({marks(without_rows)}) AND {scan}"
                    found.append((rest, [*without_rows, json_path(each), *values]))
        return joined(found, "OR")

    def _known_as(self, name: str) -> list[str]:
        """Structured properties may be written with `_` for the dots of their names."""
        if not name.startswith(STRUCTURED) or self._store.field_number(name) is not None:
            return [name]
        return self._store.structured_fields(name) or [name]

    # --- texts

    def words(self, text: str) -> Sql | None:
        """A text as a query of the full-text table: all its words must occur; None is any."""
        parts: list[str] = []
        operator = " AND "
        for phrase, word in _WORDS.findall(_FIELD.sub("", text)):
            if word in ("AND", "NOT"):
                continue
            if word == "OR":
                operator = " OR "
            elif phrase:
                parts.append(_fts(phrase))
            else:
                parts.extend(_fts(token) + "*" for token in _TOKEN.findall(word))
        return (operator.join(parts), []) if parts else None

    def structured(self, text: str) -> Sql | None:
        """A text of the query language; None if it is not of it."""
        tree = parse(text)
        return None if tree is None else self._node(tree)

    def _node(self, node: Node) -> Sql:
        match node:
            case Group(parts, every):
                return joined([self._node(part) for part in parts], "AND" if every else "OR")
            case Not(inside):
                sql, values = self._node(inside)
                return f"NOT ({sql})", values
            case Range():
                return self._range(node)
            case Term():
                return self._term(node)

    def _range(self, node: Range) -> Sql:
        tests: list[Sql] = []
        for bound, operator in (
            (node.low, ">=" if node.with_low else ">"),
            (node.high, "<=" if node.with_high else "<"),
        ):
            if bound is not None:
                tests.append(_compare(operator, bound))
        return self.any_value(field_of(node.field), joined(tests, "AND", "1"))

    def _anywhere(self, term: Term) -> Sql:
        if term.text.strip(ANY) == "":
            return "1", []
        if not _TOKEN.search(term.text.replace(ANY, "").replace(ONE, "")):
            return "0", []
        prefix = term.text.removesuffix(ANY)
        if term.phrase or (ANY not in prefix and ONE not in prefix):
            match = _fts(prefix) + ("" if term.phrase else "*")
            return "doc.id IN (SELECT rowid FROM words WHERE words MATCH ?)", [match]
        return (
            "doc.id IN (SELECT rowid FROM words WHERE matches(name, ?) OR matches(text, ?))",
            [term.text, term.text],
        )

    def _term(self, term: Term) -> Sql:
        if term.field is None:
            return self._anywhere(term)
        name = field_of(term.field)
        if name == "_exists_":
            return self._exists(field_of(term.text))
        if name == "_entityType":
            return self._types([term.text])
        if name == "removed":
            return "doc.removed = ?", [term.text.lower() == "true"]
        if term.text == ANY:
            return ("1", []) if name == "urn" else self._exists(name)
        if name == "urn" and not term.wild:
            return "doc.urn = ?", [term.text]
        return self.any_value(name, ("matches(value, ?)", [term.text]))

    # --- order

    def keys(self, sort: Sequence[Sort]) -> list[Key]:
        """The columns of an order; the urn is always the last."""
        keys: list[Key] = []
        for name, descending, missing_first in (Sort(*item) for item in sort):
            name = field_of(name)
            if name in ("_score", "score"):
                keys.append(Key("score", [], descending))
            elif name == "urn":
                return [*keys, Key("urn", [], descending)]
            elif name == "_entityType":
                keys.append(Key("type", [], descending))
            else:
                path = json_path(name) + "[0]"
                value = "json_extract(fields, ?)"
                keys.append(Key(f"({value}) IS NULL", [path], missing_first))
                number = f"CAST({value} AS REAL)"
                if name.startswith(STRUCTURED):
                    # Only the values tell whether the property is of numbers.
                    kind = f"iif(CAST({number} AS TEXT) = {value}, {number}, lower({value}))"
                else:
                    kind = number if name in self._numeric else f"lower({value})"
                keys.append(Key(f"coalesce({kind}, '')", [path] * kind.count("?"), descending))
        return [*keys, Key("urn", [], False)]


_WORDS = re.compile(r'"([^"]*)"|(\S+)')
# The searched texts are one table: a field before a word says nothing to it.
_FIELD = re.compile(r"(?<!\S)\w+:(?=\S)")
_TOKEN = re.compile(r"[^\W_]+")


def _fts(text: str) -> str:
    """A text as a phrase of FTS5."""
    return '"' + text.replace('"', '""') + '"'


def joined(parts: Sequence[Sql], operator: str, empty: str = "0") -> Sql:
    """Conditions in parentheses, joined by `operator`."""
    if not parts:
        return empty, []
    sql = f" {operator} ".join(text for text, _ in parts)
    return f"({sql})", [value for _, values in parts for value in values]


def marks(values: Iterable[Any]) -> str:
    """As many question marks as there are values."""
    return ", ".join("?" for _ in values)


def _value_test(condition: str, values: Sequence[str]) -> Sql:
    """SQL over a column `value`, true when any of `values` meets the condition."""
    if condition in ("EQUAL", "IN", "IEQUAL"):
        return joined([_equal(value) for value in values], "OR")
    if condition in _PATTERNS:
        test = " OR ".join(["value LIKE ? ESCAPE '\\'"] * len(values)) or "0"
        return test, [_PATTERNS[condition].format(_escape_like(value)) for value in values]
    if condition in _OPERATORS:
        return joined([_compare(_OPERATORS[condition], value) for value in values], "OR")
    if condition in _FAMILIES:
        return _family(values, *_FAMILIES[condition])
    if condition == "RELATED_INCL":
        return joined([_family(values, *ends) for ends in _FAMILIES.values()], "OR")
    raise BadRequest(f"Condition {condition} is not supported")


def _equal(value: str) -> Sql:
    """Equal in any case, as keywords are normalised; but urns are what they are."""
    if value.startswith(_URN):
        return "(value = ? AND value = ? COLLATE BINARY)", [value, value]
    return "value = ? COLLATE NOCASE", [value]


def _compare(operator: str, bound: str) -> Sql:
    try:
        number = float(bound)
    except ValueError:
        raise BadRequest(f"Cannot compare with {bound!r}: it is no number") from None
    return f"CAST(value AS REAL) {operator} ?", [number]


def _family(values: Sequence[str], found: str, own: str) -> Sql:
    """The entities themselves with all below (or above) them in domains, containers, terms."""
    return (
        "value IN (WITH RECURSIVE family(urn) AS (SELECT value FROM json_each(?) UNION "  # noqa: S608
        f"SELECT edge.{found} FROM edge JOIN family ON edge.{own} = family.urn "
        "WHERE edge.kind = ?) SELECT urn FROM family)",
        [orjson.dumps(list(values)).decode(), _HIERARCHY],
    )


def _escape_like(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)


# Whether the caller of this request may view an entity; None where everything may be seen.
# Searches are made in many places, and none of them may forget it.
VISIBLE: ContextVar[Callable[[str], bool] | None] = ContextVar("VISIBLE", default=None)


def _visible(urn: str) -> bool:
    sees = VISIBLE.get()
    return sees is None or sees(urn)


# What the statements call.
SQL_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"matches": matches, "visible": _visible}
