from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airline_catalogue import settings_in
from starlette.testclient import TestClient

from dataspoke.core.errors import ConfigError, RetriableError
from dataspoke.core.index.model import Condition
from dataspoke.search_service.access.answers import answer_key, open_answers
from dataspoke.search_service.access.caller import Caller, TooManyError
from dataspoke.search_service.access.rates import open_rates
from dataspoke.search_service.access.service import open_access
from dataspoke.search_service.access.settings import AccessSettings
from dataspoke.search_service.access.view import FileView, HubView
from dataspoke.search_service.app import create_app
from dataspoke.search_service.logs import JsonFormatter
from dataspoke.search_service.observe import audit

ANN = Caller("urn:li:corpuser:ann", "urn:li:corpuser:ann", frozenset({"flight"}))
BOB = Caller("urn:li:corpuser:bob", "urn:li:corpuser:bob")


def client_of(home: Path, **environ: str) -> TestClient:
    settings = settings_in(home)
    given = AccessSettings.from_env({f"DATASPOKE_{k}": v for k, v in environ.items()})
    return TestClient(create_app(settings, access=open_access(given, settings)))


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    if not (program := shutil.which("redis-server")):
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


@pytest.fixture(params=["memory", "redis"])
def shared(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings for counting and keeping, in each of the two places."""
    if request.param == "memory":
        return {}
    return {"redis_url": request.getfixturevalue("redis_url")}


def test_who_asks_too_often_is_told_when_to_ask_again(shared: dict[str, Any]) -> None:
    pytest.importorskip("limits", reason="the library `limits` is not installed")
    rates = open_rates(AccessSettings(user_limit="3/minute", **shared))
    assert rates
    who = f"user-{time.time_ns()}"
    left = [budget.remaining for _ in range(3) if (budget := rates.count_user(who))]
    assert left == [2, 1, 0]
    with pytest.raises(TooManyError, match="3 times per minute") as refused:
        rates.count_user(who)
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 120
    assert rates.count_user(who + "-other")
    rates.count_address("10.0.0.1")


def test_a_redis_that_is_away_stops_nobody_and_no_limit() -> None:
    pytest.importorskip("limits", reason="the library `limits` is not installed")
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    settings = AccessSettings(user_limit="2/minute", cache_ttl=5, redis_url="redis://127.0.0.1:1/0")
    rates, answers = open_rates(settings), open_answers(settings)
    assert rates
    assert answers
    rates.count_user("a")
    rates.count_user("a")
    with pytest.raises(TooManyError):
        rates.count_user("a")
    answers.put("k", b"body", age=0)
    assert answers.get("k") is None


def test_an_answer_is_kept_for_its_time_and_no_longer(shared: dict[str, Any]) -> None:
    answers = open_answers(AccessSettings(cache_ttl=0.3, **shared))
    assert answers
    key = answer_key(None, "model", time.time_ns())
    assert answers.get(key) is None
    answers.put(key, b"late", age=0.3)
    assert answers.get(key) is None
    answers.put(key, b"body", age=0.1)
    assert answers.get(key) == b"body"
    time.sleep(0.25)
    assert answers.get(key) is None


def test_other_rights_and_other_questions_have_other_keys() -> None:
    rights = (Condition("domains", "in", ("a",)),)
    keys = {
        answer_key(None, "m", "q"),
        answer_key((), "m", "q"),
        answer_key(rights, "m", "q"),
        answer_key(rights, "n", "q"),
        answer_key(rights, "m", "r"),
    }
    assert len(keys) == 5
    assert answer_key(rights, "m", "q") == answer_key((*rights,), "m", "q")


def test_limits_answer_429_with_their_headers(tmp_path: Path) -> None:
    pytest.importorskip("limits", reason="the library `limits` is not installed")
    client = client_of(tmp_path, RATE_LIMIT="2/minute")
    first = client.get("/search/semantic")
    assert first.status_code == 503  # nothing is loaded
    assert first.headers["ratelimit-remaining"] == "1"
    client.get("/search/semantic")
    refused = client.get("/search/semantic")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert client.get("/healthz").status_code == 200


def test_a_long_body_is_refused_declared_or_not(tmp_path: Path) -> None:
    client = client_of(tmp_path, MAX_BODY="1024")

    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    for content in (b"x" * 1025, chunks()):
        answer = client.post("/search/semantic", content=content)
        assert answer.status_code == 413
        assert "1024 bytes" in answer.json()["detail"]
    assert client.post("/search/semantic", content=b'{"q": "a"}').status_code == 422


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-123_x.Y", True), ("short", False), ("a" * 65, False), ("a b c d e f", False)],
)
def test_a_good_correlation_id_is_kept(tmp_path: Path, given: str, kept: bool) -> None:
    answer = client_of(tmp_path).get("/nothing", headers={"X-Request-ID": given})
    assert answer.status_code == 404
    assert (answer.headers["x-request-id"] == given) is kept
    assert answer.json()["correlation_id"] == answer.headers["x-request-id"]


def test_the_audit_log_says_who_asked_what_and_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(tmp_path, DATAHUB_TOKENS="on", RATE_LIMIT="off", RATE_LIMIT_ADDRESS="off")
    with caplog.at_level(logging.INFO, logger=audit.name):
        client.get("/search/semantic?q=salaries", headers={"Authorization": "Basic c2VjcmV0"})
    [record] = [record for record in caplog.records if record.name == audit.name]
    line = json.loads(JsonFormatter().format(record))
    assert line["question"] == "salaries"
    assert line["status"] == 401
    assert "c2VjcmV0" not in caplog.text + json.dumps(line)


class Source:
    def __init__(self) -> None:
        self.away = False
        self.infos: list[Any] = []

    def policies(self) -> list[Any]:
        if self.away:
            raise RetriableError("Cannot reach DataHub. Start it.")
        return self.infos

    def parents(self, kind: str) -> dict[str, str]:
        return {}


def test_old_policies_count_for_a_while_and_then_nobody_sees_anything() -> None:
    source, now = Source(), [0.0]
    view = HubView(source, ttl=30, max_age=300, clock=lambda: now[0])
    source.infos = [{"privileges": ["VIEW_ENTITY_PAGE"], "actors": {"allUsers": True}}]
    assert view.conditions_for(ANN) is None
    source.away = True
    now[0] = 299
    assert view.conditions_for(ANN) is None
    now[0] = 301
    with pytest.raises(RetriableError, match="Cannot tell what you may see"):
        view.conditions_for(ANN)
    source.away, source.infos = False, []
    now[0] = 303
    assert view.conditions_for(ANN) is not None


RULES = """
rules:
  - who: {groups: [flight]}
    show: ["domain:eq:Flight operations", "-tag:eq:PII"]
  - who: {users: [bob]}
    show: everything
"""


def test_a_policy_file_shows_what_it_says_and_follows_its_changes(tmp_path: Path) -> None:
    path = tmp_path / "policies.yml"
    path.write_text(RULES)
    view = FileView(path)
    [ann] = view.conditions_for(ANN) or ()
    assert len(ann.groups) == 1
    assert len(ann.groups[0]) == 2
    assert view.conditions_for(BOB) is None
    assert view.conditions_for(Caller("eve")) == (Condition.any_of(),)
    path.write_text("rules: [")
    with pytest.raises(RetriableError, match="Cannot tell what you may see"):
        view.conditions_for(BOB)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rules: {}",
        "rules: [{who: {}, show: []}]",
        "rules: [{who: {everyone: true}, show: [colour:eq:red]}]",
        "rules: [{who: {everyone: 1}, show: everything}]",
        "rules: [{who: {everyone: true}, show: all}]",
        "rules: [{who: {person: a}, show: everything}]",
        "\0",
    ],
)
def test_a_policy_file_without_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policies.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="Cannot use the policy file"):
        FileView(path)


def test_traces_follow_the_caller_and_the_stages() -> None:
    pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from dataspoke.search_service.traces import Traces

    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    traces = Traces(provider)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/search/semantic",
        "headers": [(b"traceparent", parent.encode())],
    }
    with traces.span(scope):
        traces.stages({"embed": 0.01, "index": 0.02})
    names = [span.name for span in spans.get_finished_spans()]
    assert names == ["search embed", "search index", "GET /search/semantic"]
    found = {format(span.context.trace_id, "032x") for span in spans.get_finished_spans()}
    assert found == {"0af7651916cd43dd8448eb211c80319c"}
