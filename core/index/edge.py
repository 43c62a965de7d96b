"""The embedded index: the Qdrant engine inside this process, in one folder that it owns."""

from __future__ import annotations

import itertools
import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as edge

from dataspoke.core.errors import FatalError
from dataspoke.core.index.edge_graph import bring_over, remove_others
from dataspoke.core.index.edge_points import (
    old_tombstones,
    to_filter,
    to_point,
    to_request,
    written_since,
)
from dataspoke.core.index.edge_shard import (
    GRAPH_ABOVE_KB,
    EngineError,
    create_field_indexes,
    create_shard,
    guarded,
    load_shard,
    sync_to_disk,
)
from dataspoke.core.index.folder import IndexFolder, own_folder
from dataspoke.core.index.model import (
    Condition,
    DenseQuery,
    Hashes,
    IndexInfo,
    IndexOp,
    IndexSpec,
    Payload,
    Scored,
    SetPayload,
    SparseQuery,
    StoredPoint,
    point_id,
)
from dataspoke.core.index.points import (
    STATE_FIELDS,
    TOMBSTONE_MS,
    Held,
    hashes_of,
    held_of,
    page_after,
    settle,
    shown_payload,
    sorted_pages,
    stored_payload,
    stored_point,
)
from dataspoke.core.index.spec import DOCUMENT_FIELD, SOURCE_FIELD

logger = logging.getLogger(__name__)

# Reads keep the interpreter to themselves: a page of whole points takes some 10 ms.
_PAGE = 1000
_STREAM_PAGE = 200
_STREAMED = [DOCUMENT_FIELD, *STATE_FIELDS]

# Points that may be brought over while writers wait.
_FEW = 200

# Operations between two full flushes.
_FLUSH_EVERY = 5_000
_T = TypeVar("_T")


class EdgeIndex:
    """A `VectorIndex` on the embedded engine.

    Threads may share it: reads run side by side, writes one after another. `generation` names
    this very folder: a rebuilt index has another one.
    """

    def __init__(self, folder: IndexFolder, spec: IndexSpec, shard: edge.EdgeShard) -> None:
        self._folder = folder
        self._spec = spec
        self._shard = shard
        self._writing = threading.Lock()
        self._closed = False
        self._unflushed = 0
        # Ids of what was written since the shard was copied; None while there is no copy.
        self._written: set[str] | None = None

    @classmethod
    def open(cls, index_dir: Path, spec: IndexSpec, *, now_ms: int) -> EdgeIndex:
        """Lock and open the folder of `spec`, making it if it is new; drop old tombstones.

        Raises FatalError if another process owns it or its files are damaged.
        """
        folder = own_folder(index_dir, spec, lambda path: create_shard(path, spec))
        try:
            remove_others(folder.path, keep=folder.shard.name)
            shard = load_shard(folder)
            index = cls(folder, spec, shard)
            index._call(create_field_indexes, shard)
            index._drop_tombstones(now_ms - TOMBSTONE_MS)
            index._optimize()
        except BaseException:
            folder.release()
            raise
        return index

    @property
    def generation(self) -> str:
        return self._folder.generation

    def hashes(self, urns: Sequence[str]) -> dict[str, Hashes]:
        stored = self._retrieve(urns, fields=list(STATE_FIELDS))
        return {urn: hashes_of(load) for urn, load in stored.items() if held_of(load).live}

    def apply(self, ops: Sequence[IndexOp]) -> None:
        if not ops:
            return
        with self._writing:
            stored = self._retrieve([op.urn for op in ops], fields=list(STATE_FIELDS))
            held: dict[str, Held] = {urn: held_of(load) for urn, load in stored.items()}
            settled = settle(ops, held).values()
            points = [to_point(op) for op in settled if not isinstance(op, SetPayload)]
            if points:
                self._update(edge.UpdateOperation.upsert_points(points))
            for op in settled:
                if isinstance(op, SetPayload):
                    payload = stored_payload(op, as_text=True)
                    self._update(
                        edge.UpdateOperation.overwrite_payload([point_id(op.urn)], payload)
                    )
            if self._written is not None:
                self._written.update(point_id(op.urn) for op in settled)
            self._make_durable(len(settled))

    def remember(self, hashes: Mapping[str, Hashes]) -> None:
        with self._writing:
            held = self.hashes(list(hashes))
            for urn, wanted in hashes.items():
                if held.get(urn) == wanted:
                    source = {SOURCE_FIELD: wanted.source}
                    self._update(edge.UpdateOperation.set_payload([point_id(urn)], source))

    def urns(self, *, batch: int = 1000) -> Iterator[dict[str, Hashes]]:
        """Rising by urn. Holds all urns (about 200 bytes each) while it streams; points written
        meanwhile may be left out."""
        yield from sorted_pages(self._scroll_urns(()), self.hashes, batch)

    def referencing(self, urn: str, *, after: str | None, limit: int) -> list[str]:
        condition = Condition("refs", "eq", (urn,))
        return page_after(self._scroll_urns([condition]), after, limit)

    def search(
        self,
        queries: Sequence[DenseQuery | SparseQuery],
        *,
        conditions: Sequence[Condition],
        limit: int,
    ) -> list[list[Scored]]:
        if not queries:
            return []
        # Tombstones have no vectors, so without conditions there is nothing to filter.
        condition = to_filter(conditions) if conditions else None
        requests = [to_request(query, condition, limit) for query in queries]
        answers = self._call(self._shard.query_batch, edge.QueryBatchRequest(requests))
        return [[Scored(str(point.id), point.score) for point in answer] for answer in answers]

    def count(self, conditions: Sequence[Condition]) -> int:
        request = edge.CountRequest(exact=True, filter=to_filter(conditions))
        return self._call(self._shard.count, request)

    def get(self, urns: Iterable[str]) -> dict[str, Payload]:
        ids = {point_id(urn): urn for urn in urns}
        return {ids[id_]: payload for id_, payload in self.fetch(list(ids)).items()}

    def fetch(self, ids: Sequence[str]) -> dict[str, Payload]:
        fields = [DOCUMENT_FIELD, *STATE_FIELDS]
        records = self._call(self._shard.retrieve, list(ids), fields, False)
        return {
            str(record.id): shown_payload(record.payload)
            for record in records
            if held_of(record.payload).live
        }

    def stream(self, *, since: int | None = None) -> Iterator[list[StoredPoint]]:
        condition = to_filter(()) if since is None else written_since(since)
        offset = None
        while True:
            request = edge.ScrollRequest(
                offset=offset, limit=_STREAM_PAGE, filter=condition, with_payload=_STREAMED
            )
            records, offset = self._call(self._shard.scroll, request)
            yield [stored_point(str(record.id), record.payload) for record in records]
            if offset is None:
                return

    def matching(
        self,
        conditions: Sequence[Condition],
        *,
        limit: int,
        among: Sequence[str] | None = None,
    ) -> list[str]:
        request = edge.ScrollRequest(
            limit=limit, filter=to_filter(conditions, among=among), with_payload=False
        )
        records, _ = self._call(self._shard.scroll, request)
        return [str(record.id) for record in records]

    def info(self) -> IndexInfo:
        shard = self._call(self._shard.info)
        return IndexInfo(
            engine="edge",
            location=str(self._folder.path),
            model_id=self._spec.model_id,
            points=self.count(()),
            details={
                "generation": self.generation,
                "segments": shard.segments_count,
                "indexed_vectors": shard.indexed_vectors_count,
            },
        )

    def close(self) -> None:
        """Flush, close and unlock; later calls raise FatalError. Safe to repeat."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            try:
                guarded(self._shard.flush)
                guarded(self._shard.close)
            except EngineError as exc:
                raise self._failed(exc) from exc
            finally:
                self._folder.release()

    def _scroll_urns(self, conditions: Sequence[Condition]) -> Iterator[str]:
        condition = to_filter(conditions)
        offset = None
        while True:
            request = edge.ScrollRequest(
                offset=offset, limit=_PAGE, filter=condition, with_payload=["urn"]
            )
            records, offset = self._call(self._shard.scroll, request)
            yield from (str((record.payload or {})["urn"]) for record in records)
            if offset is None:
                return

    def _retrieve(self, urns: Sequence[str], *, fields: list[str]) -> dict[str, dict[str, Any]]:
        ids = {point_id(urn): urn for urn in urns}
        records = self._call(self._shard.retrieve, list(ids), fields, False)
        return {ids[str(record.id)]: record.payload or {} for record in records}

    def _drop_tombstones(self, before: int) -> None:
        dead = old_tombstones(before)
        self._update(edge.UpdateOperation.delete_points_by_filter(dead))

    def needs_graph(self) -> bool:
        """More vectors are without a graph than a search should look at one by one."""
        shard = self._call(self._shard.info)
        names = len(self._spec.dense) + len(self._spec.sparse)
        plain = shard.points_count * names - shard.indexed_vectors_count
        return plain * sum(self._spec.dense.values()) * 4 / 1024 > GRAPH_ABOVE_KB

    def copy_shard(self) -> Path:
        """See `edge_graph.Growing`."""
        taken = {path.name for path in self._folder.path.glob("shard*")}
        copy = next(
            self._folder.path / name
            for name in (f"shard-{number}" for number in itertools.count(2))
            if name not in taken
        )
        with self._writing:
            self._call(self._shard.flush)
            self._unflushed = 0
            self._written = set()
            try:
                shutil.copytree(self._folder.shard, copy)
            except OSError as exc:
                raise self._failed(exc) from exc
        return copy

    def drop_copy(self, copy: Path) -> None:
        """See `edge_graph.Growing`; nothing happens to the shard in use."""
        with self._writing:
            self._written = None
            remove_others(self._folder.path, keep=self._folder.shard.name)

    def take_shard(self, copy: Path) -> None:
        """See `edge_graph.Growing`. Writes wait for the last few points only."""
        fresh = self._call(edge.EdgeShard.load, str(copy))
        while True:
            with self._writing:
                waiting = self._take_written()
                if len(waiting) <= _FEW:
                    self._call(bring_over, self._shard, fresh, waiting)
                    self._use(fresh, copy)
                    return
            self._call(bring_over, self._shard, fresh, waiting)

    def _use(self, fresh: edge.EdgeShard, place: Path) -> None:
        self._call(fresh.flush)
        self._folder = self._folder.with_shard(place)
        # Readers may still be inside the old one, which goes when the last of them leaves.
        self._shard = fresh

    def _take_written(self) -> list[str]:
        written, self._written = self._written, set()
        return list(written or ())

    def _optimize(self) -> None:
        """Clear away what was deleted: in the blink of an eye as long as there is no graph to
        build, else left to `edge_graph`."""
        points = self._call(self._shard.info).points_count
        if points * sum(self._spec.dense.values()) * 4 / 1024 <= GRAPH_ABOVE_KB:
            self._call(self._shard.optimize)

    def _make_durable(self, written: int) -> None:
        """Bring the engine's log to the disk; now and then also all that the log stands for.

        A flush writes some forty files (100 ms on a busy disk), the log is one (10 ms), and the
        engine replays it on opening.
        """
        self._unflushed += written
        logs = [path for path in (self._folder.shard / "wal").glob("*") if path.is_file()]
        if self._unflushed >= _FLUSH_EVERY or not logs:
            self._call(self._shard.flush)
            self._unflushed = 0
            return
        try:
            for path in logs:
                sync_to_disk(path)
        except FileNotFoundError:
            # The engine has just renamed a log that it had prepared.
            self._call(self._shard.flush)
            self._unflushed = 0
        except OSError as exc:
            raise self._failed(exc) from exc

    def _update(self, operation: edge.UpdateOperation) -> None:
        self._call(self._shard.update, operation)

    def _call(self, function: Callable[..., _T], *args: object) -> _T:
        if self._closed:
            raise FatalError(
                f"Cannot use the index in {self._folder.path}: it was closed. Open it again."
            )
        try:
            return guarded(function, *args)
        except EngineError as exc:
            raise self._failed(exc) from exc

    def _failed(self, reason: Exception) -> FatalError:
        path = self._folder.path
        return FatalError(
            f"Cannot use the index in {path}: the engine says {str(reason)!r}. Look for a full "
            f"disk, start again, and if it happens again move the folder away (mv '{path}' "
            f"'{path}.damaged') and run `dataspoke index reconcile`, which fills a new one."
        )
