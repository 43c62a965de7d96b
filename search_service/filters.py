"""Filters that people write, as hard conditions of the index. Pure.

On a URL a filter is `field:op:value`, with a leading `-` for "not": `platform:eq:postgres`,
`tag:in:PII,GDPR`, `-owner:exists`, `last_modified:gte:2026-01-01`. Values keep their colons,
and a comma inside parentheses belongs to its urn. Case never counts. `upstream_of:eq:URN` means
one step of lineage, `upstream_of:all:URN` any number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from dataspoke.core.documents.keys import KEYS_FIELD, key
from dataspoke.core.index.model import Condition, Operator
from dataspoke.core.urns import last_part

Scalar = str | int | float | bool
FilterOp = Literal["eq", "in", "all", "prefix", "gte", "lte", "exists"]


class FilterError(ValueError):
    """A filter cannot be understood; the message names what is allowed."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition as a person states it. `values` is empty only for `exists`."""

    field: str
    op: str
    values: tuple[Scalar, ...] = ()
    negated: bool = False

    @property
    def id(self) -> str:
        """The filter as it stands on a URL; equal filters have equal ids."""
        value = ",".join(str(value) for value in self.values)
        return f"{'-' if self.negated else ''}{self.field}:{self.op}" + (
            f":{value}" if value else ""
        )


@dataclass(frozen=True, slots=True)
class _Field:
    """How a field is matched: by folded keys of `kind`, as a flag, or as a time."""

    payload_field: str
    ops: tuple[FilterOp, ...]
    kind: str = ""


_LABEL_OPS: tuple[FilterOp, ...] = ("eq", "in", "prefix", "exists")
_LINEAGE_OPS: tuple[FilterOp, ...] = ("eq", "in", "all")
_ALWAYS_THERE: tuple[FilterOp, ...] = ("eq", "in")

_FIELDS: dict[str, _Field] = {
    "platform": _Field("platform", _LABEL_OPS, "platform"),
    "env": _Field("env", _LABEL_OPS, "env"),
    "entity_type": _Field("entity_type", _ALWAYS_THERE, "type"),
    "subtype": _Field("subtypes", _LABEL_OPS, "subtype"),
    "tag": _Field("tags", _LABEL_OPS, "tag"),
    "term": _Field("terms", _LABEL_OPS, "term"),
    "owner": _Field("owners", _LABEL_OPS, "owner"),
    "domain": _Field("domains", _LABEL_OPS, "domain"),
    "container": _Field("container", _LABEL_OPS, "container"),
    "consumer": _Field("consumers", _LABEL_OPS, "consumer"),
    "column": _Field("columns", ("eq", "in", "prefix"), "column"),
    "description": _Field("description", ("exists",)),
    "upstream": _Field("upstreams", ("exists",)),
    "upstream_of": _Field("urn", _LINEAGE_OPS),
    "downstream_of": _Field("urn", _LINEAGE_OPS),
    "deprecated": _Field("deprecated", ("eq",)),
    "last_modified": _Field("last_modified", ("gte", "lte", "exists")),
}
_ALIASES = {
    "type": "entity_type",
    "tags": "tag",
    "terms": "term",
    "glossary_term": "term",
    "owners": "owner",
    "domains": "domain",
    "columns": "column",
    "subtypes": "subtype",
    "consumers": "consumer",
    "upstreams": "upstream",
}
_SEVERAL = ("in", "all")
_DAY_MS = 86_400_000
_FAR = 2**62
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")

FIELD_NAMES = tuple(_FIELDS)
LINEAGE_FIELDS = ("upstream_of", "downstream_of")


def parse_filter(text: str) -> Filter:
    """Read one filter from a URL; raises FilterError."""
    negated = text.startswith("-")
    parts = text.removeprefix("-").split(":", 2)
    if len(parts) == 1:
        raise FilterError(
            f"Cannot read the filter {text!r}: it is not of the form field:op:value. "
            "Write it like platform:eq:postgres."
        )
    field, op = parts[0].strip(), parts[1].strip()
    value = parts[2] if len(parts) == 3 else ""
    values: tuple[str, ...] = (value,) if value else ()
    if op in _SEVERAL:
        values = tuple(_split_outside_parentheses(value))
    return checked(Filter(field, op, values, negated))


def checked(given: Filter) -> Filter:
    """The same filter with aliases resolved, if it makes sense; raises FilterError."""
    name = _ALIASES.get(given.field.strip().lower(), given.field.strip().lower())
    field = _FIELDS.get(name)
    if field is None:
        raise FilterError(
            f"Cannot filter by {given.field!r}: no such field. Use one of {', '.join(FIELD_NAMES)}."
        )
    if given.op not in field.ops:
        raise FilterError(
            f"Cannot filter {name} with {given.op!r}: no such operator for this field. "
            f"Use one of {', '.join(field.ops)}."
        )
    values = tuple(v.strip() if isinstance(v, str) else v for v in given.values)
    if given.op == "exists":
        return _exists(given, name, values)
    values = tuple(v for v in values if v != "")
    if not values or (given.op not in _SEVERAL and len(values) > 1):
        wanted = "at least one value" if given.op in _SEVERAL else "exactly one value"
        raise FilterError(
            f"Cannot filter {name} with {given.op!r} and {len(values)} values: it takes {wanted}. "
            f"Write it like {name}:{given.op}:{_EXAMPLES.get(name, 'value')}."
        )
    result = Filter(name, given.op, values, given.negated)
    conditions(result)
    return result


_EXAMPLES = {"deprecated": "false", "last_modified": "2026-01-01", "entity_type": "dataset"}


def conditions(given: Filter) -> list[Condition]:
    """What the index must check for a checked filter; all of them must hold.

    Lineage has none of its own: what it leads to must be looked up (`search_service.lineage`).
    """
    field = _FIELDS[given.field]
    if given.field in LINEAGE_FIELDS:
        return []
    if given.field == "last_modified":
        return _time_conditions(given)
    if given.field == "deprecated":
        return [Condition("deprecated", "eq", (_flag(given, given.values[0]),), given.negated)]
    if given.op == "exists":
        return [Condition(field.payload_field, "exists", (), given.negated)]
    keys = tuple(key(field.kind, str(value)) for value in given.values)
    op: Operator = "prefix" if given.op == "prefix" else "eq" if len(keys) == 1 else "in"
    return [Condition(KEYS_FIELD, op, keys, given.negated)]


def describe(given: Filter) -> str:
    """A filter in words: `tag is PII`, `no owner`.

    >>> describe(Filter("tag", "in", ("PII", "GDPR"), negated=True))
    'tag is none of PII, GDPR'
    """
    name = given.field.replace("_", " ")
    values = ", ".join(str(value) for value in given.values)
    if given.op == "exists":
        return f"{'no' if given.negated else 'any'} {name}"
    if given.field in LINEAGE_FIELDS:
        values = ", ".join(dict.fromkeys(_called(str(value)) for value in given.values))
        return f"{'not ' if given.negated else ''}{name} {values}"
    verbs = {
        "eq": ("is", "is not"),
        "in": ("is one of", "is none of"),
        "prefix": ("starts with", "does not start with"),
        "gte": ("from", "before"),
        "lte": ("until", "after"),
    }
    return f"{name} {verbs[given.op][given.negated]} {values}"


def _called(urn: str) -> str:
    """
    >>> _called("urn:li:dataset:(urn:li:dataPlatform:kafka,shop.orders,PROD)")
    'shop.orders'
    """
    if not urn.startswith("urn:li:"):
        return urn
    parts = urn.partition("(")[2].rstrip(")").split(",")
    return parts[1] if len(parts) > 1 else last_part(urn)


def _exists(given: Filter, name: str, values: Sequence[Scalar]) -> Filter:
    wanted = _flag(given, values[0]) if values else True
    return Filter(name, "exists", (), given.negated == wanted)


def _flag(given: Filter, value: Scalar) -> bool:
    text = str(value).lower()
    if text not in _TRUE + _FALSE:
        raise FilterError(
            f"Cannot filter {given.field} with the value {value!r}: it is neither yes nor no. "
            "Use true or false."
        )
    return text in _TRUE


def _time_conditions(given: Filter) -> list[Condition]:
    """An unknown time is stored as 0 and fulfils neither a comparison nor its negation."""
    field = "last_modified"
    known = Condition(field, "gte", (1,))
    if given.op == "exists":
        return [Condition(field, "lte", (0,))] if given.negated else [known]
    moment = _milliseconds(given.values[0], end_of_day=(given.op == "lte"))
    if given.negated:
        shifted = moment - 1 if given.op == "gte" else moment + 1
        op: Operator = "lte" if given.op == "gte" else "gte"
        return [known, Condition(field, op, (shifted,))]
    return [known, Condition(field, given.op, (moment,))]  # type: ignore[arg-type]


def _milliseconds(value: Scalar, *, end_of_day: bool) -> int:
    """UTC ms of an ISO date or time, or of a number of ms. A bare date is the whole day."""
    text = str(value)
    try:
        if isinstance(value, int | float) or (text.isdecimal() and len(text) > 8):
            return _bounded(int(value))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as exc:
        raise FilterError(
            f"Cannot filter last_modified with the value {text!r}: it is no time. "
            "Write it as 2026-01-31, as 2026-01-31T12:00:00Z, or in ms since 1970."
        ) from exc
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    rest_of_day = _DAY_MS - 1 if end_of_day and len(text) <= len("2026-01-31") else 0
    return _bounded(int(moment.timestamp() * 1000) + rest_of_day)


def _bounded(milliseconds: int) -> int:
    """Within what the engines store (64 bits), with room for a neighbour."""
    return max(-_FAR, min(_FAR, milliseconds))


def _split_outside_parentheses(text: str) -> list[str]:
    values, depth, start = [], 0, 0
    for position, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth <= 0:
            values.append(text[start:position])
            start = position + 1
    return [*values, text[start:]]
