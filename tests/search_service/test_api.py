from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from airline_catalogue import ANN, DB, PII, airline, dataset_urn, settings_in
from starlette.testclient import TestClient

from dataspoke.search_service.app import create_app
from dataspoke.search_service.openapi import openapi_document
from dataspoke.search_service.schemas import SearchResponse

ROOT = Path(__file__).parents[2]


def search(client: TestClient, q: str = "", *filters: str, **more: Any) -> dict[str, Any]:
    answer = client.get("/search/semantic", params={"q": q, "filter": list(filters), **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    SearchResponse.model_validate(body)
    return body


def names(body: dict[str, Any]) -> list[str]:
    return [result["name"] for result in body["results"]]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("minutes of delay per departure", "flights"),
        ("why are flights late", "delay_reasons"),
        ("email address of passengers", "passengers"),
        ("net revenue per month", "revenue_by_month"),
        ("punctuality dashboard", "Punctuality cockpit"),
        ("customer email", "frequent_flyers"),
    ],
)
def test_a_plain_question_finds_its_table_first(
    airline_client: TestClient, question: str, first: str
) -> None:
    assert names(search(airline_client, question))[0] == first


@pytest.mark.parametrize(
    ("asked", "urn"),
    [
        ("FLIGHTS", dataset_urn("airline.flight.flights")),
        ("Airline.Flight.OTP_daily", dataset_urn("airline.flight.otp_daily", "snowflake")),
        ("people.passengers", dataset_urn("airline.people.passengers")),
        (dataset_urn("airline.flight.aircraft").upper(), dataset_urn("airline.flight.aircraft")),
        ("punctuality COCKPIT", "urn:li:dashboard:(looker,punctuality)"),
        ("bag_scans", dataset_urn("airline.flight.bag_scans", "kafka")),
    ],
)
def test_an_exact_name_or_urn_in_any_case_comes_first(
    airline_client: TestClient, asked: str, urn: str
) -> None:
    first = search(airline_client, asked)["results"][0]
    assert first["urn"] == urn
    assert first["explanation"]["exact"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["tag:eq:pii"], {"crew_rosters", "frequent_flyers", "passengers"}),
        (["tag:eq:" + PII.upper()], {"crew_rosters", "frequent_flyers", "passengers"}),
        (["tag:eq:gold TIER"], {"flights"}),
        (["tag:eq:tier.gold"], {"flights"}),
        (["term:eq:Net revenue", "platform:eq:SNOWFLAKE"], {"revenue_by_month"}),
        (["owner:eq:crew planning", "type:eq:dashboard"], {"Punctuality cockpit"}),
        (["owner:eq:ann", "-domain:exists"], {"passengers"}),
        (["domain:prefix:flight op", "tag:exists"], {"flights", "crew_rosters"}),
        (["container:eq:People"], {"passengers", "frequent_flyers"}),
        ([f"container:eq:{DB}", "subtype:eq:view"], {"revenue_by_month"}),
        (["column:eq:cust_email"], {"frequent_flyers"}),
        (["column:prefix:passport"], {"passengers"}),
        (["env:eq:dev"], {"tickets"}),
        (["deprecated:eq:true"], {"flights_2019"}),
        (["platform:in:kafka,looker"], {"bag_scans", "Punctuality cockpit"}),
        (["last_modified:lte:2025-12-31"], {"aircraft"}),
        (["-last_modified:exists", "type:eq:dataset"], {"otp_daily"}),
        (["tag:eq:PII", "-platform:eq:postgres"], {"frequent_flyers"}),
        (["platform:eq:oracle"], set()),
    ],
)
def test_filters_list_what_fulfils_all_of_them_by_name(
    airline_client: TestClient, filters: list[str], expected: set[str]
) -> None:
    body = search(airline_client, "", *filters, limit=100)
    assert names(body) == sorted(expected, key=str.casefold)
    assert body["total"] == len(expected)
    assert [f["source"] for f in body["filters"]] == ["explicit"] * len(filters)


def test_a_question_under_filters_never_leaves_them(airline_client: TestClient) -> None:
    body = search(airline_client, "flights", "platform:eq:snowflake", limit=100)
    assert {result["platform"] for result in body["results"]} == {"snowflake"}
    assert body["total"] == len(body["results"]) == 3
    assert body["results"][0]["explanation"]["filters"] == ["platform is snowflake"]


def test_post_answers_like_get(airline_client: TestClient) -> None:
    by_get = search(airline_client, "ticket fares", "-tag:in:PII,Gold tier", limit=5)
    by_post = airline_client.post(
        "/search/semantic",
        json={
            "q": "ticket fares",
            "limit": 5,
            "filters": [
                {"field": "tag", "op": "in", "values": ["PII", "Gold tier"], "negated": True}
            ],
            "parse": True,
            "drop_filters": [],
        },
    ).json()
    assert {**by_post, "took_ms": 0} == {**by_get, "took_ms": 0}


def test_a_dropped_filter_does_not_count(airline_client: TestClient) -> None:
    filters = [{"field": "platform", "op": "eq", "values": ["kafka"]}]
    asked = {"q": "", "limit": 100, "filters": filters}
    kept = airline_client.post("/search/semantic", json=asked).json()
    assert kept["total"] == 1
    asked["drop_filters"] = [kept["filters"][0]["id"]]
    dropped = airline_client.post("/search/semantic", json=asked).json()
    assert dropped["filters"] == []
    assert dropped["total"] == len(airline())


@pytest.mark.parametrize("question", ["", "flight"])
def test_pages_cut_one_ranking_without_gap_or_repetition(
    airline_client: TestClient, question: str
) -> None:
    whole = search(airline_client, question, limit=100)
    pages = [search(airline_client, question, limit=4, offset=at) for at in range(0, 24, 4)]
    assert [r["urn"] for page in pages for r in page["results"]] == [
        r["urn"] for r in whole["results"]
    ]
    assert {page["total"] for page in pages} == {len(whole["results"])}
    scores = [r["score"] for r in whole["results"]]
    assert scores == sorted(scores, reverse=True)


def test_a_hit_carries_what_people_need(airline_client: TestClient) -> None:
    (hit,) = search(airline_client, "revenue_by_month", limit=1)["results"]
    urn = dataset_urn("airline.booking.revenue_by_month", "snowflake")
    assert hit["datahub_url"] == f"https://datahub.example.org/dataset/{quote(urn, safe='')}"
    assert hit["terms"] == [{"urn": "urn:li:glossaryTerm:net-revenue", "name": "Net revenue"}]
    assert hit["domains"] == [{"urn": "urn:li:domain:sales", "name": "Sales"}]
    assert [upstream["name"] for upstream in hit["upstreams"]] == ["tickets"]
    assert hit["path"] == ["airline", "booking"]
    assert hit["last_modified"] == "2026-10-01T08:30:00+00:00"
    assert {column["name"] for column in hit["columns"]} == {"month", "route", "net_revenue"}


@pytest.mark.parametrize(
    ("parameters", "status", "says"),
    [
        ({"q": "x" * 2001}, 422, "q: String should have at most 2000 characters"),
        ({"limit": 0}, 422, "limit"),
        ({"limit": 101}, 422, "limit"),
        ({"offset": -1}, 422, "offset"),
        ({"limit": "many"}, 422, "limit"),
        ({"filter": "colour:eq:red"}, 400, "Use one of platform"),
        ({"filter": "tag:like:x"}, 400, "Use one of eq, in, prefix, exists"),
        ({"filter": ["tag:eq:a"] * 51}, 422, "filter"),
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(
    airline_client: TestClient, parameters: dict[str, Any], status: int, says: str
) -> None:
    answer = airline_client.get("/search/semantic", params=parameters)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() == {"type", "title", "status", "detail", "correlation_id"}
    assert answer.json()["correlation_id"] == answer.headers["x-request-id"]
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"q": 5}',
        b'{"q": "a", "colour": "red"}',
        b'{"q": "\\ud800"}',
        b'{"filters": [{"field": "tag"}]}',
        b'{"filters": [{"field": "\\ud800", "op": "eq", "values": ["a"]}]}',
        b'{"filters": [{"field": "last_modified", "op": "gte", "values": [Infinity]}]}',
        b'{"filters": [{"field": "tag", "op": "eq", "values": [{"a": 1}]}]}',
        b"\xff\xfe",
    ],
)
def test_no_body_breaks_the_service(airline_client: TestClient, body: bytes) -> None:
    answer = airline_client.post(
        "/search/semantic", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422), answer.text
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(
    "question", ["\0", "!!!", "🛫", "the of and", "a" * 2000, "flüge ähm", '"']
)
def test_odd_questions_are_answered(airline_client: TestClient, question: str) -> None:
    search(airline_client, question)


def test_health_ready_and_metrics(airline_client: TestClient) -> None:
    assert airline_client.get("/healthz").json() == {"status": "ok"}
    ready = airline_client.get("/readyz").json()
    assert ready["status"] == "ready"
    assert ready["details"]["model"] == "hash-1"
    assert ready["details"]["outbox"]["rows"] == 0
    search(airline_client, "flights")
    text = airline_client.get("/metrics").text
    assert 'dataspoke_search_requests_total{status="200"}' in text
    assert "dataspoke_search_outbox_rows 0.0" in text
    assert "dataspoke_search_ready 1.0" in text


def test_a_service_that_is_not_ready_says_so_and_lives(tmp_path: Path) -> None:
    client = TestClient(create_app(settings_in(tmp_path)))  # not started: nothing is loaded
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "being loaded" in ready.json()["reason"]
    answer = client.get("/search/semantic", params={"q": "flights"})
    assert answer.status_code == 503
    assert "being loaded. Try again" in answer.json()["detail"]
    assert client.get("/").status_code == 200


def test_a_caller_by_a_foreign_name_is_refused(tmp_path: Path) -> None:
    app = create_app(settings_in(tmp_path), allowed_hosts=("localhost", "127.0.0.1"))
    for host in ("localhost:8010", "127.0.0.1", "LOCALHOST"):
        assert TestClient(app).get("/healthz", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "localhost.evil.example:8010", "", "[::2]:8010"):
        refused = TestClient(app).get("/healthz", headers={"Host": host})
        assert refused.status_code == 400
        assert refused.json()["detail"].startswith("Cannot answer to the name")
        assert "content-security-policy" in refused.headers


def test_the_committed_openapi_document_is_that_of_the_app() -> None:
    committed = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert committed == openapi_document(), (
        "run: python -m dataspoke.search_service.openapi docs/openapi.json"
    )


def test_an_entity_answers_with_columns_and_neighbours(airline_client: TestClient) -> None:
    urn = dataset_urn("airline.booking.tickets")
    body = airline_client.get(f"/entities/{quote(urn, safe='')}").json()
    assert body["urn"] == urn
    assert [column["name"] for column in body["columns"]][:2] == ["ticket_id", "fare_amount"]
    assert [one["name"] for one in body["downstreams"]] == ["revenue_by_month"]
    assert body["owners"] == [{"urn": ANN, "name": "Ann Okafor", "type": ""}]
    below = dataset_urn("airline.booking.revenue_by_month", "snowflake")
    above = airline_client.get(f"/entities/{quote(below, safe='')}").json()["upstreams"]
    assert above == [{"urn": urn, "name": "tickets"}]


def test_an_unknown_entity_is_not_found(airline_client: TestClient) -> None:
    answer = airline_client.get("/entities/urn%3Ali%3Atag%3Anothing")
    assert answer.status_code == 404
    assert "no such entity" in answer.json()["detail"]


def test_a_hit_carries_its_signals_and_neighbours(airline_client: TestClient) -> None:
    found = search(airline_client, "archived flights of 2019")["results"]
    old = next(hit for hit in found if hit["name"] == "flights_2019")
    signals = old["explanation"]["signals"]
    assert [(one["signal"], one["factor"] < 1) for one in signals] == [("deprecated", True)]
    assert old["deprecation_note"] == "Use flights."
    first = search(airline_client, "airline.flight.flights")["results"][0]
    assert [one["name"] for one in first["downstreams"]] == ["otp_daily"]


def test_production_comes_first_unless_another_place_is_named(airline_client: TestClient) -> None:
    asked = {"tickets": "PROD", "tickets in dev": "DEV", "dev tickets": "DEV", "TICKETS": "PROD"}
    for question, env in asked.items():
        assert search(airline_client, question)["results"][0]["env"] == env
