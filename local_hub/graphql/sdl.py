"""The GraphQL schema: what the rooms declare, and one object type per entity of the registry.

Which fields an entity type has follows from the aspects that it may carry; rooms add to single
types with `extend type`.
"""

from __future__ import annotations

from importlib.resources import files

from graphql import GraphQLSchema, build_schema

from dataspoke.local_hub.graphql import rooms
from dataspoke.local_hub.graphql.names import entity_names, query_name, type_name
from dataspoke.local_hub.registry import EntitySpec, Registry

_SCHEMA = files("dataspoke.local_hub.graphql") / "schema"

_EVERY_ENTITY = """
  urn: String!
  type: EntityType!
  exists: Boolean
  properties: EntityProperties
"""


def make_schema(registry: Registry) -> GraphQLSchema:
    """Build the schema for the entities of a registry."""
    members = " ".join(entity_names(registry))
    queries = " ".join(
        f"{query_name(name)}(urn: String!): {type_name(name)}" for name in registry.entities
    )
    parts = [
        f"enum EntityType {{ {members} }}",
        f"type Query {{ {queries} }}",
        "type Mutation",
        *(_object_type(spec) for spec in registry.entities.values()),
        *((_SCHEMA / room.schema).read_text() for room in rooms.ROOMS),
    ]
    return build_schema("\n".join(parts))


def _object_type(spec: EntitySpec) -> str:
    fields = [_EVERY_ENTITY]
    fields += [text for aspect, text in rooms.ASPECTS.items() if aspect in spec.aspects]
    return f"type {type_name(spec.name)} implements Entity {{ {' '.join(fields)} }}"
