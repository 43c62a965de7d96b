"""What a room of the GraphQL API is made of, and what its functions work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from dataspoke.local_hub.access.door import Access
from dataspoke.local_hub.graphql.entities import Loader
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.relationships import Lineage
from dataspoke.local_hub.search import Search
from dataspoke.local_hub.search_store import SearchStore

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """What one GraphQL request works with. `actor` is a urn, `now` UTC milliseconds."""

    hub: Hub
    index: SearchStore
    search: Search
    lineage: Lineage
    actor: str
    now: int
    access: Access

    @cached_property
    def loader(self) -> Loader:
        """The entities that this request has named."""
        return Loader(self)

    @cached_property
    def sees(self) -> Callable[[str], bool] | None:
        """Tells of each entity whether the actor may view it; None when it may view all."""
        return self.access.authorizer.sees(self.actor)

    def may(self, *privileges: str, on: str | None = None) -> bool:
        """Whether the actor has one of the privileges, on the entity if one is given."""
        return self.access.authorizer.allowed_any(self.actor, privileges, on)

    @property
    def stamp(self) -> dict[str, Any]:
        """The audit stamp of this request."""
        return {"time": self.now, "actor": self.actor}

    def exists(self, urn: str) -> bool:
        """Whether anything was ever written of an entity."""
        return self.hub.store.entity_id(urn) is not None

    def value(self, urn: str, aspect: str) -> dict[str, Any] | None:
        """An aspect as it is stored now, or None."""
        row = self.hub.store.aspect(urn, aspect)
        return None if row is None else orjson.loads(row.value)

    def patch(self, urn: str, aspect: str, operations: Sequence[Mapping[str, Any]]) -> None:
        """Apply JSON Patch operations to an aspect, made if there is none. Raises HubError."""
        self.write([(urn, aspect, "PATCH", list(operations))])

    def upsert(self, urn: str, aspect: str, value: Mapping[str, Any]) -> None:
        """Write an aspect. Raises HubError."""
        self.write([(urn, aspect, "UPSERT", value)])

    def write(self, changes: Iterable[tuple[str, str, str, Any]]) -> None:
        """Write (urn, aspect, change type, value or patch) in one transaction or none."""
        proposals = []
        for urn, aspect, change, value in changes:
            spec = self.hub.registry.entity_of(urn)
            proposals.append(self.hub.proposals.build(spec.name, urn, aspect, change, value))
        self.hub.ingest(proposals, self.actor).result()
        self.loader.forget(proposal.urn for proposal in proposals)

    def delete(self, urn: str) -> None:
        """Delete an entity for good; one that does not exist is left alone."""
        self.hub.delete(lambda _, deletion: deletion.entity(urn), self.actor).result()
        self.loader.forget([urn])


Resolver = Callable[[Context, Arguments], Any]
# The source is an Entity for the fields of entity types, else a mapping (a Part of an aspect).
FieldReader = Callable[[Any, Arguments], Any]


@dataclass(frozen=True)
class Room:
    """One topic of the API.

    `schema` names the file beside the rooms that declares its types. `queries` and `mutations`
    are by root field, `fields` by type and field; what is in no table is read from the source by
    name and shaped by the declared type (see `values`). `aspects` gives further fields, as SDL,
    to every entity type that may carry an aspect.
    """

    schema: str
    queries: Mapping[str, Resolver] = field(default_factory=dict)
    mutations: Mapping[str, Resolver] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], FieldReader] = field(default_factory=dict)
    aspects: Mapping[str, str] = field(default_factory=dict)
