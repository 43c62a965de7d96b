"""Answers whether an actor may do something, from the policies in the hub's store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import orjson

from dataspoke.local_hub.access.policies import Actor, Policy, all_granted, granted, policy_of
from dataspoke.local_hub.access.privileges import (
    ENTITY,
    OWN,
    READ,
    AnyOf,
    operation,
    view_restricted,
)
from dataspoke.local_hub.access.resources import StoredResource, groups_of, roles_of
from dataspoke.local_hub.errors import BadUrn
from dataspoke.local_hub.hub import DEFAULT_ACTOR, SYSTEM_ACTOR
from dataspoke.local_hub.store import Store
from dataspoke.local_hub.urns import Urn

# They may do everything, so that for them no policy is ever looked at.
UNRESTRICTED = frozenset({DEFAULT_ACTOR, SYSTEM_ACTOR})

_MOST_POLICIES = 10_000


class Authorizer:
    """Evaluates policies as they are stored at the moment of the question. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # The policies, and the last offset of the change log when they were read.
        self._cached: tuple[int, tuple[Policy, ...]] = (-1, ())

    def restricts(self, actor: str) -> bool:
        """Whether policies decide what the actor may do."""
        return actor not in UNRESTRICTED

    def allowed(self, actor: str, privilege: str, resource: str | None = None) -> bool:
        """Whether the actor has the privilege, on the entity if one is given."""
        return self.allowed_any(actor, (privilege,), resource)

    def allowed_any(
        self,
        actor: str,
        privileges: AnyOf,
        resource: str | None = None,
        proposed: Mapping[str, Any] | None = None,
    ) -> bool:
        """Whether the actor has one of the privileges.

        `proposed` holds aspects, by name, of an entity that the request is to create: policies
        for a domain then see the domain that it will be in.
        """
        if not self.restricts(actor):
            return True
        who, what = self.actor(actor), self._resource(resource, proposed)
        policies = self._policies_for(actor)
        return any(granted(policies, who, privilege, what) for privilege in privileges)

    def visible(self, actor: str, urns: Iterable[str]) -> list[str]:
        """Those entities that the actor may view, in their order."""
        sees = self.sees(actor)
        return [urn for urn in urns if sees is None or sees(urn)]

    def sees(self, actor: str) -> Callable[[str], bool] | None:
        """Tells of each entity whether the actor may view it; None when it may view all.

        It judges by the policies of this moment and remembers its answers: take a new one for
        each request.
        """
        if not self.restricts(actor):
            return None
        who = self.actor(actor)
        relevant = [
            policy
            for policy in self._policies_for(actor)
            if not policy.privileges.isdisjoint(ENTITY[READ])
        ]
        if any(policy.applies(who, None) for policy in relevant):
            return None

        @cache
        def seen(urn: str) -> bool:
            kind = _type_of(urn)
            if not view_restricted(kind):
                return True
            resource = StoredResource(urn, kind, self.value)
            return any(
                granted(relevant, who, privilege, resource) for privilege in operation(READ, kind)
            )

        return seen

    def exists(self, urn: str) -> bool:
        """Whether the entity is there."""
        return self._store.entity_id(urn) is not None

    def privileges(self, actor: str, resource: str | None = None) -> frozenset[str]:
        """All privileges of the actor, as policies grant them; the root user's are policies too."""
        return all_granted(
            self._policies_for(actor), self.actor(actor), self._resource(resource, None)
        )

    def applicable(self, actor: str) -> list[Policy]:
        """The active policies that are for the actor, on some resource at least."""
        who = self.actor(actor)
        return [
            policy
            for policy in self.policies()
            if policy.active and (policy.actors.owners or policy.actors.include(who, None))
        ]

    def actor(self, urn: str) -> Actor:
        """The actor with its groups and roles."""
        groups = groups_of(urn, self.value)
        return Actor(urn, groups, roles_of(urn, groups, self.value))

    def policies(self) -> tuple[Policy, ...]:
        """All policies of the store, in the order of their urns."""
        offset = self._store.last_offset()
        seen, policies = self._cached
        if seen != offset:
            urns = self._store.list_urns("dataHubPolicy", 0, _MOST_POLICIES)
            rows = self._store.aspects(urns, ["dataHubPolicyInfo"])
            policies = tuple(
                policy_of(urn, orjson.loads(aspects["dataHubPolicyInfo"].value))
                for urn, aspects in rows.items()
                if "dataHubPolicyInfo" in aspects
            )
            self._cached = (offset, policies)
        return policies

    def value(self, urn: str, aspect: str) -> Any:
        """The value of an aspect as it is stored, or None."""
        row = self._store.aspect(urn, aspect)
        return None if row is None else orjson.loads(row.value)

    def _policies_for(self, actor: str) -> tuple[Policy, ...]:
        """The stored policies, and the one that lets everybody see themselves."""
        return (*self.policies(), _see_yourself(actor))

    def _resource(
        self, urn: str | None, proposed: Mapping[str, Any] | None
    ) -> StoredResource | None:
        return None if urn is None else StoredResource(urn, _type_of(urn), self.value, proposed)


def _see_yourself(actor: str) -> Policy:
    return policy_of(
        "",
        {
            "privileges": OWN,
            "actors": {"users": [actor]},
            "resources": {"filter": {"criteria": [{"field": "URN", "values": [actor]}]}},
        },
    )


def _type_of(urn: str) -> str:
    try:
        return Urn.parse(urn).entity_type
    except BadUrn:  # the route says what is wrong with it
        return ""
