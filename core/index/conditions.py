"""Payloads as facts, and conditions as checks of facts: one meaning of a filter for all engines.

Each searchable value of a payload becomes a *fact*, a word in one list that the engine indexes
once: `tags=urn:li:tag:pii`, `deprecated is true`, `description is there`. Numbers stay numbers, in
fields of their own. One index in place of thirty makes a durable write four times cheaper; and
facts avoid a trap: the embedded engine's Python binding turns a boolean in a filter into a number,
which then matches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataspoke.core.errors import ConfigError
from dataspoke.core.index.model import Condition

# Free text: whether there is one can be asked, what it says is for the vectors.
TEXT_FIELDS = frozenset({"description", "external_url"})


@dataclass(frozen=True, slots=True)
class AnyFact:
    """One of these facts is in the list."""

    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactPrefix:
    """A fact of the list starts so."""

    prefix: str


@dataclass(frozen=True, slots=True)
class InRange:
    """A number of the field lies between the two, ends included; None is open."""

    field: str
    low: float | None
    high: float | None


Check = AnyFact | FactPrefix | InRange


def facts_of(payload: Mapping[str, Any]) -> list[str]:
    """All facts of a payload, without repetition.

    >>> facts_of({"name": "orders", "tags": ["a", "b"], "env": "", "deprecated": False, "n": 3})
    ['name=orders', 'tags=a', 'tags=b', 'deprecated is false']
    """
    found: dict[str, None] = {}
    for field, value in payload.items():
        for each in value if isinstance(value, list | tuple) else [value]:
            if fact := _fact(field, each):
                found[fact] = None
    return list(found)


def numbers_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that hold a number or a list of numbers."""
    numbers: dict[str, Any] = {}
    for field, value in payload.items():
        if isinstance(value, list | tuple):
            if kept := [each for each in value if _is_number(each)]:
                numbers[field] = kept
        elif _is_number(value):
            numbers[field] = value
    return numbers


def checks_of(condition: Condition) -> tuple[Check, ...]:
    """The checks of which one must hold (none must, if the condition is negated).

    No check at all means that nothing holds. Raises ConfigError for a condition that makes no
    sense, such as a range of texts.
    """
    field, values = condition.field, condition.values
    if condition.op == "any":
        raise ConfigError("Cannot check groups of conditions one by one: check each group.")
    if condition.op == "exists":
        words = tuple(_word(field, value) for value in (None, True, False))
        return FactPrefix(f"{field}="), AnyFact(words), InRange(field, None, None)
    if field in TEXT_FIELDS:
        raise ConfigError(f"Cannot filter {field!r} by {condition.op!r}: use 'exists' on a text.")
    if condition.op in ("eq", "in"):
        facts = tuple(fact for value in values if (fact := _fact(field, value)))
        ranges = [InRange(field, float(n), float(n)) for n in values if _is_number(n)]
        return (*([AnyFact(facts)] if facts else []), *ranges)
    if len(values) != 1:
        raise ConfigError(f"Cannot filter {field!r} by {condition.op!r}: give exactly one value.")
    value = values[0]
    if condition.op == "prefix":
        return (FactPrefix(f"{field}={value}"),)
    if not _is_number(value):
        raise ConfigError(
            f"Cannot filter {field!r} by {condition.op!r}: {value!r} is no number. "
            "Write times as UTC milliseconds."
        )
    number = float(value)
    return (
        InRange(field, number, None) if condition.op == "gte" else InRange(field, None, number),
    )


def holds(conditions: Iterable[Condition], payload: Mapping[str, Any]) -> bool:
    """Whether a payload fulfils all conditions, as an engine would judge it.

    >>> holds([Condition("tags", "prefix", ("urn:",))], {"tags": ["urn:li:tag:a"]})
    True
    """
    facts, numbers = frozenset(facts_of(payload)), numbers_of(payload)
    return _all_hold(conditions, facts, numbers)


def _all_hold(
    conditions: Iterable[Condition], facts: frozenset[str], numbers: Mapping[str, Any]
) -> bool:
    return all(
        (
            any(_all_hold(group, facts, numbers) for group in condition.groups)
            if condition.op == "any"
            else any(_passes(check, facts, numbers) for check in checks_of(condition))
        )
        is not condition.negated
        for condition in conditions
    )


def _passes(check: Check, facts: frozenset[str], numbers: Mapping[str, Any]) -> bool:
    match check:
        case AnyFact(wanted):
            return not facts.isdisjoint(wanted)
        case FactPrefix(prefix):
            return any(fact.startswith(prefix) for fact in facts)
        case InRange(field, low, high):
            found = numbers.get(field, [])
            return any(
                (low is None or low <= number) and (high is None or number <= high)
                for number in (found if isinstance(found, list) else [found])
            )


def _fact(field: str, value: object) -> str | None:
    if isinstance(value, bool):
        return _word(field, value)
    if isinstance(value, Mapping) or (field in TEXT_FIELDS and isinstance(value, str)):
        return _word(field, None) if value else None
    return f"{field}={value}" if isinstance(value, str) and value else None


def _word(field: str, value: bool | None) -> str:
    """A truth, or (None) that something is there. No prefix of a text matches it."""
    return f"{field} is {'there' if value is None else 'true' if value else 'false'}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
