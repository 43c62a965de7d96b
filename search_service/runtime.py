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
from dataspoke.core.index.model import VectorIndex
from dataspoke.core.index.open import open_owner
from dataspoke.core.index.outbox import Outbox
from dataspoke.core.index.spec import spec_for
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database
from dataspoke.search_service.access.vocabularies import Vocabularies
from dataspoke.search_service.drain import DrainStatus, OutboxDrainer
from dataspoke.search_service.fusion import Weights
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
                self._on_ready(serving)
                return

    def _open(self) -> Serving:
        """Open all or nothing."""
        if self._embedder is None:
            self._embedder = load_embedder(self._settings.model)
        spec = spec_for(self._embedder)
        with ExitStack() as opened:
            index = open_owner(self._settings, spec)
            opened.callback(index.close)
            roster = Roster(index)
            searcher = Searcher(index, roster, self._embedder, self._weights)
            opened.callback(searcher.close)
            drainer = None
            if isinstance(index, EdgeIndex):
                database = Database.open(self._settings.database_url)
                opened.callback(database.close)
                outbox = Outbox(database, spec)
                outbox.bind(index.generation, index.urns())
                graph = GraphBuilder(index)
                opened.callback(graph.stop, timeout=_STOP_SECONDS)
                drainer = OutboxDrainer(
                    outbox, index, on_fatal=self._fatal, on_applied=roster.follow
                )
                opened.callback(drainer.stop, timeout=_STOP_SECONDS)
                drainer.start()
                graph.start()
            keeper = RosterKeeper(roster, poll=drainer is None)
            opened.callback(keeper.stop, timeout=_STOP_SECONDS)
            keeper.start()
            vocabulary = VocabularyKeeper(roster)
            opened.callback(vocabulary.stop, timeout=_STOP_SECONDS)
            vocabulary.start()
            self._resources = opened.pop_all()
        vocabularies = Vocabularies(index, roster, vocabulary.current)
        return Serving(self._embedder, index, roster, searcher, vocabularies, drainer)

    def _fatal(self, exc: DataSpokeError) -> None:
        self.reason = str(exc)
        self.serving = None
        self._on_fatal(exc)

    def _wait_and_retry(self, reason: str) -> None:
        if reason != self.reason:
            log.warning("Not ready yet: %s", reason)
        self.reason = reason
        self._stop.wait(_RETRY_SECONDS)
