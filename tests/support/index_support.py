"""Small indexes for tests: points made of a few words, and an empty index of either engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient
from qdrant_rest import QdrantProcess

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.hash_embedder import HashEmbedder
from dataspoke.core.index.model import Hashes, IndexSpec, UpsertPoint, VectorIndex
from dataspoke.core.index.qdrant import QdrantIndex
from dataspoke.core.index.spec import spec_for

EMBEDDER = HashEmbedder()
SPEC = spec_for(EMBEDDER)
NOW_MS = 1_793_000_000_000


def make_point(urn: str, text: str = "orders", *, version: int = 1, **payload: Any) -> UpsertPoint:
    """A point about `text`; its hashes follow from text and payload."""
    words = sorted({sum(map(ord, word)) for word in text.split()})
    return UpsertPoint(
        urn=urn,
        hashes=Hashes(f"text {text}", f"payload {sorted(payload.items())}"),
        dense={"meaning": EMBEDDER.embed([text])[0]},
        sparse={"words": SparseVector(tuple(words), (1.0,) * len(words))},
        payload={"urn": urn, "name": urn.rpartition(":")[2], **payload},
        version=version,
    )


@contextmanager
def edge_index(folder: Path, spec: IndexSpec = SPEC) -> Iterator[VectorIndex]:
    index = EdgeIndex.open(folder, spec, now_ms=NOW_MS)
    yield index
    index.close()


@contextmanager
def qdrant_index(server: QdrantProcess, spec: IndexSpec = SPEC) -> Iterator[VectorIndex]:
    """The collection is gone afterwards."""
    index = QdrantIndex.open(server.url, spec, now_ms=NOW_MS)
    yield index
    index.close()
    client = QdrantClient(url=server.url, check_compatibility=False)
    client.delete_collection(index.collection)
    client.close()
