"""What of an entity can be searched, by the `Searchable` and `Relationship` annotations.

Pure: aspects in, a document out. Field values are kept as texts: booleans as `true` / `false`,
times and counts as decimal numbers, entries of a map as `key=value`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from dataspoke.local_hub.registry import AspectSpec, EntitySpec, annotations_in

# Longer texts are searched by their words, not matched as a whole.
LONGEST_VALUE = 500

# Values of these types get an index row of their own; others are found by scanning documents.
_FILTERED_TYPES = frozenset(
    {"URN", "URN_PARTIAL", "KEYWORD", "BOOLEAN", "TEXT_PARTIAL", "WORD_GRAM", "MAP_ARRAY"}
)
_TEXT_TYPES = frozenset({"TEXT", "TEXT_PARTIAL", "WORD_GRAM"})
_NAME_FIELDS = frozenset({"name", "id", "title", "displayName", "qualifiedName", "username"})
_FINE_GRAINED = "fineGrainedLineages"


@dataclass(frozen=True, slots=True)
class Edge:
    """A relationship and the aspect that states it."""

    source: str
    kind: str
    destination: str
    aspect: str


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
class _Extractor:
    """Where a searchable field lies within an aspect, and how it is kept."""

    path: tuple[str, ...]
    name: str
    kind: str
    by_default: bool
    has_values: str | None
    count_values: str | None


def document_of(spec: EntitySpec, urn: str, aspects: Mapping[str, Mapping[str, Any]]) -> Document:
    """The document of an entity from its latest aspects."""
    document = Document(urn, spec.name)
    for name, value in aspects.items():
        aspect = spec.aspects.get(name)
        if aspect is None:
            continue
        for extractor in _searchable(aspect):
            _extract(document, extractor, value)
        document.edges.extend(edges_of(aspect, urn, value))
    document.removed = document.fields.get("removed") == ["true"]
    if "structuredProperties" in aspects:
        _add_structured(document, aspects["structuredProperties"])
    document.fields["urn"] = [urn]
    return document


def edges_of(aspect: AspectSpec, urn: str, value: Mapping[str, Any]) -> Iterator[Edge]:
    """The relationships that an aspect of an entity states."""
    seen = set()
    for path, kind in _relationships(aspect):
        if path[0] == _FINE_GRAINED:
            continue
        for found in values_at(value, path):
            if isinstance(found, str) and (kind, found) not in seen:
                seen.add((kind, found))
                yield Edge(urn, kind, found, aspect.name)
    # Column lineage relates the columns with each other, not with the entity that states it.
    for lineage in value.get(_FINE_GRAINED) or ():
        for downstream in lineage.get("downstreams") or ():
            for upstream in lineage.get("upstreams") or ():
                yield Edge(downstream, "DownstreamOf", upstream, aspect.name)


def values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """All values at a path of an annotation; unions are entered on the way."""
    if not path:
        yield value
        return
    first, *rest = path
    if first == "*":
        if isinstance(value, list):
            for item in value:
                yield from values_at(item, rest)
        elif isinstance(value, Mapping):
            for name, item in value.items():
                yield from values_at(item if rest else f"{name}={_text(item)}", rest)
        return
    if not isinstance(value, Mapping):
        return
    if first == "$key":
        yield from value
    elif first in value:
        yield from values_at(value[first], rest)
    elif len(value) == 1:
        (inner,) = value.values()
        if isinstance(inner, Mapping) and first in inner:
            yield from values_at(inner[first], rest)


def _extract(document: Document, extractor: _Extractor, aspect: Mapping[str, Any]) -> None:
    texts = [text for text in map(_text, values_at(aspect, extractor.path)) if text]
    if extractor.has_values:
        document.fields[extractor.has_values] = [str(bool(texts)).lower()]
        document.filters.add(extractor.has_values)
    if extractor.count_values:
        document.fields[extractor.count_values] = [str(len(texts))]
    if not texts:
        return
    known = document.fields.setdefault(extractor.name, [])
    known.extend(text[:LONGEST_VALUE] for text in texts if text[:LONGEST_VALUE] not in known)
    if extractor.kind in _FILTERED_TYPES:
        document.filters.add(extractor.name)
    if extractor.by_default:
        if extractor.name in _NAME_FIELDS:
            document.names.extend(texts)
        else:
            document.texts.extend(texts)


def _add_structured(document: Document, aspect: Mapping[str, Any]) -> None:
    for item in aspect.get("properties") or ():
        name = "structuredProperties." + item["propertyUrn"].removeprefix(
            "urn:li:structuredProperty:"
        )
        document.fields[name] = [_text(value) for value in item.get("values") or ()]
        document.filters.add(name)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return _text(next(iter(value.values()))) if len(value) == 1 else ""
    return "" if value is None or isinstance(value, list) else str(value)


def _searchable(aspect: AspectSpec) -> tuple[_Extractor, ...]:
    found = _EXTRACTORS.get(aspect)
    if found is None:
        found = _EXTRACTORS[aspect] = tuple(_read_searchable(aspect))
    return found


def _relationships(aspect: AspectSpec) -> tuple[tuple[tuple[str, ...], str], ...]:
    found = _RELATIONSHIPS.get(aspect)
    if found is None:
        found = _RELATIONSHIPS[aspect] = tuple(
            (path, annotation["name"])
            for path, annotation in annotations_in(aspect.schema, "Relationship")
        )
    return found


def _read_searchable(aspect: AspectSpec) -> Iterator[_Extractor]:
    for path, annotation in annotations_in(aspect.schema, "Searchable"):
        steps = [step for step in path if step not in ("*", "$key")]
        kind = annotation.get("fieldType") or "TEXT"
        yield _Extractor(
            path,
            annotation.get("fieldName") or steps[-1],
            kind,
            annotation.get("queryByDefault", kind in _TEXT_TYPES) is True,
            annotation.get("hasValuesFieldName"),
            annotation.get("numValuesFieldName"),
        )


# Compiled once per aspect; the specs of a registry live as long as the hub.
_EXTRACTORS: WeakKeyDictionary[AspectSpec, tuple[_Extractor, ...]] = WeakKeyDictionary()
_RELATIONSHIPS: WeakKeyDictionary[AspectSpec, tuple[tuple[tuple[str, ...], str], ...]] = (
    WeakKeyDictionary()
)
