"""Native users: their passwords, their standing, and the invitations that let them sign up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from dataspoke.local_hub.access.authorizer import UNRESTRICTED
from dataspoke.local_hub.access.tokens import Signer
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.hub import SYSTEM_ACTOR, Hub, now_millis

_SALT_BYTES = 16
_RESET_MILLIS = 86_400_000


class Users:
    """The users of one hub."""

    def __init__(self, hub: Hub, signer: Signer) -> None:
        self._hub = hub
        self._signer = signer

    def barred(self, urn: str) -> str | None:
        """Why the user may not act, or None: it has to be there, and neither removed nor suspended.

        The root user and the system are never barred.
        """
        if urn in UNRESTRICTED:
            return None
        found = self._hub.store.aspects([urn], ["status", "corpUserStatus"]).get(urn)
        if found is None:
            return f"Actor {urn} does not exist"
        state = {name: orjson.loads(row.value) for name, row in found.items()}
        if state.get("status", {}).get("removed"):
            return f"Actor {urn} is removed"
        if state.get("corpUserStatus", {}).get("status") == "SUSPENDED":
            return f"Actor {urn} is suspended"
        return None

    def create(
        self, urn: str, *, full_name: str, email: str, title: str | None, password: str
    ) -> None:
        """Add a native user. Raises BadRequest when there is one."""
        if urn in UNRESTRICTED or self._hub.store.entity_id(urn) is not None:
            raise BadRequest("This user already exists! Cannot create a new user.")
        info = {"active": True, "fullName": full_name, "displayName": full_name, "email": email}
        if title:
            info["title"] = title
        stamp = {"actor": SYSTEM_ACTOR, "time": now_millis()}
        self._write(
            urn,
            {
                "corpUserInfo": info,
                "corpUserStatus": {"status": "ACTIVE", "lastModified": stamp},
                "corpUserCredentials": _credentials(password),
            },
        )

    def matches(self, urn: str, password: str) -> bool:
        """Whether this is the password of the native user. Takes tens of milliseconds."""
        stored = self._credentials(urn)
        if stored is None:
            return False
        salt = base64.b64decode(stored["salt"])
        return hmac.compare_digest(_hashed(password, salt), stored["hashedPassword"])

    def reset_token(self, urn: str) -> str:
        """A token, good for a day, with which a new password can be set."""
        stored = self._credentials(urn)
        if stored is None:
            raise BadRequest("User does not exist or is a non-native user!")
        nonce = secrets.token_urlsafe(_SALT_BYTES)
        expires = now_millis() + _RESET_MILLIS
        changed = {"passwordResetToken": nonce, "passwordResetTokenExpirationTimeMillis": expires}
        self._write(urn, {"corpUserCredentials": {**stored, **changed}})
        return self._signer.derive(f"reset {urn} {nonce}")

    def reset(self, urn: str, password: str, token: str) -> None:
        """Set a new password. Raises BadRequest for a token that is wrong or too old."""
        stored = self._credentials(urn) or {}
        nonce = stored.get("passwordResetToken")
        if nonce is None:
            raise BadRequest("User has not generated a password reset token!")
        if not hmac.compare_digest(self._signer.derive(f"reset {urn} {nonce}"), token):
            raise BadRequest("Invalid reset token. Please ask your administrator for a new link!")
        if now_millis() > stored["passwordResetTokenExpirationTimeMillis"]:
            raise BadRequest("Reset token has expired! Please ask your administrator for a new one")
        self._write(urn, {"corpUserCredentials": _credentials(password)})

    # --- invitations

    def invite_token(self, role: str | None, *, renew: bool = False) -> str:
        """The invitation to sign up, with a role if one is given; one is kept for each role.

        What is stored is the seed of the token; the token is its own proof, being derived from
        the seed with the hub's key.
        """
        kept = self._invitations(role)
        if len(kept) == 1 and not renew:
            return self._invite(next(iter(kept.values())))
        if kept:
            self._hub.delete(lambda _, deletion: [deletion.entity(urn) for urn in kept]).result()
        seed = secrets.token_urlsafe(_SALT_BYTES)
        token = self._invite(seed)
        value = {"token": seed} | ({} if role is None else {"role": role})
        self._write(self._invite_urn(token), {"inviteToken": value})
        return token

    def invited_role(self, token: str) -> str | None:
        """The role that the invitation gives. Raises BadRequest for one that does not hold."""
        row = self._hub.store.aspect(self._invite_urn(token), "inviteToken")
        if row is None:
            raise BadRequest(f"Invite token {token} is invalid")
        role: str | None = orjson.loads(row.value).get("role")
        return role

    def _invite(self, seed: str) -> str:
        return self._signer.derive(f"invite {seed}")

    def _invite_urn(self, token: str) -> str:
        return f"urn:li:inviteToken:{self._signer.hash(token)}"

    def _invitations(self, role: str | None) -> dict[str, str]:
        urns = self._hub.store.list_urns("inviteToken", 0, 1000)
        found = {}
        for urn, aspects in self._hub.store.aspects(urns, ["inviteToken"]).items():
            value = orjson.loads(aspects["inviteToken"].value) if aspects else {}
            if aspects and value.get("role") == role:
                found[urn] = value["token"]
        return found

    def _credentials(self, urn: str) -> dict[str, Any] | None:
        row = self._hub.store.aspect(urn, "corpUserCredentials")
        return None if row is None else orjson.loads(row.value)

    def _write(self, urn: str, aspects: Mapping[str, Any]) -> None:
        entity = self._hub.registry.entity_of(urn).name
        build = self._hub.proposals.build
        self._hub.ingest(
            [build(entity, urn, name, "UPSERT", value) for name, value in aspects.items()],
            SYSTEM_ACTOR,
        ).result()


def _credentials(password: str) -> dict[str, str]:
    salt = secrets.token_bytes(_SALT_BYTES)
    return {"salt": base64.b64encode(salt).decode(), "hashedPassword": _hashed(password, salt)}


def _hashed(password: str, salt: bytes) -> str:
    hashed = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return base64.b64encode(hashed).decode()
