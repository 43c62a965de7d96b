"""The thread that fills the roster, and on a shared server keeps it fresh."""

from __future__ import annotations

import logging
import threading

from dataspoke.core.errors import DataSpokeError
from dataspoke.search_service.roster import Roster

log = logging.getLogger(__name__)

_POLL_SECONDS = 1.0


class RosterKeeper:
    """Reads the whole index once. With `poll`, looks every second for what was written since, as
    nobody else tells of it."""

    def __init__(self, roster: Roster, *, poll: bool) -> None:
        self._roster = roster
        self._poll = poll
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="roster", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, timeout: float) -> bool:
        """True if the thread has ended within `timeout` seconds."""
        self._stop.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._roster.refresh(stopping=self._stop.is_set)
            except DataSpokeError as exc:
                log.debug("The roster is tried again: %s", exc)
            except Exception:
                log.exception("The roster met an unexpected error")
            if self._roster.complete and not self._poll:
                return
            self._stop.wait(_POLL_SECONDS)
