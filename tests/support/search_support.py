"""The search service inside a test: a client of it, and the process that writes to its index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient

from dataspoke.core.errors import DataSpokeError
from dataspoke.core.index.embedder import Embedder
from dataspoke.core.index.model import IndexOp
from dataspoke.core.index.outbox import OutboxIndex
from dataspoke.core.index.spec import spec_for
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database
from dataspoke.search_service.app import create_app


def wait_for(condition: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """The first true answer of `condition`; fails with its last answer."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"still {answer!r} after {seconds} s"
        time.sleep(0.02)
    return answer


class Writer:
    """Another process's side of the index: what vector sync does."""

    def __init__(self, settings: Settings, embedder: Embedder) -> None:
        self.embedder = embedder
        self._database = Database.open(settings.database_url)
        self.index = OutboxIndex(self._database, spec_for(embedder))

    def apply(self, *ops: IndexOp) -> None:
        self.index.apply(ops)

    def close(self) -> None:
        self._database.close()


@contextmanager
def running(settings: Settings, errors: list[DataSpokeError] | None = None) -> Iterator[TestClient]:
    """A client of the service, ready."""
    app = create_app(settings, on_fatal=(errors if errors is not None else []).append)
    with TestClient(app) as client:
        wait_for(lambda: client.get("/readyz").status_code == 200)
        yield client


def entities_of(client: TestClient) -> int:
    count = client.get("/readyz").json()["details"]["index"]["entities"]
    assert isinstance(count, int)
    return count
