"""Runs a GraphQL request: parse, check against the schema, resolve."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, graphql_sync

from dataspoke.local_hub.access.door import Access
from dataspoke.local_hub.errors import BadRequest, HubError
from dataspoke.local_hub.graphql import permissions, rooms
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.generic import read_field, read_root
from dataspoke.local_hub.graphql.room import Context
from dataspoke.local_hub.graphql.sdl import make_schema
from dataspoke.local_hub.graphql.values import shaped
from dataspoke.local_hub.hub import DEFAULT_ACTOR, Hub, now_millis
from dataspoke.local_hub.relationships import Lineage
from dataspoke.local_hub.search import Search
from dataspoke.local_hub.search_store import SearchStore

logger = logging.getLogger(__name__)

# How GMS calls the statuses of its errors.
_KINDS = {400: "BAD_REQUEST", 403: "UNAUTHORIZED", 404: "NOT_FOUND", 409: "CONFLICT"}


class GraphQL:
    """Answers GraphQL requests over one hub. The schema is built at the first request."""

    def __init__(
        self, hub: Hub, index: SearchStore, search: Search, lineage: Lineage, access: Access
    ) -> None:
        self._access = access
        self._hub = hub
        self._index = index
        self._search = search
        self._lineage = lineage
        self._schema: GraphQLSchema | None = None

    def run(self, body: Any, actor: str = DEFAULT_ACTOR) -> dict[str, Any]:
        """`{query, variables, operationName}` → `{data, errors?}`. Raises BadRequest."""
        if not isinstance(body, Mapping) or not isinstance(body.get("query"), str):
            raise BadRequest("Cannot run the GraphQL request: it has no query")
        variables = body.get("variables")
        if variables is not None and not isinstance(variables, Mapping):
            raise BadRequest("Cannot run the GraphQL request: variables is no object")
        if self._schema is None:
            self._schema = make_schema(self._hub.registry)
        context = Context(
            self._hub,
            self._index,
            self._search,
            self._lineage,
            actor,
            now_millis(),
            self._access,
        )
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
    parent, name = info.parent_type.name, info.field_name
    owner: Entity | None = None
    value: Any
    if source is None:
        permissions.check(info.context, parent, name, arguments)
        table = rooms.MUTATIONS if parent == "Mutation" else rooms.QUERIES
        resolve = table.get(name)
        if resolve is None:
            value = read_root(info.context, name, arguments)
        else:
            value = resolve(info.context, arguments)
    else:
        owner = source if isinstance(source, Entity) else getattr(source, "owner", None)
        read = rooms.FIELDS.get((parent, name))
        if read is None and isinstance(source, Entity):
            read = rooms.FIELDS.get(("Entity", name))
        if read is not None:
            value = read(source, arguments)
        elif isinstance(source, Entity):
            value = read_field(source, name, arguments)
        else:
            value = source.get(name) if isinstance(source, Mapping) else None
            if value is None and name == "associatedUrn" and owner is not None:
                value = owner.urn
    if callable(value):
        value = value()
    return shaped(value, info.return_type, info.context, owner)


def _resolve_type(value: Any, *_: Any) -> str | None:
    if isinstance(value, Entity):
        return value.type_name
    found = value.get("__typename") if isinstance(value, Part) else None
    return None if found is None else str(found)


def _shown(error: GraphQLError) -> dict[str, Any]:
    """An error as GMS answers it; what is not the client's fault is logged, not shown."""
    cause, message = error.original_error, error.message
    extensions: dict[str, Any] = {"classification": "ValidationError"}
    if cause is not None:
        extensions["classification"] = "DataFetchingException"
    if isinstance(cause, HubError) and cause.status < 500:
        code = cause.status if cause.status in _KINDS else 400
        extensions.update(code=code, type=_KINDS[code])
    elif cause is not None:
        logger.error("GraphQL failed at %s", error.path, exc_info=cause)
        extensions.update(code=500, type="SERVER_ERROR")
        message = "An unknown error occurred."
    elif error.path:
        extensions = {"code": 400, "type": "BAD_REQUEST", "classification": "DataFetchingException"}
    shown: dict[str, Any] = {"message": message, "extensions": extensions}
    if error.path:
        shown["path"] = error.path
    if error.locations:
        shown["locations"] = [
            {"line": location.line, "column": location.column} for location in error.locations
        ]
    return shown
