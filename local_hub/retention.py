"""How many versions of an aspect are kept: policies, as `dataHubRetention` entities hold them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY

POLICY_ASPECT = "dataHubRetentionConfig"
_ANY = "*"
_FOREVER = 2**62


class Policy(NamedTuple):
    """Old versions go when they are neither among the newest `versions` nor younger than `age_ms`.

    None means no such limit; with no limit at all everything is kept.
    """

    versions: int | None
    age_ms: int | None

    def bounds(self, seq: int, now: int) -> tuple[int, int] | None:
        """With `seq` the latest: versions up to the first, from before the second (UTC ms), go."""
        if self.versions is None and self.age_ms is None:
            return None
        up_to = seq if self.versions is None else seq - max(self.versions, 1)
        if up_to < 1:
            return None
        return up_to, _FOREVER if self.age_ms is None else now - self.age_ms


# What GMS writes at its first start.
_DEFAULTS: Mapping[tuple[str, str], Policy] = {
    ("dataHubExecutionRequest", "dataHubExecutionRequestResult"): Policy(1, None),
    (_ANY, _ANY): Policy(20, None),
}


class Policies:
    """The policies in a database, each read once; `forget` them when one was written."""

    def __init__(self, connection: sqlite3.Connection, policy_number: int | None) -> None:
        self._connection = connection
        self._number = policy_number
        self._known: dict[tuple[str, str], Policy] = {}

    def of(self, entity: str, aspect: str) -> Policy:
        """The policy of an aspect: the nearest of its own, its entity's, its name's, the rest's."""
        policy = self._known.get((entity, aspect))
        if policy is None:
            policy = self._known[entity, aspect] = self._find(entity, aspect)
        return policy

    def forget(self) -> None:
        self._known.clear()

    def _find(self, entity: str, aspect: str) -> Policy:
        for key in ((entity, aspect), (entity, _ANY), (_ANY, aspect), (_ANY, _ANY)):
            policy = self._stored(*key) or _DEFAULTS.get(key)
            if policy is not None:
                return policy
        return _DEFAULTS[_ANY, _ANY]

    def _stored(self, entity: str, aspect: str) -> Policy | None:
        row = self._connection.execute(
            "SELECT a.value FROM entity e JOIN aspect a ON a.id = e.id * ? + ? WHERE e.urn = ?",
            (ASPECTS_PER_ENTITY, self._number, f"urn:li:dataHubRetention:({entity},{aspect})"),
        ).fetchone()
        return None if row is None else _read(orjson.loads(row[0]))


def _read(config: Mapping[str, Any]) -> Policy:
    retention = config.get("retention") or {}
    versions, age = retention.get("version"), retention.get("time")
    return Policy(
        None if versions is None else int(versions["maxVersions"]),
        None if age is None else int(age["maxAgeInSeconds"]) * 1000,
    )
