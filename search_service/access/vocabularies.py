"""The words of the catalogue that a caller may see: what is read out of a question, and what its
typing mistakes are corrected to, must name nothing else."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from dataspoke.core.index.model import VectorIndex
from dataspoke.search_service.access.view import Rights
from dataspoke.search_service.parse.vocabulary import Vocabulary, vocabulary_of
from dataspoke.search_service.roster import Roster

_MOST_KINDS = 32
_MOST_ENTITIES = 10_000_000
_SMALL = 2_000
_LARGE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Built:
    vocabulary: Vocabulary
    generation: int
    entities: int
    at: float


class Vocabularies:
    """One for callers of equal rights. A small one is always that of this moment, a large one may
    be half a minute old; building it takes about a second per 100,000 entities."""

    def __init__(self, index: VectorIndex, roster: Roster, whole: Callable[[], Vocabulary]) -> None:
        self._index = index
        self._roster = roster
        self._whole = whole
        self._building = threading.Lock()
        self._built: OrderedDict[Rights, _Built] = OrderedDict()

    def of(self, rights: Rights) -> Vocabulary:
        """Raises RetriableError when the index is away."""
        if rights is None:
            return self._whole()
        built = self._built.get(rights)
        if built is None or self._is_old(built):
            # Whoever has an older one goes on with it while another builds.
            small = built is None or built.entities <= _SMALL
            if self._building.acquire(blocking=small):
                try:
                    built = self._built.get(rights)
                    if built is None or self._is_old(built):
                        built = self._build(rights)
                finally:
                    self._building.release()
        assert built is not None
        return built.vocabulary

    def _is_old(self, built: _Built) -> bool:
        if built.generation == self._roster.generation:
            return False
        return built.entities <= _SMALL or monotonic() - built.at > _LARGE_SECONDS

    def _build(self, rights: Rights) -> _Built:
        generation = self._roster.generation
        ids = self._index.matching(rights or (), limit=_MOST_ENTITIES)
        rows = list(self._roster.rows(ids).values())
        built = _Built(vocabulary_of(rows), generation, len(rows), monotonic())
        self._built[rights] = built
        self._built.move_to_end(rights)
        while len(self._built) > _MOST_KINDS:
            self._built.popitem(last=False)
        return built
