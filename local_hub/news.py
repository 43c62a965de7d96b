"""Wakes waiting requests when something was committed."""

from __future__ import annotations

import asyncio


class News:
    """Futures of one event loop that are done at the next commit."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: set[asyncio.Future[None]] = set()
        self.closed = False

    def next(self) -> asyncio.Future[None]:
        """Done at the next commit. Ask for it before looking, then nothing is missed."""
        future: asyncio.Future[None] = self._loop.create_future()
        future.add_done_callback(self._waiting.discard)
        if self.closed:
            future.set_result(None)
        else:
            self._waiting.add(future)
        return future

    def announce(self) -> None:
        """Call from any thread."""
        if not self.closed:
            self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """Wake everyone for the last time; call on the loop."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        for future in tuple(self._waiting):
            if not future.done():
                future.set_result(None)
