from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_client import Client
from starlette.testclient import TestClient

from dataspoke.local_hub.app import create_app
from dataspoke.local_hub.registry import Registry


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Opens a hub with options of `create_app`; closed at the end of the test."""
    opened: list[TestClient] = []

    def make(**options: Any) -> Client:
        app = create_app(tmp_path / f"hub{len(opened)}", **options)
        http = TestClient(app, raise_server_exceptions=False)
        opened.append(http)
        http.__enter__()
        return Client(http)

    yield make
    for http in opened:
        http.__exit__(None, None, None)


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.load()
