"""The embedded index: the Qdrant engine inside this process, in one folder that it owns."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as edge

from dataspoke.core.errors import FatalError
from dataspoke.core.index.edge_points import (
    old_tombstones,
    to_filter,
    to_point,
    to_request,
    written_since,
)
from dataspoke.core.index.folder import IndexFolder, damaged, own_folder
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
from dataspoke.core.index.spec import DOCUMENT_FIELD, FACTS_FIELD, NUMBER_FIELDS

logger = logging.getLogger(__name__)

# Reads keep the interpreter to themselves: a page of whole points takes some 10 ms.
_PAGE = 1000
_STREAM_PAGE = 200
_STREAMED = [DOCUMENT_FIELD, *STATE_FIELDS]

# Vectors that take less than this together are searched one by one, which is exact: 100,000 of
# 384 dimensions, in some 30 ms.
_GRAPH_ABOVE_KB = 150_000

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

    @classmethod
    def open(cls, index_dir: Path, spec: IndexSpec, *, now_ms: int) -> EdgeIndex:
        """Lock and open the folder of `spec`, making it if it is new; drop old tombstones.

        Raises FatalError if another process owns it or its files are damaged.
        """
        folder = own_folder(index_dir, spec, lambda path: _create_shard(path, spec))
        try:
            shard = _load_shard(folder)
            index = cls(folder, spec, shard)
            index._call(_create_field_indexes, shard)
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
            self._make_durable(len(settled))

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
                _guarded(self._shard.flush)
                _guarded(self._shard.close)
            except _EngineError as exc:
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

    def _optimize(self) -> None:
        """Clear away what was deleted; above `_GRAPH_ABOVE_KB` build the graph that makes search
        approximate and fast. Takes about a minute per 100,000 vectors and stops the whole
        process meanwhile, so it is done on opening alone."""
        started = time.monotonic()
        if self._call(self._shard.optimize):
            logger.info("optimized the index in %.1f s", time.monotonic() - started)

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
                _sync_to_disk(path)
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
            return _guarded(function, *args)
        except _EngineError as exc:
            raise self._failed(exc) from exc

    def _failed(self, reason: Exception) -> FatalError:
        path = self._folder.path
        return FatalError(
            f"Cannot use the index in {path}: the engine says {str(reason)!r}. Look for a full "
            f"disk, start again, and if it happens again move the folder away (mv '{path}' "
            f"'{path}.damaged') and run `dataspoke index reconcile`, which fills a new one."
        )


def _sync_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


class _EngineError(Exception):
    """What the engine threw, as one line."""


def _guarded(function: Callable[..., _T], *args: object) -> _T:
    """Run an engine call. The engine raises bare `Exception`s, and a panic in its Rust code
    arrives as a `BaseException` called PanicException."""
    try:
        return function(*args)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as exc:
        logger.debug("the index engine failed", exc_info=True)
        raise _EngineError((str(exc).splitlines() or [type(exc).__name__])[0]) from exc


def _load_shard(folder: IndexFolder) -> edge.EdgeShard:
    if not any(folder.shard.glob("segments/*/segment.json")):
        # The engine would open it as an empty index.
        raise damaged(folder.path, "its segments are missing")
    try:
        return _guarded(edge.EdgeShard.load, str(folder.shard))
    except _EngineError as exc:
        raise damaged(folder.path, f"the engine says {str(exc)!r}") from exc


def _create_shard(path: Path, spec: IndexSpec) -> None:
    path.mkdir()
    config = edge.EdgeConfig(
        vectors={
            name: edge.EdgeVectorParams(size, edge.Distance.Cosine)
            for name, size in spec.dense.items()
        },
        sparse_vectors={
            name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf) for name in spec.sparse
        },
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=_GRAPH_ABOVE_KB),
    )
    shard = edge.EdgeShard.create(str(path), config)
    _create_field_indexes(shard)
    shard.flush()
    shard.close()


def _create_field_indexes(shard: edge.EdgeShard) -> None:
    """Those that are missing. None gets graph links: with them a build takes twice as long."""
    have = shard.info().payload_schema
    wanted: dict[str, edge.KeywordIndexParams | edge.FloatIndexParams] = {
        FACTS_FIELD: edge.KeywordIndexParams(prefix=True, enable_hnsw=False)
    }
    for field in NUMBER_FIELDS:
        wanted[field] = edge.FloatIndexParams(enable_hnsw=False)
    for field, params in wanted.items():
        if field not in have:
            shard.update(edge.UpdateOperation.create_field_index(field, params))
