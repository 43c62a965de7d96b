"""Structured properties: how a definition may change, and what goes when it goes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from dataspoke.local_hub.effects.model import Change, View, propose
from dataspoke.local_hub.effects.urns import check_urns
from dataspoke.local_hub.errors import BadUrn, InvalidAspect
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.urns import Urn

_VERSION = re.compile(r"[0-9]{14}")
_DISPLAY_FLAGS = (
    "showInSearchFilters",
    "showInAssetSummary",
    "showAsAssetBadge",
    "showInColumnsTable",
)


def check_definition(view: View, change: Change) -> None:
    """Refuse a definition that is malformed, soft-deleted, or takes back what it allowed."""
    new = change.new
    if new is None:
        return
    if is_removed(view, change.urn):
        raise InvalidAspect("Cannot mutate a soft deleted Structured Property Definition")
    version = new.get("version")
    if version is not None and not _VERSION.fullmatch(version):
        raise InvalidAspect(f"Invalid version specified. Must match {_VERSION.pattern}")
    if " " in Urn.parse(change.urn).body:
        raise InvalidAspect("Urn ID cannot have spaces")
    if " " in new["qualifiedName"]:
        raise InvalidAspect("Qualified names cannot have spaces")
    check_urns(view, change)
    _check_allowed_types(view, (new.get("typeQualifier") or {}).get("allowedTypes"))
    if change.old is not None:
        _check_evolution(change.old, new)


def _check_allowed_types(view: View, types: list[str] | None) -> None:
    if types is None:
        return
    try:
        kinds = {Urn.parse(urn).entity_type for urn in types}
    except BadUrn:
        raise InvalidAspect(
            "Issue resolving allowedTypes inside of typeQualifier. These must be entity type "
            f"urns. List of allowedTypes: {types}"
        ) from None
    if kinds - {"entityType"}:
        raise InvalidAspect(
            f"Provided allowedType that is not an entityType entity. List of allowedTypes: {types}"
        )
    if not all(view.exists(urn) for urn in types):
        raise InvalidAspect(
            f"Provided allowedType that does not exist. List of allowedTypes: {types}"
        )


def _check_evolution(old: dict[str, Any], new: dict[str, Any]) -> None:
    if new["qualifiedName"] != old["qualifiedName"]:
        raise InvalidAspect("Cannot change the fully qualified name of a Structured Property")
    if _is_newer(new.get("version"), old.get("version")):
        return  # a higher version may break what was
    if new["valueType"] != old["valueType"]:
        raise InvalidAspect(
            "Value type cannot be changed as this is a backwards incompatible change"
        )
    if _cardinality(new) == "SINGLE" and _cardinality(old) == "MULTIPLE":
        raise InvalidAspect(
            "Property definition cardinality cannot be changed from MULTI to SINGLE"
        )
    allowed = new.get("allowedValues")
    if allowed is not None:
        before = old.get("allowedValues")
        left = [choice["value"] for choice in allowed]
        if before is None or any(choice["value"] not in left for choice in before):
            raise InvalidAspect("Cannot restrict values that were previously allowed")


def _is_newer(new: str | None, old: str | None) -> bool:
    return new is not None and (old is None or new > old)


def _cardinality(definition: dict[str, Any]) -> str:
    return str(definition.get("cardinality", "SINGLE"))


def is_removed(view: View, urn: str) -> bool:
    """Whether an entity is soft-deleted."""
    status = view.value(urn, "status")
    return status is not None and bool(status.get("removed"))


def check_settings(view: View, change: Change) -> None:
    """Refuse a hidden property that is shown somewhere, and a second one shown as the badge."""
    settings = change.new
    if settings is None:
        return
    if settings.get("isHidden") and any(settings.get(flag) for flag in _DISPLAY_FLAGS):
        raise InvalidAspect(
            "Cannot have property isHidden = true while other display location settings are "
            "also true."
        )
    if settings.get("showAsAssetBadge"):
        others = [
            urn
            for urn in view.holders(change.aspect.name, "showAsAssetBadge")
            if urn != change.urn and _is_badge(view, urn)
        ]
        if others:
            raise InvalidAspect(
                "Cannot have more than one property set with show as badge. Property urns "
                f"currently set: [{', '.join(others)}]"
            )


def _is_badge(view: View, urn: str) -> bool:
    settings = view.value(urn, "structuredPropertySettings") or {}
    return bool(settings.get("showAsAssetBadge"))


def unassign(view: View, change: Change) -> Iterable[Proposal]:
    """Take the values of a property that was hard-deleted off every entity."""
    if change.new is not None:
        return
    for holder in view.holders("structuredProperties", change.urn):
        operation = {"op": "remove", "path": f"/properties/{change.urn}"}
        patch = {"patch": [operation], "arrayPrimaryKeys": {"properties": ["propertyUrn"]}}
        yield propose(view, holder, "structuredProperties", patch, "PATCH")
