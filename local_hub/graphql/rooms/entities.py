"""Entities by urn."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.graphql.room import Arguments, Context, Room


def _entity(context: Context, arguments: Arguments) -> Any:
    return context.loader.entity(arguments["urn"])


def _entities(context: Context, arguments: Arguments) -> Any:
    return [context.loader.entity(urn) for urn in arguments["urns"]]


def _entity_exists(context: Context, arguments: Arguments) -> bool:
    return context.exists(arguments["urn"])


ROOM = Room(
    schema="entities.graphql",
    queries={"entity": _entity, "entities": _entities, "entityExists": _entity_exists},
)
