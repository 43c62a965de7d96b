"""From one model to the next without a gap: the old index answers until the new one is full.

Another model makes another index, which vector sync fills anew. Until it holds as many entities
as the old one, questions go to the old one, which by then is as old as the change of the model.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from dataspoke.core.errors import DataSpokeError
from dataspoke.core.index.model import VectorIndex

log = logging.getLogger(__name__)

MODEL_KEY = "search.model"
"""In the state store: the model whose index answered last when it was full."""

_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`entities` of `wanted` are in the index of `model`."""

    model: str
    entities: int
    wanted: int

    @property
    def full(self) -> bool:
        return self.entities >= self.wanted


class Handover:
    """A thread that watches the new index and calls `on_full` once, when it may take over."""

    def __init__(
        self, model: str, old: VectorIndex, new: VectorIndex, *, on_full: Callable[[], None]
    ) -> None:
        self._model = model
        self._old = old
        self._new = new
        self._on_full = on_full
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="handover", daemon=True)

    def progress(self) -> Progress:
        return Progress(self._model, self._new.count(()), self._old.count(()))

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, timeout: float) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            try:
                if self.progress().full:
                    self._on_full()
                    return
            except DataSpokeError as exc:
                log.warning("The old model's index goes on to answer: %s", exc)
