"""Prove that the index equals DataHub, or show where it does not. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dataspoke.actions.vector_sync.decide import hashes_of
from dataspoke.actions.vector_sync.engine import Reader
from dataspoke.actions.vector_sync.reconcile import Lister
from dataspoke.core.documents.render import render
from dataspoke.core.errors import SkippableError
from dataspoke.core.index.model import Hashes
from dataspoke.core.urns import entity_type_of

SAMPLES = 10
_LIST_PAGE = 1000
_READ_PAGE = 256


class Hub(Reader, Lister, Protocol):
    """Lists what there is and reads it."""


class IndexView(Protocol):
    """What is read of an index: see `IndexWriter`."""

    def hashes(self, urns: Sequence[str]) -> dict[str, Hashes]: ...
    def urns(self, *, batch: int = 1000) -> Iterator[dict[str, Hashes]]: ...


@dataclass(slots=True)
class Differences:
    """Urns by kind of difference; `unreadable` entities have no document to compare with."""

    compared: int = 0
    missing: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    orphaned: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        return not (self.missing or self.stale or self.orphaned)

    @property
    def count(self) -> int:
        return len(self.missing) + len(self.stale) + len(self.orphaned)

    def urns(self) -> list[str]:
        return [*self.missing, *self.stale, *self.orphaned]


def check(
    hub: Hub,
    index: IndexView,
    *,
    model_id: str,
    types: Sequence[str],
    pause: Callable[[], None],
    progress: Callable[[int], None] = lambda count: None,
) -> Differences:
    """Render every entity and compare fingerprints, then look for points without an entity.

    What differs is looked at once more after `pause`: on a living catalogue some changes are
    always on their way. `progress` is called with how many entities were compared since.
    """
    found = Differences()
    listed: set[str] = set()
    for urns in _listed(hub, types):
        fresh = [urn for urn in urns if urn not in listed]
        listed.update(fresh)
        for start in range(0, len(fresh), _READ_PAGE):
            page = fresh[start : start + _READ_PAGE]
            _compare(hub, index, page, model_id, found)
            progress(len(page))
    unlisted = [
        urn
        for batch in index.urns()
        for urn in batch
        if urn not in listed and _type_of(urn) in types
    ]
    _compare(hub, index, unlisted, model_id, found)
    if found.equal:
        return found
    pause()
    again = Differences(compared=found.compared, unreadable=found.unreadable)
    doubtful = found.urns()
    for start in range(0, len(doubtful), _READ_PAGE):
        _compare(hub, index, doubtful[start : start + _READ_PAGE], model_id, again, first=False)
    return again


def _listed(hub: Lister, types: Sequence[str]) -> Iterator[list[str]]:
    for entity_type in types:
        start = 0
        while urns := hub.list_urns(entity_type, start=start, count=_LIST_PAGE):
            yield urns
            start += len(urns)


def _compare(
    hub: Reader,
    index: IndexView,
    urns: Sequence[str],
    model_id: str,
    found: Differences,
    *,
    first: bool = True,
) -> None:
    if not urns:
        return
    result = hub.read(urns)
    expected: dict[str, Hashes] = {}
    unreadable = {urn: str(exc) for urn, exc in result.bad.items()}
    for urn, snapshot in result.found.items():
        if not snapshot.removed:
            try:
                expected[urn] = hashes_of(render(snapshot, model_id=model_id))
            except Exception as exc:
                unreadable[urn] = f"{type(exc).__name__}: {exc}"
    held = index.hashes(urns)
    for urn in urns:
        if urn in unreadable:
            found.unreadable[urn] = unreadable[urn]
        elif urn in expected:
            if urn not in held:
                found.missing.append(urn)
            elif held[urn] != expected[urn]:
                found.stale.append(urn)
        elif urn in held:
            found.orphaned.append(urn)
    if first:
        found.compared += len(urns)


def _type_of(urn: str) -> str:
    try:
        return entity_type_of(urn)
    except SkippableError:
        return ""
