"""Urns as GMS parses them: `urn:li:<type>:<body>`, where a body may be a tuple of parts."""

from __future__ import annotations

from dataclasses import dataclass

from dataspoke.local_hub.errors import BadUrn

# As in GMS: the index key of a longer one would be cut.
MAX_URN_BYTES = 512
_RESERVED = "␟"


@dataclass(frozen=True, slots=True)
class Urn:
    """A parsed urn. `body` is the text after the type, `parts` its members if it is a tuple.

    >>> Urn.parse("urn:li:dataJob:(urn:li:dataFlow:(airflow,a,PROD),b)").parts
    ('urn:li:dataFlow:(airflow,a,PROD)', 'b')
    """

    entity_type: str
    body: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Read a urn; raises BadUrn when it is malformed or too long."""
        if not isinstance(text, str) or not text.startswith("urn:li:"):
            raise BadUrn(f"Failed to retrieve entity with urn {text}, invalid urn")
        entity_type, _, body = text[7:].partition(":")
        if not entity_type or not body or entity_type.startswith("(") or _RESERVED in text:
            raise BadUrn(f"Failed to retrieve entity with urn {text}, invalid urn")
        if text != text.strip():
            raise BadUrn(f"Invalid urn {text!r}: leading or trailing whitespace")
        if len(text.encode()) > MAX_URN_BYTES:
            raise BadUrn(
                f"Invalid urn {text[:80]}…: exceeds the maximum length of {MAX_URN_BYTES} bytes"
            )
        if not _balanced(body):
            raise BadUrn(f"Failed to retrieve entity with urn {text}, invalid urn: parentheses")
        return cls(entity_type, body)

    @property
    def parts(self) -> tuple[str, ...]:
        """Members of the tuple, or the body alone."""
        if not (self.body.startswith("(") and self.body.endswith(")")):
            return (self.body,)
        members, depth, start = [], 0, 1
        for index in range(1, len(self.body) - 1):
            char = self.body[index]
            if char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
            elif char == "," and depth == 0:
                members.append(self.body[start:index])
                start = index + 1
        members.append(self.body[start:-1])
        return tuple(members)


def _balanced(body: str) -> bool:
    if "(" not in body and ")" not in body:
        return True
    depth = 0
    for char in body:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0
