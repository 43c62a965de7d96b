"""What refers to an entity, and the writes that take these references away.

As in GMS only fields that the models mark as relationships count. An optional field is dropped;
an item of a list goes as a whole when a required field of it does; what is left of an aspect
without a required field is nothing, and the aspect is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.registry import AspectSpec, annotations_in
from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY
from dataspoke.local_hub.search_store import SearchStore
from dataspoke.local_hub.urns import Urn

_GONE = object()
_Path = tuple[str, ...]

# Aspects that name a form without a relationship, and where.
_FORM_PATHS: tuple[_Path, ...] = (
    ("incompleteForms", "*", "urn"),
    ("completedForms", "*", "urn"),
    ("verifications", "*", "form"),
)
# Fields that follow others of their aspect when they are left out of a write.
_FOLLOWING = {"domains": "domainAssociations"}


def references(store: SearchStore, urn: str) -> list[tuple[str, str, str]]:
    """Who refers to an entity: (urn, relationship, aspect)."""
    with store.reader() as connection:
        rows = connection.execute(
            "SELECT DISTINCT doc.urn, kind, aspect FROM edge JOIN doc ON doc.id = edge.owner "
            "WHERE destination = ? ORDER BY 1, 3, 2",
            (urn,),
        )
        return [(source, kind, aspect) for source, kind, aspect in rows]


def without_references(hub: Hub, urn: str, found: Iterable[tuple[str, str, str]]) -> list[Proposal]:
    """The writes that take `urn` out of the aspects that refer to it."""
    places = dict.fromkeys((source, name) for source, _, name in found)
    if Urn.parse(urn).entity_type == "form":
        places.update(dict.fromkeys((holder, "forms") for holder in _with_form(hub, urn)))
    proposals = []
    for source, name in places:
        row = hub.store.aspect(source, name)
        if row is None:
            continue
        spec = hub.registry.entity_of(source)
        value = orjson.loads(row.value)
        cleaned = without(hub.registry.aspect(spec, name), value, urn)
        if cleaned is None:
            proposals.append(hub.proposals.build(spec.name, source, name, "DELETE", None))
        elif cleaned != value:
            cleaned.pop(_FOLLOWING.get(name, ""), None)
            proposals.append(hub.proposals.build(spec.name, source, name, "UPSERT", cleaned))
    return proposals


def _with_form(hub: Hub, urn: str) -> list[str]:
    """Entities that a form is assigned to. A scan."""
    rows = hub.store.reader().execute(
        "SELECT e.urn FROM entity e JOIN aspect a ON a.id = e.id * ? + ? WHERE instr(a.value, ?)",
        (ASPECTS_PER_ENTITY, hub.store.aspect_numbers["forms"], urn),
    )
    return [row[0] for row in rows]


def without(aspect: AspectSpec, value: Mapping[str, Any], urn: str) -> dict[str, Any] | None:
    """`value` without the references to `urn`, or None if nothing of it can stay."""
    marked = [path for path, _ in annotations_in(aspect.schema, "Relationship")]
    types: dict[str, Any] = {}
    _collect(aspect.schema, types)
    result: Any = dict(value)
    for path in (*marked, *(_FORM_PATHS if aspect.name == "forms" else ())):
        result = _removed(aspect.schema, result, path, urn, types)
        if result is _GONE:
            return None
    return dict(result)


def _collect(schema: Any, types: dict[str, Any]) -> None:
    """All named types of a schema by their full and by their short names."""
    if isinstance(schema, list):
        for member in schema:
            _collect(member, types)
    elif isinstance(schema, Mapping):
        if "name" in schema:
            types[schema["name"]] = types[f"{schema.get('namespace')}.{schema['name']}"] = schema
        for part in schema.get("fields", ()):
            _collect(part["type"], types)
        for inner in ("items", "values"):
            _collect(schema.get(inner), types)


def _removed(schema: Any, value: Any, path: _Path, urn: str, types: Mapping[str, Any]) -> Any:
    """What is left of `value` without `urn` at `path`; `_GONE` for nothing."""
    if not path:
        return _GONE if value == urn else value
    if isinstance(schema, str):
        schema = types.get(schema, schema)
    if isinstance(schema, list):
        return _removed_in_union(schema, value, path, urn, types)
    if not isinstance(schema, Mapping):
        return value
    if schema["type"] == "array" and path[0] == "*":
        left = (_removed(schema["items"], item, path[1:], urn, types) for item in value)
        return [item for item in left if item is not _GONE]
    if schema["type"] == "map" and path[0] == "*":
        kept = {
            key: _removed(schema["values"], item, path[1:], urn, types)
            for key, item in value.items()
        }
        return {key: item for key, item in kept.items() if item is not _GONE}
    if schema["type"] == "record" and path[0] in value:
        return _removed_in_record(schema, value, path, urn, types)
    return value


def _removed_in_union(
    members: Sequence[Any], value: Any, path: _Path, urn: str, types: Mapping[str, Any]
) -> Any:
    real = [member for member in members if member != "null"]
    if len(real) == 1:
        return _removed(real[0], value, path, urn, types)
    ((name, inner),) = value.items()
    for member in real:
        member = types.get(member, member) if isinstance(member, str) else member
        if isinstance(member, Mapping) and member.get("name") == name.rpartition(".")[2]:
            left = _removed(member, inner, path, urn, types)
            return left if left is _GONE else {name: left}
    return value


def _removed_in_record(
    schema: Mapping[str, Any], value: Any, path: _Path, urn: str, types: Mapping[str, Any]
) -> Any:
    name = path[0]
    part = next(part for part in schema["fields"] if part["name"] == name)
    left = _removed(part["type"], value[name], path[1:], urn, types)
    if left is not _GONE:
        return {**value, name: left}
    if isinstance(part["type"], list) and "null" in part["type"]:
        return {key: item for key, item in value.items() if key != name}
    return _GONE
