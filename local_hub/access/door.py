"""Who is calling: the middleware that tells each request's actor, or turns it away."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from dataspoke.local_hub.access.authorizer import Authorizer
from dataspoke.local_hub.access.tokens import (
    ForeignTokenError,
    Signer,
    TokenRefusedError,
    Tokens,
)
from dataspoke.local_hub.access.users import Users
from dataspoke.local_hub.http import answer
from dataspoke.local_hub.hub import DEFAULT_ACTOR, Hub

SESSION_COOKIE = "PLAY_SESSION"

# Kafka clients send no token to the schema registry, and probes and those who ask for the
# settings none at all. Whoever logs in or signs up has no token yet.
_OPEN_PATHS = (
    "/health",
    "/admin",
    "/config",
    "/actuator/",
    "/public-iceberg/",
    "/schema-registry/",
    "/logIn",
    "/logOut",
    "/signUp",
    "/resetNativeUserCredentials",
)

# The password of the root user of a hub without a token, as DataHub's quickstart has it.
_DEFAULT_PASSWORD = "datahub"  # noqa: S105


class UnauthenticatedError(Exception):
    """The caller is nobody who may call; the message is for the log of the caller."""


@dataclass(frozen=True)
class Access:
    """Everything about access to one hub. `root_token` is the root user's token and password.

    Without it whoever brings no token of the hub's own is the root user, and may do everything.
    """

    authorizer: Authorizer
    tokens: Tokens
    users: Users
    root_token: str | None

    @classmethod
    def open(cls, folder: Path, hub: Hub, root_token: str | None) -> Access:
        """Open it beside the hub's database. Raises FatalError when its key cannot be read."""
        signer = Signer.open(folder)
        return cls(Authorizer(hub.store), Tokens(hub, signer), Users(hub, signer), root_token)

    def actor_of(self, authorization: str | None, session: str | None, *, open_: bool) -> str:
        """The urn of the caller; raises UnauthenticatedError. `open_` paths need no caller.

        A hub without a root token ignores tokens that are not its own, since a client may have
        one for another server in its settings.
        """
        scheme, _, given = (authorization or "").partition(" ")
        token = given.strip() if scheme.lower() == "bearer" else None
        if token and self.root_token and hmac.compare_digest(token.encode(), self._root_bytes):
            return DEFAULT_ACTOR
        for text in (token, session):
            if not text:
                continue
            actor = self._actor_of_token(text)
            if actor is not None:
                return actor
        if self.root_token is not None and not open_:
            raise UnauthenticatedError("Unauthorized to perform this action.")
        return DEFAULT_ACTOR

    def knows_password(self, actor: str, password: str) -> bool:
        """Whether it is the user's password; the root user's is the token."""
        if actor == DEFAULT_ACTOR:
            expected = self.root_token or _DEFAULT_PASSWORD
            if hmac.compare_digest(expected.encode(), password.encode()):
                return True
        return self.users.matches(actor, password)

    @property
    def _root_bytes(self) -> bytes:
        return (self.root_token or "").encode()

    def _actor_of_token(self, text: str) -> str | None:
        """The actor of a token of this hub, None for another one."""
        try:
            claims = self.tokens.check(text)
        except ForeignTokenError:
            return None
        except TokenRefusedError as exc:
            raise UnauthenticatedError(str(exc)) from exc
        barred = self.users.barred(claims.actor)
        if barred is not None:
            raise UnauthenticatedError(barred)
        return claims.actor


class Door:
    """Sets `request.state.actor`; answers 401, as GMS does, to those who may not come in."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path, headers = scope["path"], dict(scope["headers"])
            try:
                # GMS itself knows no sessions. On an open hub, where both are one, a client that
                # signs somebody up, and so is given a session, stays who it is.
                at_gms = path == "/api/graphql" and self._access.root_token is None
                actor = self._access.actor_of(
                    _text(headers.get(b"authorization")),
                    None if at_gms else _session(headers.get(b"cookie")),
                    open_=path.startswith(_OPEN_PATHS),
                )
            except UnauthenticatedError as exc:
                body = {"url": path, "status": "401", "message": str(exc)}
                await answer(body, status=401)(scope, receive, send)
                return
            scope.setdefault("state", {})["actor"] = actor
        await self._app(scope, receive, send)


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


def _session(header: bytes | None) -> str | None:
    if header is None:
        return None
    try:
        found = SimpleCookie(header.decode("latin-1")).get(SESSION_COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value
