from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from airline_catalogue import airline, settings_in, upsert
from search_support import Writer, entities_of, running, wait_for
from starlette.testclient import TestClient

from dataspoke.core.index.embedder import Embedder, load_embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder("hash")


@pytest.fixture
def writer(tmp_path: Path, embedder: Embedder) -> Iterator[Writer]:
    writer = Writer(settings_in(tmp_path), embedder)
    yield writer
    writer.close()


@pytest.fixture(scope="session")
def airline_client(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[TestClient]:
    """A service over the airline's catalogue, which it got through the outbox. Read only."""
    settings = settings_in(
        tmp_path_factory.mktemp("airline"), DATAHUB_FRONTEND_URL="https://datahub.example.org/"
    )
    writer = Writer(settings, embedder)
    writer.apply(*(upsert(snapshot, embedder) for snapshot in airline()))
    writer.close()
    with running(settings) as client:
        wait_for(lambda: entities_of(client) == len(airline()))
        yield client
