"""Make work of everything that DataHub has and the index should have, or should no longer.

What exists is listed from DataHub's primary store, page by page. Every entity becomes a `sync`
row: the engine compares fingerprints and passes over what is right. What only the index knows
becomes rows too; the engine looks for each key aspect, so that a list with gaps removes
nothing. Nothing at all happens to the index when the list looks blind (`blind`).
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from dataspoke.actions.vector_sync.classify import DELETED, SYNC
from dataspoke.actions.vector_sync.guard import FLOOR, too_many
from dataspoke.core.entities import SEARCHABLE_ENTITY_TYPES
from dataspoke.core.errors import ConfigError, FatalError, SkippableError
from dataspoke.core.index.model import IndexWriter
from dataspoke.core.urns import entity_type_of
from dataspoke.core.work.model import Priority, Work, WorkTable

PAGE = 1000
# Entities deleted while we list move the later ones forward: pages overlap by so much.
OVERLAP = 20
_SAMPLES = 5


class ReconcileRefused(FatalError):
    """The fail-safe stopped the run: too much would vanish."""


class Lister(Protocol):
    def list_urns(self, entity_type: str, *, start: int, count: int) -> list[str]: ...


class State(Protocol):
    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...
    def delete(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far an earlier run has come: rows before it are in the work table for certain."""

    entity_type: str = ""
    start: int = 0

    def covers(self, types: Sequence[str], entity_type: str, start: int) -> bool:
        """Whether the page at `start` of `entity_type` has been put already."""
        if self.entity_type not in types:
            return False
        here, there = types.index(entity_type), types.index(self.entity_type)
        return here < there or (here == there and start < self.start)


@dataclass(slots=True)
class Listing:
    """The urns that DataHub lists, as 64-bit digests: a million of them takes 8 MB."""

    count: int = 0
    _digests: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, urns: Iterable[str]) -> None:
        self._digests.extend(_digest(urn) for urn in urns)

    def close(self) -> None:
        """End of the list: from here on, and not before, membership and `count` are right."""
        self._digests = array("Q", sorted(set(self._digests)))
        self.count = len(self._digests)

    def __contains__(self, urn: str) -> bool:
        digest = _digest(urn)
        position = bisect_left(self._digests, digest)
        return position < len(self._digests) and self._digests[position] == digest


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run has put into the work table."""

    listed: int
    points: int
    orphans: int


class Reconcile:
    """One run over some entity types; another process may resume it after a kill.

    `progress` is called with (what, count so far). Raises RetriableError while something is
    away, and ReconcileRefused when the fail-safe stops it; what was put until then is harmless.
    """

    def __init__(
        self,
        hub: Lister,
        index: IndexWriter,
        work: WorkTable,
        state: State,
        *,
        key: str,
        clock: Callable[[], int],
        max_removals: float,
        types: Sequence[str] = SEARCHABLE_ENTITY_TYPES,
        page: int = PAGE,
        progress: Callable[[str, int], None] = lambda what, count: None,
    ) -> None:
        self._hub = hub
        self._index = index
        self._work = work
        self._state = state
        self._key = key
        self._clock = clock
        self._max_removals = max_removals
        self._types = tuple(types)
        self._page = page
        self._progress = progress
        self._next: tuple[int, int] = (0, 0)
        self._listing = Listing()

    def run(self) -> Summary:
        """List, compare, put. Calling it again after a RetriableError goes on where it was."""
        self._list()
        self._listing.close()
        orphans, points = self._orphans()
        self._put(orphans, announced=True)
        self._state.delete(self._key)
        return Summary(self._listing.count, points, len(orphans))

    def forget(self) -> None:
        """Let the next run begin anew."""
        self._state.delete(self._key)

    def _list(self) -> None:
        cursor = self._cursor()
        overlap = min(OVERLAP, self._page // 2)
        type_at, start = self._next
        while type_at < len(self._types):
            entity_type = self._types[type_at]
            urns = self._hub.list_urns(entity_type, start=start, count=self._page)
            self._listing.add(urns)
            if urns and not cursor.covers(self._types, entity_type, start):
                self._put(urns, announced=False)
            last = len(urns) < self._page
            type_at, start = (type_at + 1, 0) if last else (type_at, start + self._page - overlap)
            if type_at < len(self._types):
                reached = Cursor(self._types[type_at], start)
                if not cursor.covers(self._types, reached.entity_type, reached.start):
                    self._remember(reached)
            self._next = (type_at, start)
            self._progress("listed", len(urns))

    def _orphans(self) -> tuple[list[str], int]:
        orphans: list[str] = []
        points = 0
        wanted = set(self._types)
        for batch in self._index.urns():
            for urn in batch:
                if _type_of(urn) not in wanted:
                    continue
                points += 1
                if urn not in self._listing:
                    orphans.append(urn)
            self._progress("compared", len(batch))
        reason = blind(
            listed=self._listing.count,
            points=points,
            orphans=len(orphans),
            max_removals=self._max_removals,
        )
        if reason:
            shown = ", ".join(orphans[:_SAMPLES]) + (", …" if len(orphans) > _SAMPLES else "")
            raise ReconcileRefused(
                f"Cannot reconcile the index: {reason}, such as {shown}. Nothing was removed. "
                "See whether DATAHUB_GMS_URL and DATAHUB_GMS_TOKEN are right; if all this is "
                "really gone, run `dataspoke index reconcile --max-removals 1.0`."
            )
        return orphans, points

    def _put(self, urns: Sequence[str], *, announced: bool) -> None:
        payload = {DELETED: True} if announced else {}
        work = [Work(SYNC, urn, priority=Priority.BACKFILL, payload=payload) for urn in urns]
        for start in range(0, len(work), self._page):
            self._put_or_skip(work[start : start + self._page])

    def _put_or_skip(self, work: Sequence[Work]) -> None:
        now = self._clock()
        try:
            self._work.put(work, now=now)
        except SkippableError as exc:
            if len(work) > 1:
                for one in work:
                    self._put_or_skip([one])
                return
            self._work.bury_event(
                SYNC,
                work[0].key,
                payload={},
                reason=str(exc),
                error_type=type(exc).__name__,
                now=now,
            )

    def _cursor(self) -> Cursor:
        text = self._state.get(self._key)
        if text is None:
            return Cursor()
        stored = json.loads(text)
        if tuple(stored["types"]) != self._types:
            return Cursor()
        return Cursor(stored["type"], stored["start"])

    def _remember(self, cursor: Cursor) -> None:
        stored = {"types": self._types, "type": cursor.entity_type, "start": cursor.start}
        self._state.set(self._key, json.dumps(stored))


def blind(*, listed: int, points: int, orphans: int, max_removals: float) -> str | None:
    """Why a list of `listed` urns must not be believed against `points` points, or None.

    >>> blind(listed=0, points=3, orphans=3, max_removals=0.3)
    'DataHub lists nothing, and the index holds 3 points'
    >>> blind(listed=60, points=100, orphans=40, max_removals=0.3)
    'it would remove 40 of 100 points, more than a share of 0.3'
    """
    if max_removals >= 1.0 or not orphans:
        return None
    if not listed:
        return f"DataHub lists nothing, and the index holds {points} points"
    if too_many(orphans, points=points, max_share=max_removals, floor=FLOOR):
        return f"it would remove {orphans} of {points} points, more than a share of {max_removals}"
    return None


def checked_types(types: Sequence[str]) -> tuple[str, ...]:
    """The types to look at, all when none is named. Raises ConfigError for unknown ones."""
    for entity_type in types:
        if entity_type not in SEARCHABLE_ENTITY_TYPES:
            raise ConfigError(
                f"Cannot reconcile entities of the type {entity_type!r}: it is not searchable. "
                f"Choose --type from {', '.join(SEARCHABLE_ENTITY_TYPES)}."
            )
    return tuple(dict.fromkeys(types)) or SEARCHABLE_ENTITY_TYPES


def _type_of(urn: str) -> str:
    try:
        return entity_type_of(urn)
    except SkippableError:
        return ""


def _digest(urn: str) -> int:
    return int.from_bytes(blake2b(urn.encode(), digest_size=8).digest())
