"""The embedded index: the Qdrant engine inside this process, in one folder that it owns."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as edge

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.errors import FatalError
from dataspoke.core.index.edge_filter import edge_filter
from dataspoke.core.index.folder import IndexFolder, damaged, own_folder
from dataspoke.core.index.model import (
    Condition,
    DeletePoint,
    DenseQuery,
    Hashes,
    Hit,
    IndexInfo,
    IndexOp,
    IndexSpec,
    Payload,
    SetPayload,
    SparseQuery,
    UpsertPoint,
    Vector,
    point_id,
)
from dataspoke.core.index.points import (
    HASH_FIELDS,
    STATE_FIELDS,
    TOMBSTONE_MS,
    Held,
    hashes_of,
    held_of,
    page_after,
    settle,
    shown_payload,
    stored_payload,
    tombstone_payload,
)
from dataspoke.core.index.spec import (
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    LIVE_FIELD,
    PREFIX_FIELDS,
    VERSION_FIELD,
)

logger = logging.getLogger(__name__)

_PAGE = 1000
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

    @classmethod
    def open(cls, index_dir: Path, spec: IndexSpec, *, now_ms: int) -> EdgeIndex:
        """Lock and open the folder of `spec`, making it if it is new; drop old tombstones.

        Raises FatalError if another process owns it or its files are damaged.
        """
        folder = own_folder(index_dir, spec, lambda path: _create_shard(path, spec))
        try:
            try:
                shard = _guarded(edge.EdgeShard.load, str(folder.shard))
            except _EngineError as exc:
                raise damaged(folder.path, f"the engine says {str(exc)!r}") from exc
            index = cls(folder, spec, shard)
            index._call(_create_field_indexes, shard)
            index._drop_tombstones(now_ms - TOMBSTONE_MS)
        except BaseException:
            folder.release()
            raise
        return index

    @property
    def generation(self) -> str:
        return self._folder.generation

    def hashes(self, urns: Sequence[str]) -> dict[str, Hashes]:
        stored = self._retrieve(urns, fields=[*HASH_FIELDS, *STATE_FIELDS])
        return {urn: hashes_of(load) for urn, load in stored.items() if held_of(load).live}

    def apply(self, ops: Sequence[IndexOp]) -> None:
        if not ops:
            return
        with self._writing:
            stored = self._retrieve([op.urn for op in ops], fields=list(STATE_FIELDS))
            held: dict[str, Held] = {urn: held_of(load) for urn, load in stored.items()}
            settled = settle(ops, held).values()
            points = [_point(op) for op in settled if not isinstance(op, SetPayload)]
            if points:
                self._update(edge.UpdateOperation.upsert_points(points))
            for op in settled:
                if isinstance(op, SetPayload):
                    self._update(
                        edge.UpdateOperation.overwrite_payload(
                            [point_id(op.urn)], stored_payload(op)
                        )
                    )
            self._call(self._shard.flush)

    def urns(self, *, batch: int = 1000) -> Iterator[dict[str, Hashes]]:
        """Rising by urn. Holds all urns (about 200 bytes each) while it streams; points written
        meanwhile may be left out."""
        everything = sorted(self._scroll_urns(()))
        for start in range(0, len(everything), batch):
            part = everything[start : start + batch]
            found = self.hashes(part)
            if page := {urn: found[urn] for urn in part if urn in found}:
                yield page

    def referencing(self, urn: str, *, after: str | None, limit: int) -> list[str]:
        condition = Condition("refs", "eq", (urn,))
        return page_after(self._scroll_urns([condition]), after, limit)

    def search(
        self,
        queries: Sequence[DenseQuery | SparseQuery],
        *,
        conditions: Sequence[Condition],
        limit: int,
    ) -> list[list[Hit]]:
        if not queries:
            return []
        # Tombstones have no vectors, so without conditions there is nothing to filter.
        condition = edge_filter(conditions) if conditions else None
        requests = [_request(query, condition, limit) for query in queries]
        answers = self._call(self._shard.query_batch, edge.QueryBatchRequest(requests))
        return [[_hit(point.payload, point.score) for point in answer] for answer in answers]

    def count(self, conditions: Sequence[Condition]) -> int:
        request = edge.CountRequest(exact=True, filter=edge_filter(conditions))
        return self._call(self._shard.count, request)

    def get(self, urns: Iterable[str]) -> dict[str, Payload]:
        stored = self._retrieve(list(urns), fields=None)
        return {urn: shown_payload(load) for urn, load in stored.items() if held_of(load).live}

    def scroll(self, conditions: Sequence[Condition], *, limit: int) -> list[Hit]:
        request = edge.ScrollRequest(
            limit=limit, filter=edge_filter(conditions), with_payload=True, with_vector=False
        )
        records, _ = self._call(self._shard.scroll, request)
        return [_hit(record.payload, 0.0) for record in records]

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
                _guarded(self._shard.close)
            except _EngineError as exc:
                raise self._failed(exc) from exc
            finally:
                self._folder.release()

    def _scroll_urns(self, conditions: Sequence[Condition]) -> Iterator[str]:
        condition = edge_filter(conditions)
        offset = None
        while True:
            request = edge.ScrollRequest(
                offset=offset, limit=_PAGE, filter=condition, with_payload=["urn"]
            )
            records, offset = self._call(self._shard.scroll, request)
            yield from (str((record.payload or {})["urn"]) for record in records)
            if offset is None:
                return

    def _retrieve(
        self, urns: Sequence[str], *, fields: list[str] | None
    ) -> dict[str, dict[str, Any]]:
        ids = {point_id(urn): urn for urn in urns}
        records = self._call(self._shard.retrieve, list(ids), fields or True, False)
        return {ids[str(record.id)]: record.payload or {} for record in records}

    def _drop_tombstones(self, before: int) -> None:
        dead = edge.Filter(
            must=[
                edge.FieldCondition(LIVE_FIELD, match=edge.MatchValue(0)),
                edge.FieldCondition(VERSION_FIELD, range=edge.RangeFloat(lt=float(before))),
            ]
        )
        self._update(edge.UpdateOperation.delete_points_by_filter(dead))

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
    )
    shard = edge.EdgeShard.create(str(path), config)
    _create_field_indexes(shard)
    shard.flush()
    shard.close()


def _create_field_indexes(shard: edge.EdgeShard) -> None:
    have = shard.info().payload_schema
    for field in KEYWORD_FIELDS:
        if field not in have:
            params = edge.KeywordIndexParams(prefix=field in PREFIX_FIELDS)
            shard.update(edge.UpdateOperation.create_field_index(field, params))
    for field in INTEGER_FIELDS:
        if field not in have:
            number = edge.IntegerIndexParams(lookup=True, range=True)
            shard.update(edge.UpdateOperation.create_field_index(field, number))


def _point(op: UpsertPoint | DeletePoint) -> edge.Point:
    if isinstance(op, DeletePoint):
        return edge.Point(point_id(op.urn), {}, tombstone_payload(op))
    vectors: dict[str, Any] = {name: _dense(vector) for name, vector in op.dense.items()}
    vectors |= {name: _sparse(vector) for name, vector in op.sparse.items() if vector.indices}
    return edge.Point(point_id(op.urn), vectors, stored_payload(op))


def _request(
    query: DenseQuery | SparseQuery, condition: edge.Filter | None, limit: int
) -> edge.QueryRequest:
    vector = _dense(query.vector) if isinstance(query, DenseQuery) else _sparse(query.vector)
    return edge.QueryRequest(
        limit=limit,
        query=edge.Query.Nearest(vector, using=query.name),
        filter=condition,
        with_payload=True,
    )


def _dense(vector: Vector) -> list[float]:
    numbers: list[float] = vector.tolist()
    return numbers


def _sparse(vector: SparseVector) -> edge.SparseVector:
    return edge.SparseVector(list(vector.indices), list(vector.values))


def _hit(stored: dict[str, Any] | None, score: float) -> Hit:
    payload = shown_payload(stored)
    return Hit(urn=str(payload["urn"]), score=score, payload=payload)
