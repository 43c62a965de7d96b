"""Tokens of an OpenID Connect provider: signature, issuer, audience and expiry."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import jwt
import orjson
import requests

from dataspoke.core.errors import ConfigError, RetriableError
from dataspoke.search_service.access.caller import UnauthenticatedError
from dataspoke.search_service.access.settings import OidcSettings, check_url

log = logging.getLogger(__name__)

KEYS_MAX_AGE_S = 300.0
"""A key that the provider withdrew is worthless after this long."""

_AGAIN_S = 5.0
_TIMEOUT_S = (3.0, 5.0)
_LEEWAY_S = 30
_MOST_BYTES = 1_000_000


class Keys:
    """The provider's current keys. Threads may share it.

    They are read again when they are old, and when a token names an unknown key, but then at
    most every five seconds, so that invented keys do not make us press the provider.
    """

    def __init__(self, issuer: str, *, clock: Callable[[], float] = monotonic) -> None:
        self._issuer = issuer
        self._clock = clock
        self._reading = threading.Lock()
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key of this id, or the only one there is for a token without an id. Raises
        RetriableError when no fresh keys can be had."""
        with self._reading:
            now = self._clock()
            old = now - self._read_at > KEYS_MAX_AGE_S
            if old or (self._pick(key_id) is None and now - self._tried_at > _AGAIN_S):
                self._refresh(now, needed=old)
            return self._pick(key_id)

    def _pick(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def _refresh(self, now: float, *, needed: bool) -> None:
        if needed and now - self._tried_at < 1.0:
            raise self._away("it did not answer a moment ago")
        self._tried_at = now
        try:
            self._keys = self._read()
        except (requests.RequestException, ValueError, TypeError, KeyError, jwt.PyJWTError) as exc:
            if needed:
                raise self._away(type(exc).__name__) from exc
            log.warning("Cannot read the keys of %s again: %s.", self._issuer, type(exc).__name__)
            return
        self._read_at = now

    def _read(self) -> dict[str | None, jwt.PyJWK]:
        found = _json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found["issuer"] != self._issuer:
            raise ConfigError(
                f"Cannot check tokens: the provider calls itself {found['issuer']!r}. "
                "Set DATASPOKE_OIDC_ISSUER to exactly that."
            )
        check_url("the provider's jwks_uri", found["jwks_uri"])
        keys = jwt.PyJWKSet.from_dict(_json(found["jwks_uri"])).keys
        return {key.key_id: key for key in keys if key.public_key_use in (None, "sig")}

    def _away(self, reason: str) -> RetriableError:
        return RetriableError(
            f"Cannot check tokens: the keys of {self._issuer} cannot be read ({reason}). "
            "Try again in a moment."
        )


class OidcVerifier:
    """Checks tokens of one provider."""

    def __init__(self, settings: OidcSettings, keys: Keys | None = None) -> None:
        self._settings = settings
        self._keys = keys or Keys(settings.issuer)

    def claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a good token. Raises UnauthenticatedError, or RetriableError while the
        provider is away."""
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError) as exc:
            raise UnauthenticatedError("Cannot accept the token: it is no JWT.") from exc
        # Before any key is looked for: what is pinned is ours, never the token's to choose.
        if header.get("alg") not in settings.algorithms:
            raise UnauthenticatedError(
                "Cannot accept the token: its algorithm is not allowed. "
                f"Have it signed with {' or '.join(settings.algorithms)}."
            )
        key_id = header.get("kid")
        key = self._keys.find(key_id if isinstance(key_id, str) else None)
        if key is None:
            raise UnauthenticatedError("Cannot accept the token: the provider has no such key.")
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(settings.algorithms),
                issuer=settings.issuer,
                audience=settings.audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError) as exc:
            raise UnauthenticatedError(
                f"Cannot accept the token: {_REASONS.get(type(exc), 'it is not valid')}. "
                "Get a new one for this service."
            ) from exc
        return claims


_REASONS: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.InvalidIssuerError: "it has another issuer",
    jwt.InvalidAudienceError: "it is for another audience",
    jwt.MissingRequiredClaimError: "it lacks exp, iss, aud or sub",
}


def claimed(claims: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, None if there is none.

    >>> claimed({"realm_access": {"roles": ["a"]}}, "realm_access.roles")
    ['a']
    """
    if path in claims:
        return claims[path]
    value: Any = claims
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def _json(url: str) -> Any:
    with requests.get(url, timeout=_TIMEOUT_S, allow_redirects=False, stream=True) as answer:
        if answer.status_code != 200:
            raise ValueError(f"HTTP {answer.status_code}")
        body = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
    if len(body) > _MOST_BYTES:
        raise ValueError("too long")
    return orjson.loads(body)
