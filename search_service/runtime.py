"""What the service holds while it runs: embedder, index and the outbox that feeds it.

Everything is opened by a thread of its own, so that the process answers health checks at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from dataspoke.core.errors import DataSpokeError, FatalError, RetriableError
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.edge_graph import GraphBuilder
from dataspoke.core.index.embedder import Embedder, load_embedder
from dataspoke.core.index.folder import folder_name
from dataspoke.core.index.model import VectorIndex
from dataspoke.core.index.open import open_owner
from dataspoke.core.index.outbox import Outbox
from dataspoke.core.index.spec import spec_for
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database
from dataspoke.core.store.state import StateStore
from dataspoke.search_service.access.vocabularies import Vocabularies
from dataspoke.search_service.drain import DrainStatus, OutboxDrainer
from dataspoke.search_service.fusion import Weights
from dataspoke.search_service.handover import MODEL_KEY, Handover
from dataspoke.search_service.retrieve import Searcher
from dataspoke.search_service.roster import Roster
from dataspoke.search_service.roster_keeper import RosterKeeper
from dataspoke.search_service.understand import VocabularyKeeper

log = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Serving:
    """What a request needs. `drainer` is None when a Qdrant server holds the index."""

    embedder: Embedder
    index: VectorIndex
    roster: Roster
    searcher: Searcher
    vocabularies: Vocabularies
    drainer: OutboxDrainer | None


class SearchRuntime:
    """Opens everything in the background and closes it in order.

    `on_ready` and `on_fatal` are called from the start-up thread; after `on_fatal` the process
    is of no use and should end with that error.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        on_ready: Callable[[Serving], None],
        on_fatal: Callable[[DataSpokeError], None],
        weights: Weights | None = None,
    ) -> None:
        self._settings = settings
        self._weights = weights
        self._on_ready = on_ready
        self._on_fatal = on_fatal
        self._stop = threading.Event()
        self._resources = ExitStack()
        self._embedder: Embedder | None = None
        self._handover: Handover | None = None
        self._thread = threading.Thread(target=self._start, name="search-start", daemon=True)
        self.serving: Serving | None = None
        self.reason = "The model and the index are being loaded."

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop draining, flush and close the index, release its lock. Takes a few seconds at
        most; what is not closed by then ends with the process and loses nothing."""
        self._stop.set()
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            log.warning("Stopped while the model or the index was still being loaded.")
            return
        self.serving = None
        self.reason = "The service is stopping."
        self._resources.close()

    @property
    def drain(self) -> DrainStatus | None:
        serving = self.serving
        return serving.drainer.status if serving and serving.drainer else None

    def details(self) -> dict[str, Any]:
        """Facts for /readyz; raises RetriableError when the index does not answer."""
        serving = self.serving
        if serving is None:
            return {}
        info = serving.index.info()
        facts: dict[str, Any] = {
            "model": serving.embedder.model_id,
            "index": {
                "engine": info.engine,
                "location": info.location,
                "entities": info.points,
                "roster": len(serving.roster),
            },
        }
        if (handover := self._handover) is not None:
            coming = handover.progress()
            facts["next_model"] = {
                "model": coming.model,
                "entities": coming.entities,
                "of": coming.wanted,
            }
        if (drain := self.drain) is not None:
            facts["outbox"] = {
                "rows": drain.rows,
                "oldest_ms": drain.oldest_ms,
                "applied": drain.applied,
                "failure": drain.failure,
            }
        return facts

    def _start(self) -> None:
        while not self._stop.is_set():
            try:
                serving = self._open()
            except RetriableError as exc:
                self._wait_and_retry(str(exc))
            except DataSpokeError as exc:
                self._fatal(exc)
                return
            except Exception as exc:
                log.exception("The search service cannot start.")
                self._fatal(FatalError(f"Cannot start the search service: {exc!r}. See the log."))
                return
            else:
                self.serving = serving
                if self._handover is not None:
                    self._handover.start()
                self._on_ready(serving)
                return

    def _open(self) -> Serving:
        """Open all or nothing."""
        if self._embedder is None:
            self._embedder = load_embedder(self._settings.model)
        with ExitStack() as opened:
            database = None
            if not self._settings.qdrant_url:
                database = Database.open(self._settings.database_url)
                opened.callback(database.close)
            serving = fresh = self._open_index(self._embedder, database, opened)
            if database is not None:
                serving = self._or_previous(fresh, StateStore(database), database, opened)
            self._resources = opened.pop_all()
        return serving

    def _open_index(
        self, embedder: Embedder, database: Database | None, opened: ExitStack
    ) -> Serving:
        spec = spec_for(embedder)
        index = open_owner(self._settings, spec)
        opened.callback(index.close)
        roster = Roster(index)
        searcher = Searcher(index, roster, embedder, self._weights)
        opened.callback(searcher.close)
        drainer = None
        if isinstance(index, EdgeIndex) and database is not None:
            outbox = Outbox(database, spec)
            outbox.bind(index.generation, index.urns())
            graph = GraphBuilder(index)
            opened.callback(graph.stop, timeout=_STOP_SECONDS)
            drainer = OutboxDrainer(outbox, index, on_fatal=self._fatal, on_applied=roster.follow)
            opened.callback(drainer.stop, timeout=_STOP_SECONDS)
            drainer.start()
            graph.start()
        keeper = RosterKeeper(roster, poll=drainer is None)
        opened.callback(keeper.stop, timeout=_STOP_SECONDS)
        keeper.start()
        vocabulary = VocabularyKeeper(roster)
        opened.callback(vocabulary.stop, timeout=_STOP_SECONDS)
        vocabulary.start()
        vocabularies = Vocabularies(index, roster, vocabulary.current)
        return Serving(embedder, index, roster, searcher, vocabularies, drainer)

    def _or_previous(
        self, fresh: Serving, state: StateStore, database: Database, opened: ExitStack
    ) -> Serving:
        """What answers now: `fresh`, or until that is full the index of the model before."""
        name = state.get(MODEL_KEY)
        previous = self._previous_embedder(name) if name else None
        if previous is None:
            state.set(MODEL_KEY, self._settings.model)
            return fresh
        before = opened.enter_context(ExitStack())
        old = self._open_index(previous, database, before)

        def take_over() -> None:
            self.serving = fresh
            self._handover = None
            state.set(MODEL_KEY, self._settings.model)
            log.warning("The index of %s is full and answers now.", fresh.embedder.model_id)
            self._stop.wait(_STOP_SECONDS)
            before.close()

        handover = Handover(fresh.embedder.model_id, old.index, fresh.index, on_full=take_over)
        opened.callback(handover.stop, timeout=2 * _STOP_SECONDS)
        self._handover = handover
        log.warning("The index of %s answers until the new one is full.", previous.model_id)
        return old

    def _previous_embedder(self, name: str) -> Embedder | None:
        """None if the index that answered last is today's, or is no longer there."""
        if name == self._settings.model:
            return None
        try:
            embedder = load_embedder(name)
        except DataSpokeError as exc:
            log.warning("The model before cannot answer meanwhile: %s", exc)
            return None
        place = self._settings.index_dir / folder_name(spec_for(embedder).model_id)
        return embedder if place.exists() else None

    def _fatal(self, exc: DataSpokeError) -> None:
        self.reason = str(exc)
        self.serving = None
        self._on_fatal(exc)

    def _wait_and_retry(self, reason: str) -> None:
        if reason != self.reason:
            log.warning("Not ready yet: %s", reason)
        self.reason = reason
        self._stop.wait(_RETRY_SECONDS)
