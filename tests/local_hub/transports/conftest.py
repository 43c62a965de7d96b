"""An event log in memory and a schema registry over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from event_log import MemoryEventLog
from fastapi import FastAPI
from logged_process import free_port

from dataspoke.local_hub.transports import schema_registry


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog()


@pytest.fixture(scope="session")
def registry_url() -> Iterator[str]:
    """The hub's schema registry alone, on a port of its own."""
    app = FastAPI()
    app.include_router(schema_registry.router)
    port = free_port()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/schema-registry/api"
    server.should_exit = True
    thread.join(10)
