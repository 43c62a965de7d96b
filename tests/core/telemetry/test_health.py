"""The health server over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from dataspoke.core.errors import ConfigError
from dataspoke.core.telemetry.health import HealthServer
from dataspoke.core.telemetry.metrics import SyncMetrics


@pytest.fixture
def found() -> list[str]:
    return []


@pytest.fixture
def server(found: list[str]) -> Iterator[HealthServer]:
    metrics = SyncMetrics()
    metrics.events.inc(3)
    made = HealthServer(port=0, reasons=lambda: found, metrics=metrics.render).start()
    yield made
    made.close()
    made.close()


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=5)


def test_it_is_alive_and_ready(server: HealthServer) -> None:
    for path in ("/healthz", "/readyz", "/readyz?verbose=1"):
        answer = get(server.url + path)
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok"}


def test_it_says_why_it_is_not_ready_and_is_alive_all_the_same(
    server: HealthServer, found: list[str]
) -> None:
    found.append("Cannot reach DataHub.")
    answer = get(f"{server.url}/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "blocked", "reasons": ["Cannot reach DataHub."]}
    assert get(f"{server.url}/healthz").status_code == 200


def test_it_shows_metrics(server: HealthServer) -> None:
    answer = get(f"{server.url}/metrics")
    assert "dataspoke_sync_events_total 3.0" in answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_other_paths_are_not_found(server: HealthServer) -> None:
    assert get(f"{server.url}/secrets").status_code == 404


def test_a_busy_port_is_the_operators_sentence(server: HealthServer) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(ConfigError, match=r"action\.config\.health_port"):
        HealthServer(port=port, reasons=list, metrics=lambda: b"")
