"""The caller of a request, and why a request is refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

USER_PREFIX = "urn:li:corpuser:"


class Level(IntEnum):
    """What a caller may do: search; also read metrics and details; also administer."""

    READER = 1
    OPERATOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who they are, or (ANONYMOUS) anybody on this machine.

    `subject` is unique for rate limits and the audit log. `groups` and `roles` are urns of
    DataHub, and names that the identity provider states, which never look like a urn.
    """

    subject: str
    actor_urn: str | None = None
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    level: Level = Level.READER


ANONYMOUS = Caller("anonymous", level=Level.ADMIN)
"""Everybody, where the service asks nobody who they are."""


class RefusedError(Exception):
    """The request ends here with this HTTP status; the message is for its caller."""

    status = 403

    def __init__(self, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = headers or {}


class UnauthenticatedError(RefusedError):
    """No credentials, or worthless ones. `error` is OAuth's word for it, empty for none given."""

    status = 401

    def __init__(self, message: str, error: str = "invalid_token") -> None:
        challenge = 'Bearer realm="dataspoke"' + (f', error="{error}"' if error else "")
        super().__init__(message, {"WWW-Authenticate": challenge})


class ForbiddenError(RefusedError):
    """The caller is known and may not do this."""


class TooManyError(RefusedError):
    """The caller asked too often; may ask again in `seconds`."""

    status = 429

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message, {"Retry-After": str(max(1, seconds))})


class NotFoundError(RefusedError):
    """Not there, or not for this caller: nobody is told which."""

    status = 404


class TooLargeError(RefusedError):
    """The body is longer than the service reads."""

    status = 413
