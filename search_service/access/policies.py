"""View policies of DataHub as conditions of the index. Pure.

A policy only ever grants. So whatever cannot be read or expressed is left out, which shows less
and never more: a malformed policy, an unknown field, an unknown comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataspoke.core.index.model import Condition

VIEW_PRIVILEGES = frozenset(
    {"VIEW_ENTITY_PAGE", "GET_ENTITY_PRIVILEGE", "EDIT_ENTITY", "DELETE_ENTITY"}
)
"""Each of them lets an actor read an entity, as GMS's privilege map has it."""

OPEN_TYPES = ("tag",)
"""Searchable types that DataHub shows to every user, whatever the policies say."""

_MOST_LEVELS = 50

Conditions = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Actor:
    """A user of DataHub with its groups and with its roles, its own and those of its groups."""

    urn: str
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition on a resource: it holds when any of the values fits."""

    field: str
    condition: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Actors:
    """Whom a policy is for. `owner_types` None means owners of any type."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    all_users: bool = False
    all_groups: bool = False
    owners: bool = False
    owner_types: frozenset[str] | None = None

    def include(self, actor: Actor) -> bool:
        """Whether the actor is meant whatever the resource is."""
        return (
            self.all_users
            or actor.urn in self.users
            or (self.all_groups and bool(actor.groups))
            or not self.groups.isdisjoint(actor.groups)
            or not self.roles.isdisjoint(actor.roles)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """What lets its actors view the resources that fulfil all criteria."""

    actors: Actors
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Trees:
    """Which domain lies in which, and which container: child to parent."""

    domains: Mapping[str, str]
    containers: Mapping[str, str]


def policy_of(info: Mapping[str, Any]) -> Policy | None:
    """Read the aspect `dataHubPolicyInfo`; None when it lets nobody view anything, or has not
    the form of DataHub's model."""
    try:
        if info.get("state") == "INACTIVE" or VIEW_PRIVILEGES.isdisjoint(info["privileges"]):
            return None
        criteria = () if info.get("type") == "PLATFORM" else _criteria(info.get("resources"))
        return Policy(_actors(info.get("actors") or {}), criteria)
    except (TypeError, KeyError, AttributeError, ValueError):
        return None


def compiled(policies: Iterable[Policy], actor: Actor, trees: Trees) -> Conditions | None:
    """What an entity must fulfil for the actor to see it; None when it sees everything."""
    shown: dict[Conditions, None] = {(Condition("entity_type", "in", OPEN_TYPES),): None}
    for policy in policies:
        who = _who(policy.actors, actor)
        what = _what(policy.criteria, trees)
        if who is None or what is None:
            continue
        if not who + what:
            return None
        shown[who + what] = None
    return (Condition.any_of(*shown),)


def tree_kinds(policies: Iterable[Policy]) -> frozenset[str]:
    """The trees that these policies ask for: `domain`, `container`."""
    fields = {one.field for policy in policies for one in policy.criteria}
    return frozenset({"DOMAIN": "domain", "CONTAINER": "container"}.get(f, "") for f in fields) - {
        ""
    }


def _who(actors: Actors, actor: Actor) -> Conditions | None:
    """What the entity must fulfil so that the actor is meant; None when it never is."""
    if actors.include(actor):
        return ()
    if not actors.owners:
        return None
    owners = (actor.urn, *sorted(actor.groups))
    if actors.owner_types is None:
        return (Condition("owners", "in", owners),)
    typed = tuple(f"owner {kind} {who}" for kind in sorted(actors.owner_types) for who in owners)
    return (Condition("rights", "in", typed),)


def _what(criteria: Iterable[Criterion], trees: Trees) -> Conditions | None:
    """None when one of the criteria cannot be expressed."""
    found: list[Condition] = []
    for one in criteria:
        fits = _FIELDS.get(one.field)
        if fits is None or one.condition not in ("EQUALS", "STARTS_WITH", "NOT_EQUALS"):
            return None
        any_fits = Condition.any_of(
            *((c,) for c in fits(one.values, one.condition == "STARTS_WITH", trees))
        )
        negated = one.condition == "NOT_EQUALS"
        found.append(Condition("", "any", (), negated, any_fits.groups))
    return tuple(found)


Fits = Callable[[tuple[str, ...], bool, Trees], list[Condition]]
"""From values (or beginnings of values) to conditions of which one must hold."""


def _field(name: str, mark: str = "") -> Fits:
    def fits(values: tuple[str, ...], prefix: bool, trees: Trees) -> list[Condition]:
        marked = tuple(mark + value for value in values)
        if prefix:
            return [Condition(name, "prefix", (value,)) for value in marked]
        return [Condition(name, "in", marked)]

    return fits


def _in_domain(values: tuple[str, ...], prefix: bool, trees: Trees) -> list[Condition]:
    inside = _inside(values, prefix, trees.domains)
    direct = _field("domains")(values, prefix, trees)
    itself = Condition("urn", "in", inside)
    return [*direct, Condition("domains", "in", inside), itself]


def _in_container(values: tuple[str, ...], prefix: bool, trees: Trees) -> list[Condition]:
    inside = tuple(f"container {urn}" for urn in _inside(values, prefix, trees.containers))
    return [
        *_field("rights", "container ")(values, prefix, trees),
        Condition("rights", "in", inside),
    ]


def _nowhere(values: tuple[str, ...], prefix: bool, trees: Trees) -> list[Condition]:
    return []


_FIELDS: Mapping[str, Fits] = {
    "TYPE": _field("entity_type"),
    "RESOURCE_TYPE": _field("entity_type"),
    "URN": _field("urn"),
    "RESOURCE_URN": _field("urn"),
    "OWNER": _field("owners"),
    "TAG": _field("rights", "tag "),
    "GLOSSARY_TERM": _field("rights", "term "),
    "DATA_PLATFORM_INSTANCE": _field("rights", "instance "),
    "DOMAIN": _in_domain,
    "CONTAINER": _in_container,
    "GROUP_MEMBERSHIP": _nowhere,  # only people have it, and they are not in the index
}


def _inside(values: tuple[str, ...], prefix: bool, parents: Mapping[str, str]) -> tuple[str, ...]:
    """The values (or all that begin so) and everything below them."""
    found = set(values)
    if prefix:
        known = {*parents, *parents.values()}
        found = {urn for urn in known if urn.startswith(values)}
    children: dict[str, list[str]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    level = found
    for _ in range(_MOST_LEVELS):
        level = {child for urn in level for child in children.get(urn, ())} - found
        if not level:
            break
        found = found | level
    return tuple(sorted(found))


def _actors(given: Mapping[str, Any]) -> Actors:
    owner_types = given.get("resourceOwnersTypes")
    return Actors(
        users=_urns(given.get("users")),
        groups=_urns(given.get("groups")),
        roles=_urns(given.get("roles")),
        all_users=given.get("allUsers") is True,
        all_groups=given.get("allGroups") is True,
        owners=given.get("resourceOwners") is True,
        owner_types=None if owner_types is None else _urns(owner_types),
    )


def _criteria(resources: Mapping[str, Any] | None) -> tuple[Criterion, ...]:
    """The filter, or what the older fields `type`, `resources` and `allResources` say."""
    if resources is None:
        return ()
    given = resources.get("filter")
    if given is not None:
        return tuple(
            Criterion(
                one["field"].upper(),
                one.get("condition") or "EQUALS",
                tuple(map(str, _list(one.get("values")))),
            )
            for one in _list(given.get("criteria"))
        )
    kind, named = resources.get("type"), resources.get("resources")
    if kind is None:
        return ()
    found = [Criterion("TYPE", "EQUALS", (str(kind),))]
    if named is not None and not resources.get("allResources"):
        found.append(Criterion("URN", "EQUALS", tuple(map(str, _list(named)))))
    return tuple(found)


def _urns(values: Any) -> frozenset[str]:
    return frozenset(map(str, _list(values)))


def _list(values: Any) -> list[Any]:
    """Absent is empty; a single text in place of a list is a mistake, not its characters."""
    if values is not None and not isinstance(values, list):
        raise TypeError("expected a list")
    return values or []
