from __future__ import annotations

from collections.abc import Iterator

import pytest
from datahub.ingestion.graph.client import DataHubGraph
from datahub.ingestion.graph.config import DatahubClientConfig
from datahub_shell import DatahubShell
from hub_process import HubProcess


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """One hub for all tests of this folder: each keeps to a platform or names of its own."""
    with HubProcess(tmp_path_factory.mktemp("hub")) as process:
        yield process


@pytest.fixture(scope="session")
def datahub(hub: HubProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatahubShell]:
    with DatahubShell(hub.url, tmp_path_factory.mktemp("home")) as shell:
        yield shell


@pytest.fixture(scope="session")
def reader(hub: HubProcess) -> Iterator[DataHubGraph]:
    """Reads and writes around the tool under test."""
    graph = DataHubGraph(DatahubClientConfig(server=hub.url))
    yield graph
    graph.close()
