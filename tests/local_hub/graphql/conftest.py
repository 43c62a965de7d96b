from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hub_client import Client
from starlette.testclient import TestClient

from dataspoke.local_hub.app import create_app

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One hub for all tests of a file: each uses entities of its own."""
    app = create_app(tmp_path_factory.mktemp("hub"))
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Client(http)


@pytest.fixture(scope="module")
def ask(hub: Client) -> Ask:
    """Runs a GraphQL document; the answer is its only root field, or the error's message."""

    def run(document: str, **variables: Any) -> Any:
        answer = hub.graphql(document, **variables)
        if answer.get("errors"):
            return answer["errors"][0]["message"]
        (found,) = answer["data"].values()
        return found

    return run
