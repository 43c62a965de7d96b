"""Conditions read out of questions, through the service."""

from __future__ import annotations

from typing import Any

import pytest
from airline_catalogue import dataset_urn
from starlette.testclient import TestClient


def ask(client: TestClient, question: str, **more: Any) -> dict[str, Any]:
    response = client.post("/search/semantic", json={"q": question, "limit": 50, **more})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert isinstance(answer, dict)
    return answer


def ids(answer: dict[str, Any], *, relaxed: bool = False) -> set[str]:
    return {each["id"] for each in answer["filters"] if each["relaxed"] == relaxed}


def test_a_condition_in_words_is_a_hard_filter_with_its_place(airline_client: TestClient) -> None:
    answer = ask(airline_client, "tables with PII")
    [tag] = [each for each in answer["filters"] if each["field"] == "tag"]
    assert (tag["id"], tag["source"], tag["words"]) == ("tag:eq:PII", "parsed", "with PII")
    assert "tables with PII"[slice(*tag["span"])] == "with PII"
    assert answer["searched"] == ""
    assert answer["results"]
    assert all("PII" in {one["name"] for one in hit["tags"]} for hit in answer["results"])


def test_a_dropped_filter_is_not_applied_and_its_words_are_searched(
    airline_client: TestClient,
) -> None:
    answer = ask(airline_client, "tables with PII", drop_filters=["tag:eq:PII"])
    assert "tag:eq:PII" not in ids(answer)
    assert "PII" in answer["searched"]
    again = airline_client.get(
        "/search/semantic",
        params={"q": "tables with PII", "limit": 50, "drop_filter": "tag:eq:PII"},
    ).json()
    assert [hit["urn"] for hit in again["results"]] == [hit["urn"] for hit in answer["results"]]


def test_nothing_is_read_when_told_so(airline_client: TestClient) -> None:
    answer = ask(airline_client, "tables with PII", parse=False)
    assert answer["filters"] == []
    assert answer["searched"] == "tables with PII"


def test_the_fewest_filters_are_relaxed_when_nothing_is_left(airline_client: TestClient) -> None:
    answer = ask(airline_client, "PII tables in kafka")
    assert answer["results"]
    assert ids(answer, relaxed=True)
    assert ids(answer)


def test_an_explicit_filter_is_never_relaxed(airline_client: TestClient) -> None:
    explicit = [{"field": "platform", "op": "eq", "values": ["nowhere"]}]
    answer = ask(airline_client, "tables with PII", filters=explicit)
    assert answer["results"] == []
    assert "platform:eq:nowhere" in ids(answer)


@pytest.mark.parametrize("field", ["upstream_of", "downstream_of"])
def test_lineage_of_an_unknown_entity_is_empty(airline_client: TestClient, field: str) -> None:
    filters = [{"field": field, "op": "all", "values": [dataset_urn("airline.no.where")]}]
    assert ask(airline_client, "", filters=filters)["total"] == 0


def test_steps_up_and_down_the_lineage_are_inverse(airline_client: TestClient) -> None:
    everything = ask(airline_client, "", filters=[{"field": "upstream", "op": "exists"}])
    assert everything["results"]
    for hit in everything["results"]:
        for upstream in hit["upstreams"]:
            below = ask(
                airline_client,
                "",
                filters=[{"field": "downstream_of", "op": "eq", "values": [upstream["urn"]]}],
            )
            assert hit["urn"] in {each["urn"] for each in below["results"]}
