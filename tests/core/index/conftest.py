"""What the tests of the index share: a small spec, and points made of a few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qdrant_rest import QdrantProcess

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.hash_embedder import HashEmbedder
from dataspoke.core.index.model import Hashes, UpsertPoint, VectorIndex
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


@pytest.fixture(name="point")
def _point() -> Callable[..., UpsertPoint]:
    return make_point


@pytest.fixture(scope="session")
def qdrant_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QdrantProcess]:
    with QdrantProcess(tmp_path_factory.mktemp("qdrant")) as server:
        yield server


@pytest.fixture
def open_edge(tmp_path: Path) -> Callable[..., EdgeIndex]:
    """Open the same folder again and again."""

    def opened(now_ms: int = NOW_MS) -> EdgeIndex:
        return EdgeIndex.open(tmp_path / "index", SPEC, now_ms=now_ms)

    return opened


@pytest.fixture(params=["edge", "qdrant"])
def index(request: pytest.FixtureRequest) -> Iterator[VectorIndex]:
    """An empty index of each engine in turn."""
    opened: VectorIndex
    if request.param == "edge":
        opened = request.getfixturevalue("open_edge")()
        yield opened
        opened.close()
        return
    server: QdrantProcess = request.getfixturevalue("qdrant_server")
    server_index = QdrantIndex.open(server.url, SPEC, now_ms=NOW_MS)
    yield server_index
    server_index._client.delete_collection(server_index.collection)
    server_index.close()
