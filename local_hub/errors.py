"""What the hub refuses, as exceptions that know their HTTP status.

::

    HubError
    ├── BadRequest              400  the request cannot be read
    │   ├── BadUrn              400  a urn is malformed
    │   ├── UnknownEntity       400  no such entity type
    │   └── UnknownAspect       400  the entity type has no such aspect
    ├── NotFound                404  no such entity, aspect or page
    ├── PreconditionFailed      412  a conditional write met another version
    └── InvalidAspect           422  the payload does not fit the schema of the aspect
"""

from __future__ import annotations


class HubError(Exception):
    """Base of all refusals; the message goes to the client."""

    status = 500


class BadRequest(HubError):
    """The request cannot be read."""

    status = 400


class BadUrn(BadRequest):
    """A urn is malformed, or does not fit the entity type."""


class UnknownEntity(BadRequest):
    """There is no such entity type."""


class UnknownAspect(BadRequest):
    """The entity type has no such aspect."""


class NotFound(HubError):
    """There is no such entity, aspect or page."""

    status = 404


class PreconditionFailed(HubError):
    """A conditional write met another version, or a CREATE met an existing aspect."""

    status = 412


class InvalidAspect(HubError):
    """The payload does not fit the schema of the aspect, or a rule of it."""

    status = 422
