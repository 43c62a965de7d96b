"""What DataHub says about who may see what: policies, memberships, hierarchies, tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataspoke.core.errors import AccessDeniedError, RetriableError, SkippableError
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.settings import Settings

_PAGE = 1000
_PARENTS = {"domain": ("domainProperties", "parentDomain"), "container": ("container", "container")}
_ME = "query me { me { corpUser { urn } } }"


@dataclass(frozen=True, slots=True)
class Memberships:
    """Groups of a user, and roles: its own and those of its groups. All urns."""

    groups: frozenset[str]
    roles: frozenset[str]


class HubPermissions:
    """Reads with the service's own token, which must be allowed to see policies and people.

    All methods raise RetriableError while DataHub is away or refuses.
    """

    def __init__(self, connection: HubConnection) -> None:
        self._connection = connection

    def policies(self) -> list[Mapping[str, Any]]:
        """Every `dataHubPolicyInfo`."""
        return [
            info
            for aspects in self._all("dataHubPolicy", ("dataHubPolicyInfo",)).values()
            if isinstance(info := aspects.get("dataHubPolicyInfo"), dict)
        ]

    def parents(self, kind: str) -> dict[str, str]:
        """Child to parent of every `domain` or `container` that has one, removed ones too."""
        aspect, field = _PARENTS[kind]
        return {
            urn: parent
            for urn, aspects in self._all(kind, (aspect,)).items()
            if isinstance(parent := (aspects.get(aspect) or {}).get(field), str)
        }

    def memberships(self, user: str) -> Memberships:
        """Of a user urn; one that DataHub does not know has none."""
        wanted = ("groupMembership", "nativeGroupMembership", "roleMembership")
        own = self._read("corpuser", [user], wanted).get(user, {})
        groups = _urns(own, "groupMembership", "groups") | _urns(
            own, "nativeGroupMembership", "nativeGroups"
        )
        held = self._read("corpGroup", sorted(groups), ("roleMembership",)) if groups else {}
        roles = _urns(own, "roleMembership", "roles").union(
            *(_urns(aspects, "roleMembership", "roles") for aspects in held.values())
        )
        return Memberships(groups, roles)

    def _all(self, entity_type: str, aspects: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for page in self._pages(entity_type):
            found |= self._read(entity_type, page, aspects)
        return found

    def _pages(self, entity_type: str) -> Iterator[list[str]]:
        start = 0
        while True:
            body = {"entity": entity_type, "start": start, "count": _PAGE}
            answer = self._asked("/entities?action=listUrns", body)
            try:
                urns = [str(urn) for urn in answer["value"].get("entities") or ()]
            except (TypeError, KeyError, AttributeError) as exc:
                raise self._unreadable(entity_type) from exc
            if not urns:
                return
            yield urns
            start += len(urns)

    def _read(
        self, entity_type: str, urns: Sequence[str], aspects: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        wanted: dict[str, Any] = {aspect: {} for aspect in aspects}
        body = [{"urn": urn, **wanted} for urn in urns]
        answer = self._asked(f"/openapi/v3/entity/{entity_type}/batchGet", body)
        try:
            return {
                entity["urn"]: {name: entity[name]["value"] for name in aspects if entity.get(name)}
                for entity in answer
            }
        except (TypeError, KeyError, AttributeError) as exc:
            raise self._unreadable(entity_type) from exc

    def _asked(self, path: str, body: Any) -> Any:
        try:
            return self._connection.post(path, body)
        except SkippableError as exc:
            # What one read refuses here would be missing from what decides about others.
            raise RetriableError(str(exc)) from exc

    def _unreadable(self, entity_type: str) -> RetriableError:
        return RetriableError(
            f"Cannot read {entity_type} entities from DataHub at {self._connection.server}: the "
            "answer has another form. See whether something stands before it."
        )


class TokenCheck:
    """Asks DataHub whose access token it is, with that token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def actor_of(self, token: str) -> str | None:
        """The user urn, None when DataHub refuses the token. Raises RetriableError when DataHub
        is away, and ConfigError for a text that can be no token."""
        connection = HubConnection.open(self._settings, token=token)
        try:
            answer = connection.post("/api/graphql", {"query": _ME})
            urn = answer["data"]["me"]["corpUser"]["urn"]
        except AccessDeniedError:
            return None
        except (SkippableError, TypeError, KeyError) as exc:
            raise RetriableError(
                f"Cannot check a token with DataHub at {connection.server}: it does not answer "
                "`me`. See whether something stands before it."
            ) from exc
        finally:
            connection.close()
        return str(urn)


def _urns(aspects: Mapping[str, Any], aspect: str, field: str) -> frozenset[str]:
    return frozenset(str(urn) for urn in (aspects.get(aspect) or {}).get(field) or ())
