"""The timeline over HTTP, from what was really written."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hub_client import Client

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"


def _asked(client: Client, urn: str = URN, **query: Any) -> Any:
    path = f"/openapi/v2/timeline/v1/{quote(urn, safe='')}"
    response = client.http.get(path, params={"categories": "DOCUMENTATION", **query})
    assert response.status_code == 200, response.text
    return response.json()


def _describe(client: Client, *texts: str, urn: str = URN) -> None:
    for text in texts:
        client.must_put(urn, "datasetProperties", {"description": text})


def test_the_timeline_follows_the_writes(client: Client) -> None:
    _describe(client, "one", "two")
    first, second = _asked(client)
    assert first["semVer"] == "0.0.0-computed"
    assert first["versionStamp"].endswith("datasetKey:0;datasetProperties:1")
    (event,) = second["changeEvents"]
    assert event == {
        "entityUrn": URN,
        "category": "DOCUMENTATION",
        "operation": "MODIFY",
        "parameters": {"description": "two"},
        "semVerChange": "MINOR",
        "description": f"Documentation of '{URN}' has been changed from 'one' to 'two'.",
    }


@pytest.mark.parametrize(
    "path", ["/openapi/v1/timeline/", "/openapi/v2/timeline/v1/", "/openapi/timeline/v1/"]
)
def test_every_path_of_the_timeline_answers(client: Client, path: str) -> None:
    _describe(client, "one")
    url = f"{path}{quote(URN, safe='')}?categories=DOCUMENTATION,TAG&startTime=-1&endTime=0"
    assert len(client.http.get(url).json()) == 1


def test_the_end_of_the_range_counts(client: Client) -> None:
    _describe(client, "one")
    (moment,) = _asked(client)
    assert _asked(client, endTime=moment["timestamp"] - 1) == []
    assert _asked(client, startTime=moment["timestamp"] + 1) == []


def test_an_unknown_entity_has_no_changes(client: Client) -> None:
    assert _asked(client) == []


@pytest.mark.parametrize("query", ["", "?categories=COLOUR", "?categories=TAG&startTime=soon"])
def test_a_request_that_makes_no_sense_is_refused(client: Client, query: str) -> None:
    path = f"/openapi/v2/timeline/v1/{quote(URN, safe='')}{query}"
    assert client.http.get(path).status_code == 400


def test_only_as_many_versions_as_are_kept_are_told(client: Client) -> None:
    _describe(client, *(f"text {number}" for number in range(30)))
    assert len(_asked(client)) == 20
