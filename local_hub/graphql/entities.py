"""Entities and what is read of them: the sources of GraphQL's fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from dataspoke.local_hub.errors import HubError
from dataspoke.local_hub.graphql.names import type_name
from dataspoke.local_hub.reads import visible
from dataspoke.local_hub.registry import EntitySpec
from dataspoke.local_hub.transaction import AspectRow

if TYPE_CHECKING:
    from dataspoke.local_hub.graphql.room import Context

Fields = Mapping[str, Any]

# All that is left of an entity for those who may not view it: its name, and where it is kept.
_ALWAYS_SEEN = ("name", "container")


class Loader:
    """Reads aspects in batches: whatever was named by then is fetched together."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._entities: dict[str, Entity] = {}
        self._waiting: dict[str, None] = {}
        self._rows: dict[str, dict[str, AspectRow]] = {}

    def entity(self, urn: str) -> Entity | None:
        """The entity of a urn, whether it exists or not; None if the urn is malformed."""
        known = self._entities.get(urn)
        if known is None:
            registry = self._context.hub.registry
            try:
                spec = registry.entity_of(urn)
                registry.key_of(urn)
            except HubError:
                return None
            known = self._entities[urn] = Entity(self._context, urn, spec)
            self._waiting[urn] = None
        return known

    def many(self, urns: Iterable[Any]) -> list[Entity]:
        """The entities of those urns that are well formed."""
        return [entity for urn in urns if (entity := self.entity(urn)) is not None]

    def rows(self, urn: str) -> dict[str, AspectRow]:
        """The aspects of an entity that was named."""
        if urn in self._waiting:
            self._rows.update(self._context.hub.store.aspects(list(self._waiting)))
            self._waiting.clear()
        return self._rows.get(urn, {})

    def forget(self, urns: Iterable[str]) -> None:
        """Read these entities anew when they are asked for again: they were written."""
        for urn in urns:
            self._entities.pop(urn, None)
            self._rows.pop(urn, None)


class Entity:
    """One entity; `aspect` parses what was loaded."""

    __slots__ = ("_parsed", "context", "spec", "urn")

    def __init__(self, context: Context, urn: str, spec: EntitySpec) -> None:
        self.context = context
        self.urn = urn
        self.spec = spec
        self._parsed: dict[str, Fields] = {}

    @property
    def type_name(self) -> str:
        """The GraphQL object type."""
        return type_name(self.spec.name)

    @property
    def exists(self) -> bool:
        """Whether anything was ever written of it."""
        return bool(self.context.loader.rows(self.urn))

    def aspect(self, name: str) -> Fields:
        """An aspect, empty if the entity has none."""
        found = self._parsed.get(name)
        if found is None:
            row = self.context.loader.rows(self.urn).get(name)
            if row is not None:
                row = visible(self.context.hub.store, name, row)
            found = {} if row is None else orjson.loads(row.value)
            sees = self.context.sees
            if sees is not None and not sees(self.urn):
                found = {field: found[field] for field in _ALWAYS_SEEN if field in found}
            self._parsed[name] = found
        return found

    @property
    def key(self) -> Fields:
        """The parts of the urn by name."""
        return self.context.hub.registry.key_of(self.urn)


class Part(dict[str, Any]):
    """A piece of an aspect that knows whose it is."""

    __slots__ = ("owner",)

    def __init__(self, owner: Entity | None, value: Fields) -> None:
        super().__init__(value)
        self.owner = owner
