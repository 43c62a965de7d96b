"""Access tokens as GMS makes them: signed JWTs, those of people and services kept as entities.

A kept token can be listed and revoked: its entity is named by a salted hash of it, and a token
whose entity is gone is worth nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataspoke.core.errors import FatalError
from dataspoke.local_hub.hub import Hub, now_millis

ISSUER = "datahub-metadata-service"
SESSION = "SESSION"
SESSION_MILLIS = 86_400_000
ENTITY = "dataHubAccessToken"

_KEY_BYTES = 32
_STATELESS, _STATEFUL = "1", "2"
_ACTOR_PREFIX = "urn:li:corpuser:"


class TokenRefusedError(Exception):
    """The token is ours and worth nothing any more; the message says why."""


class ForeignTokenError(Exception):
    """The text is no token that this hub has signed."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. `token_id` is the hash that names its entity, None for sessions."""

    actor: str
    kind: str
    token_id: str | None


class Signer:
    """Signs and reads tokens with the key of one hub folder."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def open(cls, folder: Path) -> Signer:
        """The key of the folder, made at the first call. Raises FatalError without access."""
        path = folder / "access.key"
        try:
            with os.fdopen(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
        except FileExistsError:
            pass
        except OSError as exc:
            raise _no_key(path, exc.strerror or str(exc)) from exc
        try:
            key = path.read_bytes()
        except OSError as exc:
            raise _no_key(path, exc.strerror or str(exc)) from exc
        if len(key) != _KEY_BYTES:
            raise _no_key(path, f"it has {len(key)} bytes, expected {_KEY_BYTES}")
        return cls(key)

    def sign(self, actor: str, kind: str, *, kept: bool, expires: int | None) -> str:
        """A token for the actor; `expires` is UTC ms, None never; `kept` ones have an entity."""
        # The library costs a tenth of the hub's start, and most hubs never see a token.
        import jwt

        name = actor.removeprefix(_ACTOR_PREFIX)
        claims: dict[str, Any] = {
            "actorType": "USER",
            "actorId": name,
            "type": kind,
            "version": _STATEFUL if kept else _STATELESS,
            "jti": str(uuid.uuid4()),
            "sub": name,
            "iss": ISSUER,
        }
        if expires is not None:
            claims["exp"] = expires // 1000
        return jwt.encode(claims, self._key, algorithm="HS256", headers={"typ": None})

    def read(self, text: str) -> Claims:
        """Read a token; raises ForeignTokenError, or TokenRefusedError when it has expired."""
        import jwt

        try:
            claims = jwt.decode(text, self._key, algorithms=["HS256"], issuer=ISSUER)
            kept = claims["version"] == _STATEFUL
            actor, kind = f"{_ACTOR_PREFIX}{claims['actorId']}", str(claims["type"])
        except jwt.ExpiredSignatureError as exc:
            raise TokenRefusedError("Failed to validate DataHub token. Token has expired.") from exc
        except (jwt.InvalidTokenError, KeyError) as exc:
            raise ForeignTokenError(str(exc)) from exc
        return Claims(actor, kind, self.hash(text) if kept else None)

    def hash(self, text: str) -> str:
        """A salted hash, as ids of kept tokens are."""
        return base64.b64encode(hashlib.sha256(text.encode() + self._key).digest()).decode()

    def derive(self, text: str) -> str:
        """A secret that only this folder can tell from `text`."""
        found = hmac.digest(self._key, text.encode(), "sha256")
        return base64.urlsafe_b64encode(found).decode().rstrip("=")


def _no_key(path: Path, reason: str) -> FatalError:
    return FatalError(
        f"Cannot read the hub's key {path}: {reason}. Remove the file to start with a new one; "
        "all access tokens are then void."
    )


class Tokens:
    """The tokens of one hub."""

    def __init__(self, hub: Hub, signer: Signer) -> None:
        self._hub = hub
        self._signer = signer

    def session(self, actor: str) -> str:
        """A token for a session, which nothing keeps."""
        return self._signer.sign(actor, SESSION, kept=False, expires=now_millis() + SESSION_MILLIS)

    def issue(
        self,
        actor: str,
        kind: str,
        *,
        millis: int | None,
        name: str,
        description: str | None,
        owner: str,
    ) -> str:
        """Make and keep a token that is good for `millis` ms, None for ever."""
        now = now_millis()
        expires = None if millis is None else now + millis
        text = self._signer.sign(actor, kind, kept=True, expires=expires)
        info = {"name": name, "actorUrn": actor, "ownerUrn": owner, "createdAt": now}
        if expires is not None:
            info["expiresAt"] = expires
        if description is not None:
            info["description"] = description
        urn = token_urn(self._signer.hash(text))
        proposal = self._hub.proposals.build(ENTITY, urn, "dataHubAccessTokenInfo", "UPSERT", info)
        self._hub.ingest([proposal], owner).result()
        return text

    def id_of(self, text: str) -> str:
        """The id under which a token is kept, if it is."""
        return self._signer.hash(text)

    def check(self, text: str) -> Claims:
        """What a token says; raises ForeignTokenError, or TokenRefusedError if it is void."""
        claims = self._signer.read(text)
        if claims.token_id is not None and not self.kept(claims.token_id):
            raise TokenRefusedError("Failed to validate DataHub token: Token has been revoked")
        return claims

    def kept(self, token_id: str) -> bool:
        """Whether a token of this id is there."""
        return self._hub.store.entity_id(token_urn(token_id)) is not None

    def revoke(self, token_id: str, actor: str) -> None:
        """Void a token from this moment on."""
        urn = token_urn(token_id)
        self._hub.delete(lambda _, deletion: deletion.entity(urn), actor).result()


def token_urn(token_id: str) -> str:
    return f"urn:li:{ENTITY}:{token_id}"
