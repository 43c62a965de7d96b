"""The graph that makes a large embedded index fast, built while the index goes on answering.

The engine builds it in one call that stops the whole process for about a minute per 100,000
vectors. So another process builds it in a copy of the shard. Points written meanwhile are noted,
brought over afterwards, and the copy takes the shard's place: `meta.json` names it, in one step.
A kill leaves the old shard in place and a copy that the next owner removes.

Run as `python -m dataspoke.core.index.edge_graph SHARD`, it is that other process.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import qdrant_edge as edge

from dataspoke.core.errors import FatalError
from dataspoke.core.index.edge_shard import shard_config
from dataspoke.core.index.folder import spec_of

logger = logging.getLogger(__name__)

_CHECK_SECONDS = 60.0
_RETRY_SECONDS = 600.0
_POLL_SECONDS = 0.1
_BROUGHT_AT_ONCE = 200
_NICENESS = 10


class Growing(Protocol):
    """What the builder needs of the embedded index."""

    def needs_graph(self) -> bool: ...

    def copy_shard(self) -> Path:
        """Copy the shard beside itself, and note from now on which points are written."""
        ...

    def drop_copy(self, copy: Path) -> None: ...

    def take_shard(self, copy: Path) -> None:
        """Bring over what was written meanwhile, and use the copy from now on."""
        ...


class GraphBuilder:
    """A daemon thread that looks now and then whether the index has outgrown its graph."""

    def __init__(self, index: Growing) -> None:
        self._index = index
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index-graph", daemon=True)
        self.building = False

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, timeout: float) -> bool:
        """Give up a build in hand; True if the thread has ended within `timeout` seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            pause = _CHECK_SECONDS
            try:
                if self._index.needs_graph():
                    self.build()
            except FatalError as exc:
                if not self._stop.is_set():
                    logger.error("The index works on without its graph: %s", exc)  # noqa: TRY400
                pause = _RETRY_SECONDS
            except Exception:
                logger.exception("The index works on without its graph")
                pause = _RETRY_SECONDS

    def build(self) -> bool:
        """Build the graph now; False if `stop` came first. Raises FatalError if the engine or
        the disk refuses; the index then goes on as it is."""
        started = time.monotonic()
        self.building = True
        try:
            copy = self._index.copy_shard()
            try:
                if not _optimize_elsewhere(copy, self._stop.is_set):
                    return False
                self._index.take_shard(copy)
            finally:
                self._index.drop_copy(copy)
        finally:
            self.building = False
        logger.info("Built the index's graph in %.1f s", time.monotonic() - started)
        return True


def bring_over(source: edge.EdgeShard, target: edge.EdgeShard, ids: Iterable[str]) -> None:
    """Make the points of `target` with these ids what they are in `source`."""
    wanted: list[int | uuid.UUID | str] = list(ids)
    for start in range(0, len(wanted), _BROUGHT_AT_ONCE):
        part = wanted[start : start + _BROUGHT_AT_ONCE]
        records = source.retrieve(part, True, True)
        points = [edge.Point(r.id, r.vector or {}, r.payload or {}) for r in records]
        if points:
            target.update(edge.UpdateOperation.upsert_points(points))
        if gone := {str(id_) for id_ in part} - {str(record.id) for record in records}:
            target.update(edge.UpdateOperation.delete_points(list(gone)))


def _optimize_elsewhere(shard: Path, stopping: Callable[[], bool]) -> bool:
    command = [sys.executable, "-m", "dataspoke.core.index.edge_graph", str(shard)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while child.poll() is None:
            if stopping():
                return False
            time.sleep(_POLL_SECONDS)
    finally:
        if child.poll() is None:
            child.kill()
        said = child.communicate()[1].decode(errors="replace")
    if child.returncode:
        last = (said.strip().splitlines() or ["nothing"])[-1]
        raise FatalError(
            f"Cannot build the graph of {shard}: the process ended with {child.returncode} and "
            f"said {last!r}. Look for a full disk or too little memory."
        )
    return True


def _optimize(path: Path) -> None:
    os.nice(_NICENESS)
    # With the settings of today: the shard may have been made with others.
    shard = edge.EdgeShard.load(str(path), shard_config(spec_of(path.parent)))
    shard.optimize()
    shard.flush()
    shard.close()


def remove_others(folder: Path, keep: str) -> None:
    """Remove shards that are not in use: copies that a kill left behind."""
    for path in folder.glob("shard*"):
        if path.name != keep:
            shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    _optimize(Path(sys.argv[1]))
