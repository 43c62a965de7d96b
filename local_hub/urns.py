"""Urns as GMS parses them: `urn:li:<type>:<body>`, where a body may be a tuple of parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dataspoke.local_hub.errors import BadUrn

# As in GMS, whose database column is no wider.
MAX_URN_BYTES = 512
# The separator that GMS keeps for itself in document ids.
_RESERVED = "␟"
# Most urns: no spaces around, and no parentheses but those of one tuple.
_PLAIN = re.compile(r"urn:li:(\w+):(\([^()␟]*[^()␟\s]\)|[^()␟\s](?:[^()␟]*[^()␟\s])?)")
_ANY = re.compile(r"urn:li:(\w+):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Urn:
    """A parsed urn. `body` is the text after the type, `parts` its members if it is a tuple.

    >>> Urn.parse("urn:li:dataJob:(urn:li:dataFlow:(airflow,a,PROD),b)").parts
    ('urn:li:dataFlow:(airflow,a,PROD)', 'b')
    """

    entity_type: str
    body: str

    @classmethod
    @lru_cache(maxsize=1000)  # one write asks for the same urn again and again
    def parse(cls, text: str) -> Urn:
        """Read a urn; raises BadUrn when it is malformed or too long."""
        if not isinstance(text, str):
            raise BadUrn(str(text), "it is no text")
        if 4 * len(text) > MAX_URN_BYTES and len(text.encode()) > MAX_URN_BYTES:
            raise BadUrn(text, f"it is longer than {MAX_URN_BYTES} bytes")
        found = _PLAIN.fullmatch(text)
        if found is None:
            found = _ANY.fullmatch(text)
            if found is None:
                raise BadUrn(text, "it is not of the form urn:li:<type>:<key>")
            if text != text.strip():
                raise BadUrn(text, "it has white space around it")
            if _RESERVED in text:
                raise BadUrn(text, f"it has the reserved character {_RESERVED}")
            if not _balanced(found[2]):
                raise BadUrn(text, "its parentheses do not match")
        return cls(found[1], found[2])

    @property
    def parts(self) -> tuple[str, ...]:
        """Members of the tuple, or the body alone."""
        if not (self.body.startswith("(") and self.body.endswith(")")):
            return (self.body,)
        inside = self.body[1:-1]
        if "(" not in inside:
            return tuple(inside.split(","))
        members, depth, start = [], 0, 0
        for index, char in enumerate(inside):
            if char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
            elif char == "," and depth == 0:
                members.append(inside[start:index])
                start = index + 1
        members.append(inside[start:])
        return tuple(members)


def _balanced(body: str) -> bool:
    depth = 0
    for char in body:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0
