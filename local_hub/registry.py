"""The model registry: entities and aspects, read from the `.avsc` files of acryl-datahub.

The wheel ships one self-contained Avro schema per aspect, with DataHub's own annotations left in
(`Aspect`, `Searchable`, `Relationship`). A further folder may bring custom aspects: `.avsc` files
of the same form beside an `entity-registry.yaml` that says which entities carry them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import datahub.metadata
import orjson
import yaml

from dataspoke.core.errors import ConfigError
from dataspoke.local_hub.errors import BadUrn, UnknownAspect, UnknownEntity
from dataspoke.local_hub.urns import Urn

STOCK_MODELS = Path(datahub.metadata.__path__[0]) / "schemas"
_AVRO_NAMESPACE = ".pegasus2avro."


def pegasus_name(avro_name: str) -> str:
    """The name that GMS uses for a type: the one in the `.avsc` without `pegasus2avro`.

    >>> pegasus_name("com.linkedin.pegasus2avro.common.Status")
    'com.linkedin.common.Status'
    """
    return avro_name.replace(_AVRO_NAMESPACE, ".")


@dataclass(frozen=True, eq=False)
class AspectSpec:
    """One aspect: its name, the record that it holds, and where that record is kept."""

    name: str
    schema: Mapping[str, Any]
    timeseries: bool = False
    key_of: str | None = None

    @cached_property
    def record_name(self) -> str:
        """Fully qualified name as rest.li writes it."""
        return pegasus_name(f"{self.schema['namespace']}.{self.schema['name']}")

    @cached_property
    def relationships(self) -> tuple[Mapping[str, Any], ...]:
        """What the aspect says of its relationships: `name`, `isLineage`, `isUpstream`, …"""
        return tuple(found for _, found in annotations_in(self.schema, "Relationship"))

    @cached_property
    def has_lineage(self) -> bool:
        """Whether a relationship of this aspect is lineage: then a no-op write is restated."""
        return any(annotation.get("isLineage") for annotation in self.relationships)


@dataclass(frozen=True, eq=False)
class EntitySpec:
    """One entity type, its key aspect and the aspects that it may carry (key included)."""

    name: str
    key_aspect: AspectSpec
    aspects: Mapping[str, AspectSpec]
    category: str = "core"

    @cached_property
    def key_fields(self) -> tuple[tuple[str, Any], ...]:
        """Names and Avro types of the parts of the urn, in order."""
        return tuple((part["name"], part["type"]) for part in self.key_aspect.schema["fields"])


@dataclass(frozen=True)
class Registry:
    """All entities by name, all aspects by name."""

    entities: Mapping[str, EntitySpec]
    aspects: Mapping[str, AspectSpec]
    _by_lower_name: Mapping[str, EntitySpec] = field(repr=False, default_factory=dict)

    @classmethod
    def load(cls, folders: Sequence[Path] = ()) -> Registry:
        """Read the stock models and those in `folders`. A damaged model raises ConfigError."""
        aspects: dict[str, AspectSpec] = {}
        allowed: dict[str, list[str]] = {}
        keys: dict[str, str] = {}
        categories: dict[str, str] = {}
        for schema in _read_schemas([STOCK_MODELS, *folders]):
            annotation = schema.get("Aspect")
            if annotation is None:
                continue
            name = annotation["name"]
            key_of = annotation.get("keyForEntity")
            aspects[name] = AspectSpec(name, schema, annotation.get("type") == "timeseries", key_of)
            if key_of:
                keys[key_of] = name
                categories[key_of] = annotation.get("entityCategory", "core")
                allowed.setdefault(key_of, []).extend(annotation["entityAspects"])
        for folder in folders:
            for entity, names in _read_entity_registry(folder):
                allowed.setdefault(entity, []).extend(names)
        return cls._link(aspects, keys, allowed, categories)

    @classmethod
    def _link(
        cls,
        aspects: Mapping[str, AspectSpec],
        keys: Mapping[str, str],
        allowed: Mapping[str, list[str]],
        categories: Mapping[str, str],
    ) -> Registry:
        entities: dict[str, EntitySpec] = {}
        for entity, names in allowed.items():
            if entity not in keys:
                raise ConfigError(
                    f"Cannot load the models: entity-registry.yaml names the entity {entity!r}, "
                    "which has no key aspect. Add its .avsc or correct the name."
                )
            missing = [name for name in names if name not in aspects]
            if missing:
                raise ConfigError(
                    f"Cannot load the models: the entity {entity!r} lists the aspect "
                    f"{missing[0]!r}, which no .avsc defines. Add it or correct the name."
                )
            carried = dict.fromkeys([keys[entity], *names])
            entities[entity] = EntitySpec(
                entity,
                aspects[keys[entity]],
                {name: aspects[name] for name in carried},
                categories[entity],
            )
        lower = {name.lower(): spec for name, spec in entities.items()}
        return cls(entities, aspects, lower)

    def entity(self, name: str) -> EntitySpec:
        """The entity called `name`, in any case (as the OpenAPI paths allow)."""
        spec = self.entities.get(name) or self._by_lower_name.get(name.lower())
        if spec is None:
            raise UnknownEntity(f"Failed to find entity with name {name} in EntityRegistry")
        return spec

    def aspect(self, entity: EntitySpec, name: str) -> AspectSpec:
        """An aspect that `entity` may carry."""
        spec = entity.aspects.get(name)
        if spec is None:
            raise UnknownAspect(f"Unknown aspect {name} for entity {entity.name}")
        return spec

    def entity_of(self, urn: str) -> EntitySpec:
        """The entity type that a urn names."""
        return self.entity(Urn.parse(urn).entity_type)

    def key_of(self, urn: str) -> dict[str, Any]:
        """The value of the key aspect that a urn stands for. Raises BadUrn."""
        parsed = Urn.parse(urn)
        spec = self.entity(parsed.entity_type)
        fields = spec.key_fields
        parts = parsed.parts if len(fields) > 1 else (parsed.body,)
        if len(parts) != len(fields):
            raise BadUrn(urn, f"its key has {len(parts)} parts, expected {len(fields)}")
        key: dict[str, Any] = {}
        for part, (name, kind) in zip(parts, fields, strict=True):
            if not part:
                raise BadUrn(urn, f"{name} is empty")
            key[name] = _key_part(urn, part, name, kind)
        return key


def annotations_in(schema: Any, kind: str) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """All annotations `kind` (`Searchable`, `Relationship`) with the path of what they mark.

    A path is made of field names, `*` for the items of an array and `$key` for the keys of a
    map; the values of a map are `*` as well. Union members are not steps of the path: the
    readers of values skip them.
    """
    yield from _annotations(schema, kind, (), {}, (), "")


def _annotations(
    schema: Any,
    kind: str,
    path: tuple[str, ...],
    named: dict[str, Any],
    open_records: tuple[str, ...],
    namespace: str,
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if isinstance(schema, str):
        full = schema if "." in schema else f"{namespace}.{schema}"
        if full in named and full not in open_records:
            yield from _annotations(named[full], kind, path, named, open_records, namespace)
        return
    if isinstance(schema, list):
        for member in schema:
            yield from _annotations(member, kind, path, named, open_records, namespace)
        return
    match schema["type"]:
        case "record":
            namespace = schema.get("namespace", namespace)
            full = f"{namespace}.{schema['name']}"
            named[full] = schema
            for part in schema["fields"]:
                here = (*path, part["name"])
                yield from _own(part.get(kind), here)
                if kind in part and _is_override(part[kind]):
                    continue
                yield from _annotations(
                    part["type"], kind, here, named, (*open_records, full), namespace
                )
        case "array":
            yield from _annotations(
                schema["items"], kind, (*path, "*"), named, open_records, namespace
            )
        case "map":
            yield from _annotations(
                schema["values"], kind, (*path, "*"), named, open_records, namespace
            )
        case "enum" | "fixed":
            pass
        case nested if not isinstance(nested, str):
            yield from _annotations(nested, kind, path, named, open_records, namespace)


def _is_override(annotation: Mapping[str, Any]) -> bool:
    """Whether keys such as `/*/tag` annotate what lies inside, in place of its own marks."""
    return any(key.startswith("/") for key in annotation)


def _own(
    annotation: Mapping[str, Any] | None, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if annotation is None:
        return
    inside = {key: value for key, value in annotation.items() if key.startswith("/")}
    if not inside:
        yield path, annotation
    for key, value in inside.items():
        if isinstance(value, Mapping):
            yield (*path, *key.strip("/").split("/")), value


def _key_part(urn: str, part: str, name: str, kind: Any) -> Any:
    if isinstance(kind, list):
        kind = next(member for member in kind if member != "null")
    if isinstance(kind, dict) and kind["type"] == "enum" and part not in kind["symbols"]:
        raise BadUrn(urn, f"{name} {part!r} is not one of {', '.join(kind['symbols'])}")
    if kind in ("int", "long"):
        try:
            return int(part)
        except ValueError as exc:
            raise BadUrn(urn, f"{name} {part!r} is no number") from exc
    return part


def _read_schemas(folders: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for folder in folders:
        for path in sorted(folder.glob("*.avsc")):
            try:
                schema = orjson.loads(path.read_bytes())
            except orjson.JSONDecodeError as exc:
                raise ConfigError(
                    f"Cannot load the models: {path} is not JSON ({exc}). Generate it again."
                ) from exc
            if isinstance(schema, dict):
                yield schema


def _read_entity_registry(folder: Path) -> Iterator[tuple[str, list[str]]]:
    path = folder / "entity-registry.yaml"
    if not path.exists():
        return
    content = yaml.safe_load(path.read_text()) or {}
    for entity in content.get("entities", ()):
        yield entity["name"], list(entity.get("aspects", ()))
