"""From what is stored to what GraphQL answers, by the type that the schema declares.

A urn where an entity type is declared becomes that entity; a map where a list of `key` and
`value` is declared becomes that list; a stamp where a number is declared becomes its time; a
union of one member where a leaf is declared becomes that member; nothing where something is
promised becomes the empty text, zero or the empty list, as in GMS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
)

from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.room import Context


def shaped(value: Any, kind: GraphQLOutputType, context: Context, owner: Entity | None) -> Any:
    """`value` in the shape of `kind`; `owner` is the entity that it was read from."""
    if value is None and isinstance(kind, GraphQLNonNull):
        return _absent(kind.of_type)
    if value is None or isinstance(value, Entity | Part):
        return value
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        return _list(value, kind, context, owner)
    if isinstance(kind, GraphQLScalarType):
        return _leaf(value, kind.name)
    if isinstance(kind, GraphQLEnumType):
        return _member(value, kind)
    if isinstance(value, str):
        entity = context.loader.entity(value)
        if isinstance(kind, GraphQLObjectType) and entity and entity.type_name != kind.name:
            return None
        return entity
    return Part(owner, value) if isinstance(value, Mapping) else value


# What stands for nothing where the schema promises something.
_NOTHING: Mapping[str, Any] = {"String": "", "Boolean": False, "Int": 0, "Long": 0, "Float": 0.0}


def _absent(kind: GraphQLOutputType) -> Any:
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLScalarType):
        return _NOTHING.get(kind.name)
    return {} if isinstance(kind, GraphQLObjectType) and kind.name == "AuditStamp" else None


def _list(
    value: Any, kind: GraphQLList[Any], context: Context, owner: Entity | None
) -> list[Any] | None:
    inner = kind.of_type.of_type if isinstance(kind.of_type, GraphQLNonNull) else kind.of_type
    if isinstance(value, Mapping):
        if not (isinstance(inner, GraphQLObjectType) and "key" in inner.fields):
            return None
        value = [{"key": key, "value": item} for key, item in value.items()]
    found = [shaped(item, inner, context, owner) for item in value]
    if isinstance(kind.of_type, GraphQLNonNull):
        return [item for item in found if item is not None]
    return found


def _leaf(value: Any, scalar: str) -> Any:
    if not isinstance(value, Mapping):
        if scalar == "String" and isinstance(value, list):
            return None
        return value
    if scalar in ("Long", "Int") and "time" in value:
        return value["time"]
    return next(iter(value.values())) if len(value) == 1 else None


def _member(value: Any, kind: GraphQLEnumType) -> Any:
    return value if value in kind.values else None
