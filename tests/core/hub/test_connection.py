from __future__ import annotations

import logging
import threading

import pytest
from datahub.ingestion.graph.client import DatahubClientConfig, DataHubGraph
from scripted_server import Reply, Request, ScriptedServer, reply_json

from dataspoke.core.errors import (
    AccessDeniedError,
    ConfigError,
    DataSpokeError,
    RetriableError,
    SkippableError,
)
from dataspoke.core.hub.connection import HubConnection, InternalError
from dataspoke.core.settings import Settings

TOKEN = "sekrit-token-value"
HTML = "text/html; charset=utf-8"


def connect(url: str) -> HubConnection:
    return HubConnection.open(
        Settings.from_env({"DATAHUB_GMS_URL": url, "DATAHUB_GMS_TOKEN": TOKEN})
    )


def test_requests_carry_token_parameters_and_body(server: ScriptedServer) -> None:
    hub = connect(server.url)
    assert hub.post("/entities", {"entity": "tag", "é": 1}, action="listUrns") == {}
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/entities?action=listUrns")
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.body == '{"entity":"tag","é":1}'.encode()


def test_a_quoted_urn_stays_quoted(server: ScriptedServer) -> None:
    connect(server.url).get("/aspects/urn%3Ali%3Atag%3Aa%2Fb%252Fc", aspect="tagKey")
    assert server.requests[0].path == "/aspects/urn%3Ali%3Atag%3Aa%2Fb%252Fc?aspect=tagKey"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (reply_json({}, 401), AccessDeniedError),
        (reply_json({}, 403), AccessDeniedError),
        (reply_json({"message": "no"}, 400), SkippableError),
        (reply_json({"message": "no"}, 404), SkippableError),
        (reply_json({"message": "no"}, 422), SkippableError),
        (Reply(414, b"too long", HTML), SkippableError),
        (Reply(404, b"<h1>nginx</h1>", HTML), RetriableError),
        (Reply(302, b"", HTML), RetriableError),
        (reply_json({}, 429), RetriableError),
        (reply_json({}, 500), InternalError),
        (reply_json({}, 503), RetriableError),
        (Reply(200, b"<h1>please log in</h1>", HTML), RetriableError),
        (Reply(200, b"", HTML), RetriableError),
    ],
)
def test_the_recovery_follows_the_status(
    server: ScriptedServer, reply: Reply, error: type[DataSpokeError]
) -> None:
    server.answer = lambda _: reply
    with pytest.raises(error) as caught:
        connect(server.url).get("/x")
    assert type(caught.value) is error
    assert str(caught.value).startswith("Cannot ")
    assert len(server.requests) == 1, "the caller decides on when to try again"


def test_datahubs_own_words_are_kept_in_one_line(server: ScriptedServer) -> None:
    server.answer = lambda _: reply_json({"message": f"Unknown\n aspect {'x' * 500}"}, 400)
    with pytest.raises(SkippableError, match="HTTP 400, Unknown aspect xxx") as caught:
        connect(server.url).get("/x")
    assert len(str(caught.value)) < 500


def test_a_dropped_connection_is_tried_once_more(server: ScriptedServer) -> None:
    replies = iter([None, Reply(body=b"1")])
    server.answer = lambda _: next(replies)
    assert connect(server.url).post("/x", {}) == 1


def test_a_server_that_keeps_dropping_connections_is_retriable(server: ScriptedServer) -> None:
    server.answer = lambda _: None
    with pytest.raises(RetriableError, match="the connection broke"):
        connect(server.url).post("/x", {})
    assert len(server.requests) == 2


def test_absent_is_only_what_datahub_itself_says(server: ScriptedServer) -> None:
    hub = connect(server.url)
    server.answer = lambda _: reply_json({"status": 404}, 404)
    assert hub.get_or_none("/aspects/x") is None
    server.answer = lambda _: Reply(404, b"<h1>no backend</h1>", HTML)
    with pytest.raises(RetriableError):
        hub.get_or_none("/aspects/x")
    server.answer = lambda _: reply_json({"aspect": {}})
    assert hub.get_or_none("/aspects/x") == {"aspect": {}}


def test_each_thread_has_its_own_session(server: ScriptedServer) -> None:
    hub = connect(server.url)
    sessions: list[object] = []

    def work() -> None:
        hub.get("/x")
        hub.get("/x")
        sessions.append(hub._session())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(session) for session in sessions}) == 3
    assert len(server.requests) == 6


def test_a_closed_connection_opens_again_when_used(server: ScriptedServer) -> None:
    hub = connect(server.url)
    hub.close()
    hub.get("/x")
    hub.close()
    assert hub.get("/x") == {}


def test_the_graph_of_a_recipe_lends_server_token_and_headers(server: ScriptedServer) -> None:
    server.answer = lambda _: reply_json({"noCode": "true", "versions": {}})
    graph = DataHubGraph(
        DatahubClientConfig(
            server=f"{server.url}/", token=TOKEN, extra_headers={"X-Tenant": "books"}
        )
    )
    hub = HubConnection.from_graph(graph)
    server.requests.clear()
    hub.get("/x")
    assert hub.server == server.url
    assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert server.requests[0].headers["X-Tenant"] == "books"
    server.answer = lambda _: reply_json({}, 401)
    with pytest.raises(AccessDeniedError, match=r"Correct datahub\.token"):
        hub.get("/x")
    graph.close()


def test_check_returns_the_configuration_of_a_good_hub(server: ScriptedServer) -> None:
    config = {"noCode": "true", "versions": {}}
    server.answer = lambda request: (
        reply_json(config) if request.path == "/config" else reply_json({}, 404)
    )
    assert connect(server.url).check() == config


def test_check_finds_a_wrong_token_although_config_answers_anybody(server: ScriptedServer) -> None:
    def answer(request: Request) -> Reply:
        return reply_json({"noCode": "true"}) if request.path == "/config" else Reply(401)

    server.answer = answer
    with pytest.raises(AccessDeniedError, match=r"wants a valid token.*DATAHUB_GMS_TOKEN"):
        connect(server.url).check()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<h1>a shop</h1>", HTML),
        Reply(404, b"<h1>nothing</h1>", HTML),
        Reply(302, b"", HTML),
        reply_json({"status": "ok"}),
        reply_json([1]),
        reply_json({"detail": "Not Found"}, 404),
    ],
)
def test_check_says_when_it_is_no_datahub(server: ScriptedServer, reply: Reply) -> None:
    server.answer = lambda _: reply
    with pytest.raises(ConfigError, match="it is no DataHub metadata service"):
        connect(server.url).check()


def test_check_waits_for_a_hub_that_is_starting(server: ScriptedServer) -> None:
    server.answer = lambda _: Reply(503, b"starting", HTML)
    with pytest.raises(RetriableError, match="HTTP 503"):
        connect(server.url).check()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9", "connection refused"),
        ("http://no-such-host.invalid:8080", "the host name is unknown"),
    ],
)
def test_an_unreachable_hub_is_named_with_the_setting_to_correct(url: str, reason: str) -> None:
    with pytest.raises(RetriableError) as caught:
        connect(url).check()
    assert str(caught.value) == (
        f"Cannot reach DataHub at {url}: {reason}. Start it, or correct DATAHUB_GMS_URL."
    )


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://hub", "http://", "hub"])
def test_a_url_that_is_none_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match=r"DATAHUB_GMS_URL = .* is no http"):
        connect(url)


def test_the_token_appears_in_no_message_log_or_repr(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings.from_env({"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": TOKEN})
    hub = HubConnection.open(settings)
    shown = [repr(hub), repr(settings), repr(hub._access)]
    for status in (200, 400, 401, 500):
        server.answer = lambda _, status=status: reply_json({}, status)
        try:
            hub.get("/x")
        except DataSpokeError as exc:
            shown.append(str(exc))
    assert TOKEN not in "\n".join([*shown, caplog.text])
