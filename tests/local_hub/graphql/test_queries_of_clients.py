"""Every GraphQL document that we or the stock command line send fits the hub's schema."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from datahub.cli.search_cli import _build_search_query
from graphql import (
    DocumentNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    print_ast,
    validate,
)

from dataspoke.local_hub.graphql import rooms
from dataspoke.local_hub.graphql.sdl import make_schema
from dataspoke.local_hub.registry import Registry

ROOT = Path(__file__).parents[3]
FOLDERS = ("actions", "cli", "core", "ingestion_sources", "search_service")


@pytest.fixture(scope="module")
def schema(registry: Registry) -> GraphQLSchema:
    return make_schema(registry)


def read_document(text: str) -> DocumentNode | None:
    """A text as a GraphQL document, None if it is something else."""
    if "{" not in text:
        return None
    try:
        document = parse(text)
    except GraphQLSyntaxError:
        return None
    found = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return document if found else None


def asks_for_nothing_known(document: DocumentNode) -> bool:
    """Whether a document is meant to be refused: it asks for what is named `noSuch…`."""
    return "noSuch" in print_ast(document)


def our_documents() -> Iterator[tuple[str, DocumentNode]]:
    """The documents that are written out in our own modules, by module and line."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    document = read_document(node.value)
                    if document is not None and not asks_for_nothing_known(document):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", document


OURS = list(our_documents())


@pytest.mark.parametrize("document", [one for _, one in OURS], ids=[name for name, _ in OURS])
def test_our_own_documents_fit_the_schema(schema: GraphQLSchema, document: DocumentNode) -> None:
    assert [error.message for error in validate(schema, document)] == []


@pytest.mark.parametrize(
    "projection",
    [
        None,
        "urn type",
        "urn type ... on Dataset { properties { name description } platform { name } }",
        "... on Dataset { platform { ...PlatformFields } }",
    ],
)
def test_projections_of_the_search_command_fit_the_schema(
    schema: GraphQLSchema, projection: str | None
) -> None:
    document = parse(_build_search_query(semantic=False, projection=projection))
    assert [error.message for error in validate(schema, document)] == []


def test_every_function_of_a_room_belongs_to_a_declared_field(schema: GraphQLSchema) -> None:
    def declared(type_name: str, field: str) -> bool:
        kind = schema.get_type(type_name)
        return field in getattr(kind, "fields", {})

    places = [place for place in rooms.FIELDS if place[0] != "Entity"]
    places += [("Query", name) for name in rooms.QUERIES]
    places += [("Mutation", name) for name in rooms.MUTATIONS]
    assert [place for place in places if not declared(*place)] == []


def test_every_mutation_does_something(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    assert [name for name in schema.mutation_type.fields if name not in rooms.MUTATIONS] == []
