"""The shard of an embedded index: how it is made, opened and called."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import qdrant_edge as edge

from dataspoke.core.index.folder import IndexFolder, damaged
from dataspoke.core.index.model import IndexSpec
from dataspoke.core.index.spec import FACTS_FIELD, NUMBER_FIELDS

logger = logging.getLogger(__name__)

# Vectors that take less than this together are searched one by one, which is exact: 26,000 of
# 384 dimensions, in some 8 ms. Without a graph they also stay in memory, 6 KB per point.
GRAPH_ABOVE_KB = 40_000

_T = TypeVar("_T")


def sync_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


class EngineError(Exception):
    """What the engine threw, as one line."""


def guarded(function: Callable[..., _T], *args: object) -> _T:
    """Run an engine call. The engine raises bare `Exception`s, and a panic in its Rust code
    arrives as a `BaseException` called PanicException."""
    try:
        return function(*args)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as exc:
        logger.debug("the index engine failed", exc_info=True)
        raise EngineError((str(exc).splitlines() or [type(exc).__name__])[0]) from exc


def load_shard(folder: IndexFolder) -> edge.EdgeShard:
    if not any(folder.shard.glob("segments/*/segment.json")):
        # The engine would open it as an empty index.
        raise damaged(folder.path, "its segments are missing")
    try:
        return guarded(edge.EdgeShard.load, str(folder.shard))
    except EngineError as exc:
        raise damaged(folder.path, f"the engine says {str(exc)!r}") from exc


def shard_config(spec: IndexSpec) -> edge.EdgeConfig:
    return edge.EdgeConfig(
        vectors={
            name: edge.EdgeVectorParams(size, edge.Distance.Cosine)
            for name, size in spec.dense.items()
        },
        sparse_vectors={
            name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf) for name in spec.sparse
        },
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=GRAPH_ABOVE_KB),
    )


def create_shard(path: Path, spec: IndexSpec) -> None:
    path.mkdir()
    shard = edge.EdgeShard.create(str(path), shard_config(spec))
    create_field_indexes(shard)
    shard.flush()
    shard.close()


def create_field_indexes(shard: edge.EdgeShard) -> None:
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
