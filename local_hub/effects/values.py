"""Structured properties: which values an entity may have, and which a reader sees."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from dataspoke.local_hub.effects.model import Change, View
from dataspoke.local_hub.effects.properties import is_removed
from dataspoke.local_hub.errors import BadUrn, InvalidAspect
from dataspoke.local_hub.urns import Urn

_TYPES = "urn:li:dataType:datahub."
_FIRST_DAY = date(1000, 1, 1)


def check_values(view: View, change: Change) -> None:
    """Refuse values that their definitions do not allow, and changes of immutable ones."""
    old = _assignments(change.old)
    if change.new is None:
        _check_immutable(view, old, [])
        return
    new = _assignments(change.new)
    _check_unique(new)
    for assignment in new:
        # A patch answers for what it touches: the rest may have become invalid meanwhile.
        if change.change != "PATCH" or assignment not in old:
            _check_assignment(view, assignment)
    _check_immutable(view, old, new)


def _assignments(value: Mapping[str, Any] | None) -> Sequence[dict[str, Any]]:
    return [] if value is None else value["properties"]


def _check_unique(assignments: Sequence[dict[str, Any]]) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for assignment in assignments:
        urn = assignment["propertyUrn"]
        kind = Urn.parse(urn).entity_type
        if kind != "structuredProperty":
            raise InvalidAspect(
                f"Unexpected entity type. Expected: structuredProperty Found: {kind}"
            )
        if urn in seen:
            raise InvalidAspect(
                f"Property: {urn} has multiple entries: {_shown([seen[urn], assignment])}"
            )
        seen[urn] = assignment


def _check_assignment(view: View, assignment: Mapping[str, Any]) -> None:
    urn, values = assignment["propertyUrn"], assignment["values"]
    if is_removed(view, urn):
        raise InvalidAspect("Cannot apply a soft deleted Structured Property value")
    definition = view.value(urn, "propertyDefinition")
    if definition is None:
        raise InvalidAspect(
            f"Unexpected null value found for {urn} Structured Property Definition."
        )
    if definition.get("cardinality", "SINGLE") == "SINGLE" and len(values) > 1:
        raise InvalidAspect(
            f"Property: {urn} has cardinality 1, but multiple values were assigned: "
            f"{_shown(values)}"
        )
    allowed = definition.get("allowedValues")
    for value in values:
        fault = _fault(definition, value)
        if fault is not None:
            raise InvalidAspect(f"Property: {urn}, value: {_shown(value)} {fault}")
        if allowed is not None and value not in (choice["value"] for choice in allowed):
            choices = [choice["value"] for choice in allowed]
            raise InvalidAspect(
                f"Property: {urn}, value: {_shown(value)} should be one of {_shown(choices)}"
            )


def _fault(definition: Mapping[str, Any], value: Mapping[str, Any]) -> str | None:
    """What a value lacks to be of the type that the definition names."""
    kind = definition["valueType"].removeprefix(_TYPES)
    text = value.get("string")
    if kind == "number":
        return None if "double" in value or _is_number(text) else "should be a number"
    if not isinstance(text, str):
        return "should be a string"
    if kind == "date":
        return None if _is_date(text) else "should be a date with format YYYY-MM-DD"
    if kind == "urn":
        return _urn_fault((definition.get("typeQualifier") or {}).get("allowedTypes"), text)
    return None


def _urn_fault(allowed: list[str] | None, text: str) -> str | None:
    try:
        kind = Urn.parse(text).entity_type
    except BadUrn:
        return "should be an urn"
    if allowed is None:
        return None
    names = {Urn.parse(urn).body.removeprefix("datahub.").lower() for urn in allowed}
    return None if kind.lower() in names else f"is not of any supported urn types:{allowed}"


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("YYYY-MM-DD") and date.fromisoformat(text) >= _FIRST_DAY
    except ValueError:
        return False


def _check_immutable(
    view: View, old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]
) -> None:
    given = {assignment["propertyUrn"]: assignment for assignment in new}
    for assignment in old:
        urn = assignment["propertyUrn"]
        if given.get(urn) == assignment:
            continue
        definition = view.value(urn, "propertyDefinition")
        if definition is None or not definition.get("immutable"):
            continue
        if urn in given:
            raise InvalidAspect(f"Cannot mutate an immutable property: {urn}")
        raise InvalidAspect(f"Cannot delete an immutable property {urn}")


def _shown(value: Any) -> str:
    """A value as Java prints it: `[{string=a}, {double=1.0}]`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return str(value)


def without(value: Mapping[str, Any], properties: Collection[str]) -> dict[str, Any]:
    """`structuredProperties` without the values of those properties."""
    shown = [
        assignment
        for assignment in value["properties"]
        if assignment["propertyUrn"] not in properties
    ]
    return {**value, "properties": shown}
