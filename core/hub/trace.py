"""A fingerprint of all that an entity's snapshot is made of. Pure.

Who finds the same fingerprint again need not parse and render the entity. It covers the values of
the aspects as DataHub sent them and the names of every urn in them: more than a snapshot refers
to, never less. Stamps around the values (`systemMetadata`), which change with every ingestion, are
no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from dataspoke.core.hub import codec
from dataspoke.core.hub.shapes import Aspects

# A whole string, as values hold references; and the flow inside the urn of a job.
_URN = re.compile(rb'"(urn:li:[^"\\]+)"')
_FLOW = re.compile(r"urn:li:dataFlow:\([^()]*\)")


class Source(NamedTuple):
    """The aspects of an entity as bytes, and the urns that they mention."""

    body: bytes
    urns: tuple[str, ...]

    def fingerprint(self, names: Mapping[str, str], *, salt: str) -> str:
        """Sixteen bytes in hexadecimal; `names` are the present ones of (more than) `urns`, and
        `salt` stands for how snapshots are made and rendered."""
        digest = blake2b(salt.encode(), digest_size=16)
        digest.update(self.body)
        for urn in self.urns:
            if name := names.get(urn):
                digest.update(f"\0{urn}\0{name}".encode())
        return digest.hexdigest()


def source_of(urn: str, aspects: Aspects) -> Source:
    values: dict[str, Any] = {
        name: wrapped.get("value") for name, wrapped in aspects.items() if isinstance(wrapped, dict)
    }
    body = codec.encode([urn, values])
    mentioned = {found.decode("utf-8", "replace") for found in _URN.findall(body)}
    mentioned.update(_FLOW.findall(urn))
    mentioned.discard(urn)
    return Source(body, tuple(sorted(mentioned)))
