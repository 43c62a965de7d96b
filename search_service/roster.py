"""What the ranking needs of every entity, in memory: some 700 bytes each.

The index answers with ids; a payload costs it as much as the search. The roster says what the ids
stand for, finds an entity by its exact name, and gives the vocabulary of the catalogue. It is read
from the index when the service starts, in the background, and follows each change. What it does
not know yet is fetched.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dataspoke.core.documents.keys import KEYS_FIELD
from dataspoke.core.index.model import Payload, StoredPoint, VectorIndex, point_id

log = logging.getLogger(__name__)

# Writers hold what they read under a lease before they write it: a version may appear late.
_LATE_MS = 60_000
_EXACT_KINDS = ("name:", "bare:", "urn:")

Names = tuple[str, ...]


class RosterRow(NamedTuple):
    """One entity; the fields are those of the payload (`documents.model`), and its point's id.

    `quality` is `pass`, `fail` or `unknown`; `incidents` counts open ones; `usage` is queries per
    month. `copies_key` is equal for copies of one table, the urn itself where nothing is known.
    """

    id: str
    urn: str
    entity_type: str
    name: str
    qualified_name: str
    platform: str
    platform_instance: str
    env: str
    container: str
    copies_key: str
    deprecated: bool
    certified: bool
    quality: str
    incidents: int
    usage: int
    last_modified: int
    subtypes: Names
    path: Names
    tags: Names
    tag_names: Names
    terms: Names
    term_names: Names
    owners: Names
    owner_names: Names
    domains: Names
    domain_names: Names
    consumers: Names
    consumer_names: Names


class Roster:
    """Rows by point id. Threads may share it; readers never wait.

    `generation` rises with every change; `complete` says that every entity of the index is known.
    """

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self._rows: dict[str, RosterRow] = {}
        self._keys: dict[str, tuple[int, ...]] = {}
        self._named: dict[int, str | set[str]] = {}
        self._shared: dict[Any, Any] = {}
        self._writing = threading.Lock()
        self._newest = 0
        self.generation = 0
        self.complete = False

    def __len__(self) -> int:
        return len(self._rows)

    def facts(self) -> Iterable[RosterRow]:
        """All rows as they are now, in no order."""
        return list(self._rows.values())

    def rows(self, ids: Iterable[str]) -> dict[str, RosterRow]:
        """The rows of those ids that are in the index; unknown ones are fetched."""
        known: dict[str, RosterRow] = {}
        unknown: list[str] = []
        for id_ in ids:
            row = self._rows.get(id_)
            if row is None:
                unknown.append(id_)
            else:
                known[id_] = row
        if unknown:
            fetched = self._index.fetch(unknown)
            known |= {id_: row_of(id_, payload, {}) for id_, payload in fetched.items()}
        return known

    def holding(self, *facts: str) -> list[str]:
        """Ids of the entities with one of these lookup keys (`documents.keys`: the kinds `name`,
        `bare` and `urn`), `copies_fact`s or `upstream_fact`s. Knows all only once `complete`."""
        found: dict[str, None] = {}
        for fact in facts:
            ids = self._named.get(hash(fact), ())
            found |= dict.fromkeys((ids,) if isinstance(ids, str) else tuple(ids))
        return list(found)

    def refresh(self, *, stopping: Callable[[], bool] = lambda: False) -> None:
        """Read all points the first time, later those that were written since. Raises
        RetriableError when the index is away; what was read until then is kept."""
        since = max(0, self._newest - _LATE_MS) if self.complete else None
        pages = iter(self._index.stream(since=since))
        while not stopping():
            with self._writing:
                page = next(pages, None)
                if page is None:
                    self.complete = True
                    return
                self._take(page)

    def follow(self, urns: Sequence[str]) -> None:
        """These entities were written: read them anew."""
        ids = [point_id(urn) for urn in urns]
        with self._writing:
            stored = self._index.fetch(ids)
            self._take([StoredPoint(id_, 0, stored.get(id_)) for id_ in ids])

    def _take(self, points: Sequence[StoredPoint]) -> None:
        changed = False
        for point in points:
            self._newest = max(self._newest, point.version)
            if point.payload is None:
                changed |= self._drop(point.id)
                continue
            row = row_of(point.id, point.payload, self._shared)
            keys = _exact_keys(point.payload)
            if row == self._rows.get(point.id) and keys == self._keys.get(point.id):
                continue
            self._drop(point.id)
            self._rows[point.id] = row
            self._keys[point.id] = keys
            for hashed in keys:
                ids = self._named.setdefault(hashed, row.id)
                if isinstance(ids, set):
                    ids.add(row.id)
                elif ids != row.id:
                    self._named[hashed] = {ids, row.id}
            changed = True
        self.generation += changed

    def _drop(self, id_: str) -> bool:
        for hashed in self._keys.pop(id_, ()):
            ids = self._named[hashed]
            if isinstance(ids, set) and len(ids) > 1:
                ids.discard(id_)
            else:
                del self._named[hashed]
        return self._rows.pop(id_, None) is not None


def row_of(id_: str, payload: Payload, shared: dict[Any, Any]) -> RosterRow:
    """A row in which equal values are one object: those of `shared`, which grows."""

    def one(field: str) -> Any:
        value = payload.get(field) or ""
        return shared.setdefault(value, value)

    def several(field: str) -> Names:
        value = tuple(payload.get(field) or ())
        return shared.setdefault(value, value)  # type: ignore[no-any-return]

    urn = str(payload["urn"])
    return RosterRow(
        id=id_,
        urn=urn,
        entity_type=one("entity_type"),
        name=str(payload["name"]),
        qualified_name=_same(str(payload.get("qualified_name") or ""), payload["name"]),
        platform=one("platform"),
        platform_instance=one("platform_instance"),
        env=one("env"),
        container=one("container"),
        copies_key=_same(str(payload.get("copies_key") or urn), urn),
        deprecated=bool(payload.get("deprecated")),
        certified=bool(payload.get("certified")),
        quality=one("quality") or "unknown",
        incidents=int(payload.get("incidents") or 0),
        usage=int(payload.get("usage") or 0),
        last_modified=int(payload.get("last_modified") or 0),
        subtypes=several("subtypes"),
        path=several("path"),
        tags=several("tags"),
        tag_names=several("tag_names"),
        terms=several("terms"),
        term_names=several("term_names"),
        owners=several("owners"),
        owner_names=several("owner_names"),
        domains=several("domains"),
        domain_names=several("domain_names"),
        consumers=several("consumers"),
        consumer_names=several("consumer_names"),
    )


def _same(text: str, other: str) -> str:
    return other if text == other else text


def _exact_keys(payload: Mapping[str, Any]) -> tuple[int, ...]:
    """The hashes of what an entity is looked up by; 64 bits do not collide."""
    keys = payload.get(KEYS_FIELD) or ()
    copies = payload.get("copies_key")
    return (
        *(hash(each) for each in keys if each.startswith(_EXACT_KINDS)),
        *((hash(copies_fact(copies)),) if copies else ()),
        *(hash(upstream_fact(urn)) for urn in payload.get("upstreams") or ()),
    )


def copies_fact(copies_key: str) -> str:
    """Held by all copies of one table."""
    return f"copies:{copies_key}"


def upstream_fact(urn: str) -> str:
    """Held by what lies below `urn` in lineage."""
    return f"upstream:{urn}"
