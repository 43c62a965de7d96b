"""Which version of a schema a column goes back to, and which versions there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataspoke.local_hub.timeline.model import Transaction

_DONE = {"ADD": "Added", "MODIFY": "Modified", "REMOVE": "Removed"}


@dataclass(frozen=True, slots=True)
class Point:
    """One version of the schema; `at` in UTC ms."""

    version: str
    at: int
    stamp: str

    def as_graphql(self) -> dict[str, Any]:
        """The fields of GraphQL's `SemanticVersionStruct`."""
        return {
            "semanticVersion": self.version,
            "semanticVersionTimestamp": self.at,
            "versionStamp": self.stamp,
        }


def schema_versions(found: Sequence[Transaction]) -> list[Point]:
    """The versions of the schema, the newest first."""
    return [_point(moment) for moment in sorted(found, key=_order, reverse=True)]


def schema_blame(found: Sequence[Transaction], cutoff: str | None = None) -> dict[str, Any] | None:
    """GraphQL's `GetSchemaBlameResult`: the last change of each column up to version `cutoff`.

    Columns that are gone by then are left out; None when there is no version.
    """
    selected = [m for m in found if cutoff is None or _order(m) <= _numbers(cutoff)]
    if not selected:
        return None
    selected.sort(key=_order, reverse=True)
    blames: dict[str, dict[str, Any]] = {}
    for moment in selected:
        for event in moment.events:
            column = event.modifier
            if event.category != "TECHNICAL_SCHEMA" or column is None or column in blames:
                continue
            version = _plain(moment.version)
            blames[column] = {
                "fieldPath": (event.parameters or {}).get("fieldPath"),
                "schemaFieldChange": {
                    "timestampMillis": moment.at,
                    "lastSemanticVersion": version,
                    "versionStamp": moment.stamp,
                    "changeType": event.operation,
                    "lastSchemaFieldChange": f"{_DONE[event.operation]} in v{version}",
                },
            }
    return {
        "version": _point(selected[0]).as_graphql(),
        "schemaFieldBlameList": [
            blame
            for blame in blames.values()
            if blame["schemaFieldChange"]["changeType"] != "REMOVE"
        ],
    }


def _point(moment: Transaction) -> Point:
    return Point(_plain(moment.version), moment.at, moment.stamp)


def _plain(version: str) -> str:
    return version.removesuffix("-computed")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in _plain(version).split("."))


def _order(moment: Transaction) -> tuple[int, ...]:
    return _numbers(moment.version)
