"""The versions of an entity's aspects that the hub still keeps."""

from __future__ import annotations

from typing import NamedTuple

from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY
from dataspoke.local_hub.store import Store


class Version(NamedTuple):
    """One version of an aspect. `number` is GMS's: 0 for the latest, else counted from 1."""

    number: int
    at: int
    actor: str
    value: str


def versions(store: Store, urn: str) -> dict[str, list[Version]]:
    """All kept versions of each aspect, the oldest first; empty when the entity is unknown."""
    entity = store.entity_id(urn)
    if entity is None:
        return {}
    span = (entity * ASPECTS_PER_ENTITY, (entity + 1) * ASPECTS_PER_ENTITY)
    rows = store.reader().execute(
        "SELECT aspect, seq, modified_at, actor, value FROM aspect_history "
        "WHERE aspect >= ? AND aspect < ? UNION ALL "
        "SELECT id, 0, modified_at, actor, value FROM aspect WHERE id >= ? AND id < ?",
        (*span, *span),
    )
    found: dict[str, list[Version]] = {}
    for aspect, *row in rows:
        found.setdefault(store.aspect_names[aspect % ASPECTS_PER_ENTITY], []).append(Version(*row))
    for kept in found.values():
        kept.sort(key=lambda version: (version.number == 0, version.number))
    return found
