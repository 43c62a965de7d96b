"""What the hub refuses, as exceptions that know their HTTP status in each protocol.

::

    HubError                    OpenAPI  rest.li
    ├── BadRequest              400      400      the request cannot be read
    │   ├── BadUrn              400      400      a urn is malformed, or not of this entity type
    │   ├── UnknownEntity       400      422      no such entity type
    │   └── UnknownAspect       400      422      the entity type has no such aspect
    ├── Forbidden               403      403      the actor lacks the privilege
    ├── TooLarge                413      413      the request is larger than the hub reads
    ├── NotFound                404      404      no such entity, aspect or page
    ├── PreconditionFailed      412      412      a conditional write met another version
    ├── AlreadyThere            400      422      a CREATE met an existing aspect or entity
    ├── TooBusy                 429      429      every consumer of the events API is taken
    └── InvalidAspect           400      422      the payload does not fit the aspect's schema
"""

from __future__ import annotations


class HubError(Exception):
    """Base of all refusals; the message goes to the client. `kind` is OpenAPI's short error."""

    status = 500
    restli_status = 500
    kind = "Internal server error occurred"


class BadRequest(HubError):
    """The request cannot be read."""

    status = 400
    restli_status = 400
    kind = "Bad Request"


class BadUrn(BadRequest):
    """A urn is malformed, or does not fit the entity type."""

    def __init__(self, urn: str, reason: str) -> None:
        shown = urn if len(urn) <= 600 else f"{urn[:600]}…"
        super().__init__(f"Invalid urn!: {shown}: {reason}")
        self.kind = f"Invalid urn!: {shown}"


class UnknownEntity(BadRequest):
    """There is no such entity type."""

    restli_status = 422
    kind = "Validation Error"


class UnknownAspect(BadRequest):
    """The entity type has no such aspect."""

    restli_status = 422
    kind = "Validation Error"


class TooBusy(HubError):
    """All that may do this at once are doing it."""

    status = 429
    restli_status = 429
    kind = "Too Many Requests"


class Forbidden(HubError):
    """The actor lacks the privilege; OpenAPI's short error is the message."""

    status = 403
    restli_status = 403

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.kind = message


class TooLarge(HubError):
    """The request is larger than the hub reads."""

    status = 413
    restli_status = 413
    kind = "Payload Too Large"


class NotFound(HubError):
    """There is no such entity, aspect or page."""

    status = 404
    restli_status = 404
    kind = "Not Found"


class PreconditionFailed(HubError):
    """A conditional write met another version."""

    status = 412
    restli_status = 412
    kind = "Precondition Error"


class AlreadyThere(HubError):
    """A CREATE met an aspect, or a CREATE_ENTITY an entity, that exists."""

    status = 400
    restli_status = 422
    kind = "Validation Error"


class InvalidAspect(HubError):
    """The payload does not fit the schema of the aspect, or a rule of it."""

    status = 400
    restli_status = 422
    kind = "Validation Error"
