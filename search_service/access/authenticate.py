"""From the token of a request to its caller."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic, time
from typing import Any, Protocol

import jwt
from cachetools import TLRUCache

from dataspoke.core.errors import ConfigError, RetriableError
from dataspoke.core.hub.permissions import Memberships
from dataspoke.search_service.access.caller import (
    USER_PREFIX,
    Caller,
    Level,
    UnauthenticatedError,
)
from dataspoke.search_service.access.oidc import OidcVerifier, claimed
from dataspoke.search_service.access.settings import AccessSettings

log = logging.getLogger(__name__)

LONGEST_TOKEN = 16_384
_MOST_KNOWN = 10_000
_PROBE = "dataspoke-asks-whether-any-token-is-good"


class TokenOwner(Protocol):
    """Says whose DataHub token it is; see `core.hub.permissions.TokenCheck`."""

    def actor_of(self, token: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _Known:
    """What a token was found to be. `until` is on the monotonic clock."""

    caller: Caller | None
    until: float


class Authenticator:
    """Checks bearer tokens, and remembers each by its hash for at most `token_ttl` seconds: as
    long as a revoked one may still work. What cannot be checked is refused. Threads may share
    it; checks of different tokens do not wait for each other."""

    def __init__(
        self,
        settings: AccessSettings,
        *,
        oidc: OidcVerifier | None,
        owner: TokenOwner | None,
        memberships: Callable[[str], Memberships],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self._oidc = oidc
        self._owner = owner
        self._memberships = memberships
        self._clock = clock
        self._lock = threading.Lock()
        self._known: TLRUCache[bytes, _Known] = TLRUCache(
            _MOST_KNOWN, ttu=lambda key, known, now: known.until, timer=clock
        )
        self._probed_at = float("-inf")
        self._probe = threading.Lock()

    def remembered(self, token: str) -> Caller | None:
        """The caller of a token that was checked a moment ago, None when `check` must be asked.
        Raises UnauthenticatedError for one that was refused a moment ago."""
        with self._lock:
            known = self._known.get(_digest(token))
        if known is not None and known.caller is None:
            raise _refused()
        return known.caller if known else None

    def check(self, token: str) -> Caller:
        """The caller of a token; may ask the provider or DataHub.

        Raises UnauthenticatedError, or RetriableError while the one to ask is away.
        """
        if len(token) > LONGEST_TOKEN:
            raise UnauthenticatedError("Cannot accept the token: it is too long.")
        if (caller := self.remembered(token)) is not None:
            return caller
        try:
            caller, lives = self._checked(token)
        except UnauthenticatedError:
            self._remember(token, None, self._settings.token_ttl)
            raise
        self._remember(token, caller, min(self._settings.token_ttl, lives))
        return caller

    def _checked(self, token: str) -> tuple[Caller, float]:
        """The caller, and for how many seconds its token is good at most."""
        said = _unchecked(token)
        oidc = self._settings.oidc
        if oidc and self._oidc and (not self._owner or said.get("iss") == oidc.issuer):
            return self._of_provider(token), _seconds_left(said)
        if self._owner is None:
            raise _refused()
        left = _seconds_left(said)
        if left <= 0:
            raise UnauthenticatedError("Cannot accept the token: it has expired.")
        return self._of_datahub(token, self._owner), left

    def _of_provider(self, token: str) -> Caller:
        assert self._oidc is not None
        assert self._settings.oidc is not None
        settings = self._settings.oidc
        claims = self._oidc.claims(token)
        name = claimed(claims, settings.user_claim)
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise UnauthenticatedError(
                f"Cannot accept the token: its claim {settings.user_claim!r} names no user. "
                "Have the provider fill it, or set DATASPOKE_OIDC_USER_CLAIM to another."
            )
        groups = _names(claimed(claims, settings.groups_claim))
        roles = _names(claimed(claims, settings.roles_claim))
        return self._caller(USER_PREFIX + name.strip(), groups, roles)

    def _of_datahub(self, token: str, owner: TokenOwner) -> Caller:
        try:
            actor = owner.actor_of(token)
        except ConfigError as exc:
            raise _refused() from exc
        if actor is None:
            raise _refused()
        self._prove_that_datahub_checks(owner)
        return self._caller(actor, frozenset(), frozenset())

    def _prove_that_datahub_checks(self, owner: TokenOwner) -> None:
        """A DataHub without authentication calls every token good: then none proves anything."""
        with self._probe:
            now = self._clock()
            if now - self._probed_at <= self._settings.token_ttl:
                return
            if owner.actor_of(_PROBE) is not None:
                raise RetriableError(
                    "Cannot check tokens: DataHub accepts any, since its authentication is off. "
                    "Turn METADATA_SERVICE_AUTH_ENABLED on in DataHub, or unset "
                    "DATASPOKE_DATAHUB_TOKENS."
                )
            self._probed_at = now

    def _caller(self, actor: str, groups: frozenset[str], roles: frozenset[str]) -> Caller:
        held = self._memberships(actor)
        groups, roles = groups | held.groups, roles | held.roles
        names = {actor, actor.removeprefix(USER_PREFIX), *groups, *roles}
        level = Level.READER
        if not names.isdisjoint(self._settings.operators):
            level = Level.OPERATOR
        if not names.isdisjoint(self._settings.admins):
            level = Level.ADMIN
        return Caller(actor, actor, groups, roles, level)

    def _remember(self, token: str, caller: Caller | None, seconds: float) -> None:
        with self._lock:
            self._known[_digest(token)] = _Known(caller, self._clock() + max(0.0, seconds))


def _names(value: Any) -> frozenset[str]:
    """Names that the provider states. One that looks like a urn could pass for DataHub's."""
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return frozenset(
        one for one in values if isinstance(one, str) and one and not one.startswith("urn:")
    )


def _unchecked(token: str) -> dict[str, Any]:
    """What a token says of itself: good to choose who checks it, and to trust it for less."""
    try:
        said: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError):
        return {}
    return said


def _seconds_left(said: dict[str, Any]) -> float:
    expires = said.get("exp")
    return expires - time() if isinstance(expires, int | float) else float("inf")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError(
        "Cannot accept the token: it is not valid, has expired or was revoked. Get a new one."
    )
