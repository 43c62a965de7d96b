"""The timeline: what changed in an entity, told from the versions that the hub keeps."""

from __future__ import annotations

from collections.abc import Collection

from dataspoke.local_hub.store import Store
from dataspoke.local_hub.timeline.blame import Point, schema_blame, schema_versions
from dataspoke.local_hub.timeline.history import versions
from dataspoke.local_hub.timeline.model import ChangeEvent, Transaction
from dataspoke.local_hub.timeline.transactions import CATEGORIES, read_category, transactions
from dataspoke.local_hub.timeline.versionset import siblings
from dataspoke.local_hub.urns import Urn

__all__ = [
    "CATEGORIES",
    "ChangeEvent",
    "Point",
    "Transaction",
    "changes",
    "read_category",
    "schema_blame",
    "schema_versions",
]


def changes(
    store: Store,
    urn: str,
    categories: Collection[str] = CATEGORIES,
    *,
    start: int = 0,
    end: int | None = None,
    most: int | None = None,
    raw: bool = False,
    version_set: bool = False,
) -> list[Transaction]:
    """The changes of an entity with start <= at <= end (UTC ms), the oldest first.

    With `most`, only that many of the newest; with `version_set`, those of all entities that are
    versions of the same thing. Raises BadRequest for an entity type without a timeline, BadUrn
    for what is no urn.
    """
    entity_type = Urn.parse(urn).entity_type
    found = [
        moment
        for one in (siblings(store, urn) if version_set else [urn])
        for moment in transactions(
            one, entity_type, categories, versions(store, one), start=start, end=end, raw=raw
        )
    ]
    found.sort(key=lambda moment: moment.at)
    return found if most is None else found[-most:] if most else []
