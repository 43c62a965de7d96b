"""Access policies as values, and what they grant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a user with the groups it is in and the roles that it has, itself or by a group."""

    urn: str
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


class Resource(Protocol):
    """An entity that is asked about, as policies see it."""

    def values(self, field: str) -> frozenset[str] | None:
        """Values of a field of the filter (upper case), or None if there is no such field."""

    def owners(self, types: frozenset[str] | None) -> frozenset[str]:
        """Who owns it, by the given ownership types; None means by any."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition of a filter: it holds when any of the values fits."""

    field: str
    condition: str
    values: tuple[str, ...]

    def holds(self, resource: Resource) -> bool:
        found = resource.values(self.field)
        if found is None:
            return False
        match self.condition:
            case "EQUALS":
                return any(value in found for value in self.values)
            case "STARTS_WITH":
                return any(one.startswith(value) for value in self.values for one in found)
            case "NOT_EQUALS":
                return not any(value in found for value in self.values)
        return False


@dataclass(frozen=True, slots=True)
class Actors:
    """Whom a policy is for."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    all_users: bool = False
    all_groups: bool = False
    owners: bool = False
    owner_types: frozenset[str] | None = None

    def include(self, actor: Actor, resource: Resource | None) -> bool:
        """Whether the actor is meant, by itself, a group, a role, or as the resource's owner."""
        if self.all_users or actor.urn in self.users:
            return True
        if (self.all_groups and actor.groups) or self.groups & actor.groups:
            return True
        if self.roles & actor.roles:
            return True
        if not self.owners or resource is None:
            return False
        return not resource.owners(self.owner_types).isdisjoint({actor.urn, *actor.groups})


@dataclass(frozen=True, slots=True)
class Policy:
    """An access policy. `criteria` None means that it has no resource filter at all."""

    urn: str
    platform: bool
    active: bool
    privileges: frozenset[str]
    actors: Actors
    criteria: tuple[Criterion, ...] | None = None

    def applies(self, actor: Actor, resource: Resource | None) -> bool:
        """Whether it grants its privileges to the actor on the resource."""
        return self.active and self._covers(resource) and self.actors.include(actor, resource)

    def _covers(self, resource: Resource | None) -> bool:
        if self.platform or self.criteria is None:
            return True
        return resource is not None and all(one.holds(resource) for one in self.criteria)


def granted(
    policies: Iterable[Policy], actor: Actor, privilege: str, resource: Resource | None
) -> bool:
    """Whether any of the policies grants the privilege."""
    return any(
        privilege in policy.privileges and policy.applies(actor, resource) for policy in policies
    )


def all_granted(
    policies: Iterable[Policy], actor: Actor, resource: Resource | None
) -> frozenset[str]:
    """Every privilege that the policies grant."""
    found: set[str] = set()
    for policy in policies:
        if policy.applies(actor, resource):
            found |= policy.privileges
    return frozenset(found)


def policy_of(urn: str, info: Mapping[str, Any]) -> Policy:
    """Read the aspect `dataHubPolicyInfo`; what is absent has its default."""
    actors = info.get("actors") or {}
    owner_types = actors.get("resourceOwnersTypes")
    return Policy(
        urn,
        platform=info.get("type") == "PLATFORM",
        active=info.get("state") != "INACTIVE",
        privileges=frozenset(info.get("privileges") or ()),
        actors=Actors(
            users=frozenset(actors.get("users") or ()),
            groups=frozenset(actors.get("groups") or ()),
            roles=frozenset(actors.get("roles") or ()),
            all_users=bool(actors.get("allUsers")),
            all_groups=bool(actors.get("allGroups")),
            owners=bool(actors.get("resourceOwners")),
            owner_types=None if owner_types is None else frozenset(owner_types),
        ),
        criteria=_criteria(info.get("resources")),
    )


def _criteria(resources: Mapping[str, Any] | None) -> tuple[Criterion, ...] | None:
    """The filter, or what the older fields `type`, `resources` and `allResources` say."""
    if resources is None:
        return None
    given = resources.get("filter")
    if given is not None:
        return tuple(
            Criterion(
                str(one["field"]).upper(),
                one.get("condition") or "EQUALS",
                tuple(one.get("values") or ()),
            )
            for one in given.get("criteria") or ()
        )
    kind, named = resources.get("type"), resources.get("resources")
    if kind is None:
        return ()
    found = [Criterion("TYPE", "EQUALS", (kind,))]
    if named is not None and not resources.get("allResources"):
        found.append(Criterion("URN", "EQUALS", tuple(named)))
    return tuple(found)
