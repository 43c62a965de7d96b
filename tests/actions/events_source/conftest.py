"""A poll API that misbehaves on demand, and a runner that acks as the pipeline does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from poll_api import FakePollApi, FlakyState, Runner

from dataspoke.actions.events_source.config import EventsSourceConfig
from dataspoke.actions.events_source.source import DatabaseStore, EventsSource
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.settings import Settings


@pytest.fixture
def api() -> Iterator[FakePollApi]:
    fake = FakePollApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            params = {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
            status, body = fake.answer(params)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def make_runner(api: FakePollApi, tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    """Build a runner of pipeline `p` over one database in `tmp_path`."""
    runners: list[Runner] = []

    def make(**config: Any) -> Runner:
        store = DatabaseStore(f"sqlite:///{tmp_path / 'store.db'}")
        store.state = FlakyState(store.state)  # type: ignore[assignment]
        settings = Settings.from_env({"DATAHUB_GMS_URL": api.url}, home=tmp_path)
        values = {"poll_timeout_seconds": 1, "redeliver_after_seconds": 0.2} | config
        source = EventsSource(
            EventsSourceConfig.model_validate(values),
            pipeline="p",
            connection=HubConnection.open(settings),
            token_key="DATAHUB_GMS_TOKEN",
            open_store=lambda: store,
        )
        runners.append(Runner(source, store))
        return runners[-1]

    yield make
    for runner in runners:
        runner.source.close()
        for poller in runner.source._pollers:
            poller.join(5)
        runner.store.close()
