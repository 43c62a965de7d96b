"""The GraphQL schema: what the rooms declare, and one object type per entity of the registry.

Which fields an entity type has follows from the aspects that it may carry; rooms add to single
types with `extend type`, and what they declare there replaces what the aspects would give.
"""

from __future__ import annotations

from importlib.resources import files

from graphql import (
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    build_schema,
    parse,
    print_ast,
)

from dataspoke.local_hub.graphql import rooms
from dataspoke.local_hub.graphql.names import entity_names, query_name, type_name
from dataspoke.local_hub.registry import EntitySpec, Registry

_SCHEMA = files("dataspoke.local_hub.graphql") / "schema"

_EVERY_ENTITY = """
  urn: String!
  type: EntityType!
  exists: Boolean
  lastIngested: Long
  relationships(input: RelationshipsInput!): EntityRelationshipsResult
  lineage(input: LineageInput!): EntityLineageResult
  aspects(input: AspectParams): [RawAspect!]
  privileges: EntityPrivileges
"""


def make_schema(registry: Registry) -> GraphQLSchema:
    """Build the schema for the entities of a registry."""
    members = " ".join(entity_names(registry))
    queries = " ".join(
        f"{query_name(name)}(urn: String!): {type_name(name)}" for name in registry.entities
    )
    declared = "\n".join((_SCHEMA / room.schema).read_text() for room in rooms.ROOMS)
    anew = _extended(declared)
    parts = [
        f"enum EntityType {{ {members} }}",
        f"type Query {{ {queries} }}",
        "type Mutation",
        *(_object_type(spec, anew) for spec in registry.entities.values()),
        declared,
    ]
    return build_schema("\n".join(parts))


def _extended(declared: str) -> set[tuple[str, str]]:
    """The fields that extensions of types declare."""
    return {
        (node.name.value, field.name.value)
        for node in parse(declared, no_location=True).definitions
        if isinstance(node, ObjectTypeExtensionNode)
        for field in node.fields or ()
    }


def _object_type(spec: EntitySpec, anew: set[tuple[str, str]]) -> str:
    fields = [_EVERY_ENTITY]
    fields += [text for aspect, text in rooms.ASPECTS.items() if aspect in spec.aspects]
    name = type_name(spec.name)
    node = parse(f"type {name} {{ {' '.join(fields)} }}", no_location=True).definitions[0]
    assert isinstance(node, ObjectTypeDefinitionNode)
    kept = [field for field in node.fields or () if (name, field.name.value) not in anew]
    interfaces = ["Entity", "EntityWithRelationships"]
    if "browsePaths" in spec.aspects:
        interfaces.append("BrowsableEntity")
    # An ingestion source has a `type` of another kind.
    heritage = "" if (name, "type") in anew else f"implements {' & '.join(interfaces)}"
    return f"type {name} {heritage} {{ {' '.join(map(print_ast, kept))} }}"
