from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from index_support import edge_index, qdrant_index
from qdrant_rest import QdrantProcess

from dataspoke.core.index.model import VectorIndex


@pytest.fixture(scope="session")
def qdrant_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QdrantProcess]:
    with QdrantProcess(tmp_path_factory.mktemp("qdrant")) as server:
        yield server


@pytest.fixture(params=["edge", "qdrant"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    """An empty index of each engine in turn."""
    if request.param == "edge":
        with edge_index(tmp_path) as index:
            yield index
    else:
        with qdrant_index(request.getfixturevalue("qdrant_server")) as index:
            yield index
