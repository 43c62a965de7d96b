"""Runs a GraphQL request: parse, check against the schema, resolve."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, graphql_sync

from dataspoke.local_hub.errors import BadRequest, HubError
from dataspoke.local_hub.graphql.entities import Entity, Loader
from dataspoke.local_hub.graphql.resolvers import Context, resolve_mutation, resolve_query
from dataspoke.local_hub.graphql.schema import make_schema
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.relationships import Lineage
from dataspoke.local_hub.search import Search
from dataspoke.local_hub.search_store import SearchStore

logger = logging.getLogger(__name__)


class GraphQL:
    """Answers GraphQL requests over one hub. The schema is built at the first request."""

    def __init__(self, hub: Hub, index: SearchStore, search: Search, lineage: Lineage) -> None:
        self._hub = hub
        self._index = index
        self._search = search
        self._lineage = lineage
        self._schema: GraphQLSchema | None = None

    def run(self, body: Any) -> dict[str, Any]:
        """`{query, variables, operationName}` → `{data, errors?}`. Raises BadRequest."""
        if not isinstance(body, Mapping) or not isinstance(body.get("query"), str):
            raise BadRequest("Cannot run the GraphQL request: it has no query")
        variables = body.get("variables")
        if variables is not None and not isinstance(variables, Mapping):
            raise BadRequest("Cannot run the GraphQL request: variables is no object")
        if self._schema is None:
            self._schema = make_schema(self._hub.registry)
        context = Context(self._hub, self._index, self._search, self._lineage, Loader(self._hub))
        result = graphql_sync(
            self._schema,
            body["query"],
            context_value=context,
            variable_values=dict(variables or {}),
            operation_name=body.get("operationName"),
            field_resolver=_resolve_field,
            type_resolver=_resolve_type,
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [_shown(error) for error in result.errors]
        return answer


def _resolve_field(source: Any, info: GraphQLResolveInfo[Context], **arguments: Any) -> Any:
    if source is None:
        root = info.parent_type.name
        resolve = resolve_mutation if root == "Mutation" else resolve_query
        return resolve(info.context, info.field_name, arguments)
    if isinstance(source, Entity):
        return source.field(info.field_name, arguments)
    value = source.get(info.field_name) if isinstance(source, Mapping) else None
    return value() if callable(value) else value


def _resolve_type(value: Any, *_: Any) -> str | None:
    if isinstance(value, Entity):
        return value.type_name
    found = value.get("__typename") if isinstance(value, Mapping) else None
    return None if found is None else str(found)


def _shown(error: GraphQLError) -> dict[str, Any]:
    """An error as GMS answers it; what is not the client's fault is logged, not shown."""
    cause = error.original_error
    code, kind, message = 400, "BAD_REQUEST", error.message
    if cause is not None and not isinstance(cause, GraphQLError | HubError):
        logger.error("GraphQL failed at %s", error.path, exc_info=cause)
        code, kind, message = 500, "SERVER_ERROR", "An unknown error occurred."
    shown: dict[str, Any] = {
        "message": message,
        "extensions": {"code": code, "type": kind, "classification": "DataFetchingException"},
    }
    if error.path:
        shown["path"] = error.path
    if error.locations:
        shown["locations"] = [
            {"line": location.line, "column": location.column} for location in error.locations
        ]
    return shown
