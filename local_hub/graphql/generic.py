"""Fields that no room resolves by hand: root fields of entity types, and aspects by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.names import enum_name, query_name
from dataspoke.local_hub.graphql.room import Arguments, Context, FieldReader
from dataspoke.local_hub.registry import EntitySpec
from dataspoke.local_hub.urns import Urn

# The aspect that GraphQL calls `properties` or `info`, where it is not `<entity>Properties`.
_PROPERTIES = {
    "chart": "chartInfo",
    "dashboard": "dashboardInfo",
    "dataJob": "dataJobInfo",
    "dataFlow": "dataFlowInfo",
    "corpuser": "corpUserInfo",
    "corpGroup": "corpGroupInfo",
    "glossaryTerm": "glossaryTermInfo",
    "glossaryNode": "glossaryNodeInfo",
    "dataPlatform": "dataPlatformInfo",
    "structuredProperty": "propertyDefinition",
}
_EDITABLE = {"corpuser": "corpUserEditableInfo", "corpGroup": "corpGroupEditableInfo"}
_OTHER_NAMES = {"tags": "globalTags", "browsePathV2": "browsePathsV2"}


def read_root(context: Context, name: str, arguments: Arguments) -> Entity:
    """An entity by the root field of its type, whether it exists or not. Raises BadRequest."""
    entity = context.loader.entity(arguments["urn"])
    if entity is None or query_name(entity.spec.name) != name:
        raise BadRequest(f"Failed to convert urn {arguments['urn']} to a {name}")
    return entity


def read_field(entity: Entity, name: str, _: Arguments) -> Any:
    """An aspect, a part of the key, or what the properties say, whichever is called `name`."""
    if name in ("urn", "exists"):
        return getattr(entity, name)
    if name == "type":
        return enum_name(entity.spec.name)
    if name in ("properties", "info"):
        return properties(entity)
    if name in ("editableProperties", "editableInfo"):
        aspect = editable_aspect(entity.spec) or name
    else:
        aspect = _OTHER_NAMES.get(name, name)
    if aspect in entity.spec.aspects:
        value = entity.aspect(aspect)
        return Part(entity, value) if value else None
    key = entity.key
    if name in key:
        return key[name]
    described = properties(entity)
    return None if described is None else described.get(name)


def properties(entity: Entity) -> Part | None:
    """The aspect that describes an entity, with a name in any case."""
    name = entity.spec.name
    spelled = name[0].lower() + name[1:]
    value: Mapping[str, Any] = {}
    for aspect in (_PROPERTIES.get(name, f"{spelled}Properties"), f"{spelled}Info"):
        if aspect in entity.spec.aspects:
            value = entity.aspect(aspect)
            break
    return Part(entity, {**value, "name": name_of(entity, value)}) if value else None


def editable_aspect(spec: EntitySpec) -> str | None:
    """The aspect that holds what people wrote over the properties of an entity."""
    if spec.name in _EDITABLE:
        return _EDITABLE[spec.name]
    return next(
        (
            name
            for name in spec.aspects
            if name.startswith("editable") and name.endswith("Properties")
        ),
        None,
    )


def name_of(entity: Entity, value: Mapping[str, Any]) -> str:
    """What an entity is called: by its properties, else by its key."""
    for field in ("name", "title", "displayName"):
        if value.get(field):
            return str(value[field])
    name = entity.key.get("name")
    return str(name) if name else Urn.parse(entity.urn).parts[-1]


def shown_name(entity: Entity) -> str:
    """What people call an entity: the name that its properties give, else that of its key."""
    described = properties(entity)
    if described is None:
        return name_of(entity, {})
    return str(described.get("displayName") or described["name"])


def renamed(name: str) -> FieldReader:
    """Reads what the source keeps under another name."""
    return lambda source, _: source.get(name)


def key_field(name: str) -> FieldReader:
    """Reads a part of the urn of an entity."""
    return lambda entity, _: entity.key.get(name)


def aspect_field(name: str) -> FieldReader:
    """Reads an aspect of an entity, None if it has none."""
    return lambda entity, _: entity.aspect(name) or None
