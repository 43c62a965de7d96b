"""What policies may ask about an entity: its owners, domains, containers, tags and so on. Pure.

Values are read when a policy asks for them, through a function from (urn, aspect) to the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Values = Callable[[str, str], Any]

# Hierarchies of domains and containers end here, should one of them be a circle.
_MOST_LEVELS = 50


class StoredResource:
    """An entity as policies see it; `proposed` are aspects of one that is yet to be created."""

    def __init__(
        self,
        urn: str,
        entity_type: str,
        values: Values,
        proposed: Mapping[str, Any] | None = None,
    ) -> None:
        self.urn = urn
        self.entity_type = entity_type
        self.read = values
        self._proposed = proposed or {}
        self._found: dict[str, frozenset[str]] = {}

    def values(self, field: str) -> frozenset[str] | None:
        read = _FIELDS.get(field)
        if read is None:
            return None
        if field not in self._found:
            self._found[field] = frozenset(read(self))
        return self._found[field]

    def owners(self, types: frozenset[str] | None) -> frozenset[str]:
        return frozenset(
            owner["owner"]
            for owner in self.items("ownership", "owners")
            if types is None or owner.get("typeUrn") in types
        )

    def items(self, aspect: str, field: str) -> list[Any]:
        """The members of a field of an aspect of this entity."""
        return (self.aspect(aspect) or {}).get(field) or []

    def aspect(self, name: str, urn: str | None = None) -> Any:
        """An aspect of this entity or of another one."""
        if urn is None and name in self._proposed:
            return self._proposed[name]
        return self.read(urn or self.urn, name)

    def climb(self, urns: Iterable[str], aspect: str, field: str) -> Iterable[str]:
        """The urns and all that is above them."""
        level, seen = list(urns), set[str]()
        for _ in range(_MOST_LEVELS):
            seen.update(level)
            above = {(self.aspect(aspect, urn) or {}).get(field) for urn in level}
            level = [urn for urn in above if urn is not None and urn not in seen]
            if not level:
                break
        return seen


def _domains(resource: StoredResource) -> Iterable[str]:
    start = resource.items("domains", "domains")
    if resource.entity_type == "domain":
        start = [resource.urn, *start]
    return resource.climb(start, "domainProperties", "parentDomain")


def _containers(resource: StoredResource) -> Iterable[str]:
    direct = (resource.aspect("container") or {}).get("container")
    return resource.climb([direct] if direct else [], "container", "container")


def _terms(resource: StoredResource) -> Iterable[str]:
    return (term["urn"] for term in resource.items("glossaryTerms", "terms"))


def _groups(resource: StoredResource) -> Iterable[str]:
    return groups_of(resource.urn, resource.read)


def _platform_instances(resource: StoredResource) -> Iterable[str]:
    if resource.entity_type == "dataPlatformInstance":
        return [resource.urn]
    instance = (resource.aspect("dataPlatformInstance") or {}).get("instance")
    return [instance] if instance else []


def _tags(resource: StoredResource) -> Iterable[str]:
    return (tag["tag"] for tag in resource.items("globalTags", "tags"))


_FIELDS: Mapping[str, Callable[[StoredResource], Iterable[str]]] = {
    "TYPE": lambda resource: [resource.entity_type],
    "RESOURCE_TYPE": lambda resource: [resource.entity_type],
    "URN": lambda resource: [resource.urn],
    "RESOURCE_URN": lambda resource: [resource.urn],
    "OWNER": lambda resource: resource.owners(None),
    "DOMAIN": _domains,
    "CONTAINER": _containers,
    "TAG": _tags,
    "GLOSSARY_TERM": _terms,
    "GROUP_MEMBERSHIP": _groups,
    "DATA_PLATFORM_INSTANCE": _platform_instances,
}


def groups_of(user: str, read: Values) -> frozenset[str]:
    """The groups of a user, whether they came from outside or were made here."""
    outside = (read(user, "groupMembership") or {}).get("groups") or []
    native = (read(user, "nativeGroupMembership") or {}).get("nativeGroups") or []
    return frozenset((*outside, *native))


def roles_of(user: str, groups: Iterable[str], read: Values) -> frozenset[str]:
    """The roles of a user, its own and those of its groups."""
    found: set[str] = set()
    for urn in (user, *groups):
        found.update((read(urn, "roleMembership") or {}).get("roles") or [])
    return frozenset(found)
