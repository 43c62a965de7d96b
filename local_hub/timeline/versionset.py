"""The versions of one thing that are entities of their own."""

from __future__ import annotations

import orjson

from dataspoke.local_hub.schema import ASPECTS_PER_ENTITY
from dataspoke.local_hub.store import Store
from dataspoke.local_hub.urns import Urn


def siblings(store: Store, urn: str) -> list[str]:
    """All entities of the version set of `urn`, itself first; alone when it is in none."""
    row = store.aspect(urn, "versionProperties")
    found = None if row is None else orjson.loads(row.value).get("versionSet")
    if found is None:
        return [urn]
    rows = store.reader().execute(
        "SELECT e.urn FROM entity e JOIN aspect a ON a.id = e.id * ? + ? "
        "WHERE e.type = ? AND e.urn <> ? AND json_extract(a.value, '$.versionSet') = ?",
        (
            ASPECTS_PER_ENTITY,
            store.aspect_numbers["versionProperties"],
            Urn.parse(urn).entity_type,
            urn,
            found,
        ),
    )
    return [urn, *(row[0] for row in rows)]
