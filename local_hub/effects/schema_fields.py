"""Entities of their own for the columns of datasets, where the operator asks for them.

DataHub does this when MCP_SIDE_EFFECTS_SCHEMA_FIELD_ENABLED is true; by default it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dataspoke.local_hub.effects.model import Change, Consequence, View, propose
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.timeline.columns import plain_path

_ENCODED = str.maketrans({"(": "%28", ")": "%29", ",": "%2C"})


def follow_schema(view: View, change: Change) -> Iterable[Proposal]:
    """Make the columns that came, hide those that left, and remove all with the schema."""
    if change.entity.name != "dataset":
        return
    before, after = _paths(change.old), _paths(change.new)
    if change.new is None:
        for path in before:
            yield propose(view, _field(change.urn, path), "schemaFieldKey", None, "DELETE")
        return
    removed = view.value(change.urn, "status")
    known, current = _aliases(change.urn, before), _aliases(change.urn, after)
    for path in after:
        aliases = current[plain_path(path)]
        if change.change == "RESTATE" or aliases != known.get(plain_path(path)):
            value = {"aliases": sorted(aliases)}
            yield propose(view, _field(change.urn, path), "schemaFieldAliases", value)
        if removed is not None:
            yield propose(view, _field(change.urn, path), "status", removed)
    for path in before:
        if path not in after:
            yield propose(view, _field(change.urn, path), "status", {"removed": True})


def follow_status(view: View, change: Change) -> Iterable[Proposal]:
    """Columns are removed and restored with their dataset."""
    if change.entity.name != "dataset":
        return
    for path in _paths(view.value(change.urn, "schemaMetadata")):
        urn = _field(change.urn, path)
        if change.new is None:
            yield propose(view, urn, "status", None, "DELETE")
        else:
            yield propose(view, urn, "status", {"removed": bool(change.new.get("removed"))})


SCHEMA_FIELDS: Mapping[str, Consequence] = {
    "schemaMetadata": follow_schema,
    "status": follow_status,
}


def _paths(schema: Mapping[str, Any] | None) -> dict[str, None]:
    return {field["fieldPath"]: None for field in (schema or {}).get("fields", ())}


def _field(dataset: str, path: str) -> str:
    return f"urn:li:schemaField:({dataset},{path.translate(_ENCODED)})"


def _aliases(dataset: str, paths: Iterable[str]) -> dict[str, set[str]]:
    """By path without types, the urns of its columns: of that path, and of all that come to it."""
    found: dict[str, set[str]] = {}
    for path in paths:
        plain = plain_path(path)
        found.setdefault(plain, {_field(dataset, plain)}).add(_field(dataset, path))
    return found
