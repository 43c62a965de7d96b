"""What changed: one event, and the transaction of all events of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Aspect = Mapping[str, Any]


def identifier(urn: str) -> str:
    """What a urn says beyond its type.

    >>> identifier("urn:li:tag:pii")
    'pii'
    """
    return urn.split(":", 3)[-1]


# How far a change reaches, from nothing to breaking: the index in here is its weight.
SEVERITIES = ("NONE", "PATCH", "MINOR", "MAJOR")


class ChangeEvent(NamedTuple):
    """One change of one thing; `entity_urn` is the column's for a change of a column's details."""

    entity_urn: str
    category: str
    operation: str
    severity: str
    description: str
    modifier: str | None = None
    parameters: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The form of the timeline API; what is absent is left out."""
        found: dict[str, Any] = {
            "entityUrn": self.entity_urn,
            "category": self.category,
            "operation": self.operation,
            "modifier": self.modifier,
            "parameters": self.parameters,
            "semVerChange": self.severity,
            "description": self.description,
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(slots=True)
class Transaction:
    """All changes of one moment (`at`, UTC ms) by one actor.

    `version` is a semantic version that is counted up from the start of what was asked for.
    `stamp` names the version of each aspect at that moment, as `name:version;…`.
    """

    at: int
    actor: str
    events: list[ChangeEvent]
    version: str = "0.0.0-computed"
    stamp: str = ""
    raw: list[dict[str, Any]] = field(default_factory=list)

    @property
    def severity(self) -> str:
        """The weightiest of its events."""
        return max((event.severity for event in self.events), key=SEVERITIES.index, default="NONE")

    def as_json(self, *, raw: bool = False) -> dict[str, Any]:
        """The form of the timeline API."""
        found: dict[str, Any] = {
            "timestamp": self.at,
            "actor": self.actor,
            "semVer": self.version,
            "semVerChange": self.severity,
            "changeEvents": [event.as_json() for event in self.events],
            "versionStamp": self.stamp,
        }
        if raw:
            found["rawDiff"] = self.raw
        return found
