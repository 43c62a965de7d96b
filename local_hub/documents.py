"""What of an entity can be searched, by the `Searchable` and `Relationship` annotations.

Pure: aspects in, a document out. Field values are kept as texts: booleans as `true` / `false`,
times and counts as decimal numbers, entries of a map as `key=value`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from dataspoke.local_hub.paths import Paths
from dataspoke.local_hub.registry import AspectSpec, EntitySpec, Registry, annotations_in

# Longer texts are searched by their words, not matched as a whole.
LONGEST_VALUE = 500

# Values of these types get an index row of their own; others are found by scanning documents.
_FILTERED_TYPES = frozenset(
    {"URN", "URN_PARTIAL", "KEYWORD", "BOOLEAN", "TEXT_PARTIAL", "WORD_GRAM", "MAP_ARRAY"}
)
_TEXT_TYPES = frozenset({"TEXT", "TEXT_PARTIAL", "WORD_GRAM"})
_NAME_FIELDS = frozenset({"name", "id", "title", "displayName", "qualifiedName", "username"})
_NUMERIC_TYPES = frozenset({"COUNT", "DATETIME", "DOUBLE"})
_FINE_GRAINED = "fineGrainedLineages"
# What the fields of structured properties begin with; the name of the property follows.
STRUCTURED = "structuredProperties."
_STRUCTURED_URN = "urn:li:structuredProperty:"


@dataclass(frozen=True, slots=True)
class Edge:
    """A relationship and the aspect that states it; `via` is the query or job that makes it so."""

    source: str
    kind: str
    destination: str
    aspect: str
    via: str | None = None


@dataclass(slots=True)
class Document:
    """One entity as the index holds it. `filters` names the fields that have index rows."""

    urn: str
    entity_type: str
    removed: bool = False
    fields: dict[str, list[str]] = field(default_factory=dict)
    filters: set[str] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Field:
    """A searchable field of an aspect, and how it is kept."""

    name: str
    kind: str
    by_default: bool
    has_values: str | None
    count_values: str | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to read of an aspect: `paths` leads to the fields, then to the relationships.

    `vias` are by relationship: the list that states it, and in each item its other end and its via.
    """

    aspect: str
    paths: Paths
    fields: tuple[_Field, ...]
    relationships: tuple[str, ...]
    vias: Mapping[str, tuple[str, str, str]]


def document_of(spec: EntitySpec, urn: str, aspects: Mapping[str, Mapping[str, Any]]) -> Document:
    """The document of an entity from its latest aspects."""
    document = Document(urn, spec.name)
    for name, value in aspects.items():
        aspect = spec.aspects.get(name)
        if aspect is None:
            continue
        plan = _plan_of(aspect)
        found = plan.paths.read(value)
        for field_plan, values in zip(plan.fields, found, strict=False):
            _add_field(document, field_plan, values)
        document.edges.extend(_edges(plan, urn, value, found[len(plan.fields) :]))
    document.removed = document.fields.get("removed") == ["true"]
    if "structuredProperties" in aspects:
        _add_structured(document, aspects["structuredProperties"])
    document.fields["urn"] = [urn]
    if len(spec.key_fields) == 1:
        document.texts.append(urn.split(":", 3)[3])  # GMS finds urns by their words
    return document


def _edges(
    plan: _Plan, urn: str, value: Mapping[str, Any], found: Sequence[Sequence[Any]]
) -> Iterator[Edge]:
    """The relationships that an aspect of an entity states."""
    seen = set()
    for kind, destinations in zip(plan.relationships, found, strict=True):
        vias = _vias(plan, kind, value)
        for destination in destinations:
            if type(destination) is str and (kind, destination) not in seen:
                seen.add((kind, destination))
                yield Edge(urn, kind, destination, plan.aspect, vias.get(destination))
    # Column lineage relates the columns with each other, not with the entity that states it.
    job = urn if urn.startswith("urn:li:dataJob:") else None
    for lineage in value.get(_FINE_GRAINED) or ():
        for downstream in lineage.get("downstreams") or ():
            for upstream in lineage.get("upstreams") or ():
                via = job or lineage.get("query")
                yield Edge(downstream, "DownstreamOf", upstream, plan.aspect, via)


def _vias(plan: _Plan, kind: str, value: Mapping[str, Any]) -> Mapping[str, str]:
    """Destination → what it is related by, for a relationship that tells."""
    if kind not in plan.vias:
        return {}
    items, end, via = plan.vias[kind]
    return {item[end]: item[via] for item in value.get(items) or () if item.get(via)}


def _add_field(document: Document, plan: _Field, values: Sequence[Any]) -> None:
    texts = [text for text in map(_text, values) if text]
    if plan.has_values and (texts or plan.has_values not in document.fields):
        document.fields[plan.has_values] = [str(bool(texts)).lower()]
        document.filters.add(plan.has_values)
    if plan.count_values:
        document.fields[plan.count_values] = [str(len(texts))]
    if not texts:
        return
    known = document.fields.get(plan.name, [])
    shown = dict.fromkeys([*known, *(text[:LONGEST_VALUE] for text in texts)])
    document.fields[plan.name] = list(shown)
    if plan.kind in _FILTERED_TYPES:
        document.filters.add(plan.name)
    if plan.by_default:
        if plan.name in _NAME_FIELDS:
            document.names.extend(texts)
        else:
            document.texts.extend(texts)


def _add_structured(document: Document, aspect: Mapping[str, Any]) -> None:
    for item in aspect.get("properties") or ():
        name = STRUCTURED + item["propertyUrn"].removeprefix(_STRUCTURED_URN)
        document.fields[name] = [_text(value) for value in item.get("values") or ()]
        document.filters.add(name)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return _text(next(iter(value.values()))) if len(value) == 1 else ""
    return "" if value is None or isinstance(value, list) else str(value)


def numeric_fields(registry: Registry) -> frozenset[str]:
    """Names of the fields whose values are numbers or times."""
    return frozenset(
        name
        for aspect in registry.aspects.values()
        if not aspect.timeseries
        for plan in _plan_of(aspect).fields
        for name in ((plan.name if plan.kind in _NUMERIC_TYPES else None), plan.count_values)
        if name is not None
    )


def scanned_fields(registry: Registry) -> dict[str, list[str]]:
    """Field → entity types in which it has no index rows, though it may have in others."""
    found: dict[str, set[str]] = {}
    for entity in registry.entities.values():
        plans = [_plan_of(aspect) for aspect in entity.aspects.values() if not aspect.timeseries]
        fields = [plan for each in plans for plan in each.fields]
        filtered = {plan.name for plan in fields if plan.kind in _FILTERED_TYPES}
        for plan in fields:
            if plan.name not in filtered:
                found.setdefault(plan.name, set()).add(entity.name)
    return {name: sorted(entities) for name, entities in found.items()}


def _plan_of(aspect: AspectSpec) -> _Plan:
    plan = _PLANS.get(aspect)
    if plan is None:
        plan = _PLANS[aspect] = _read_plan(aspect)
    return plan


def _read_plan(aspect: AspectSpec) -> _Plan:
    paths, fields, relationships = [], [], []
    vias = {}
    for path, annotation in annotations_in(aspect.schema, "Searchable"):
        steps = [step for step in path if step not in ("*", "$key")]
        kind = annotation.get("fieldType") or "TEXT"
        paths.append(path)
        fields.append(
            _Field(
                annotation.get("fieldName") or steps[-1],
                kind,
                annotation.get("queryByDefault", kind in _TEXT_TYPES) is True,
                annotation.get("hasValuesFieldName"),
                annotation.get("numValuesFieldName"),
            )
        )
    for path, annotation in annotations_in(aspect.schema, "Relationship"):
        if path[0] != _FINE_GRAINED:
            paths.append(path)
            relationships.append(annotation["name"])
            if annotation.get("via"):
                items, _, via = annotation["via"].split("/")
                vias[annotation["name"]] = (items, path[-1], via)
    return _Plan(aspect.name, Paths(paths), tuple(fields), tuple(relationships), vias)


# Made once per aspect; the specs of a registry live as long as the hub.
_PLANS: WeakKeyDictionary[AspectSpec, _Plan] = WeakKeyDictionary()
