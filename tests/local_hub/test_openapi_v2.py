"""The older forms of the OpenAPI, and entities of several types in one request."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hub_client import Client

URN = "urn:li:dataset:(urn:li:dataPlatform:test,orders,PROD)"
CHART = "urn:li:chart:(looker,sales)"
V2, GENERIC = "/openapi/v2/entity/dataset", "/openapi/v3/entity/generic"
REMOVED = {"removed": True}


def _below(base: str, *parts: str) -> str:
    return "/".join([base, *(quote(part, safe="") for part in parts)])


def test_version_2_has_aspects_in_a_map_of_their_own(client: Client) -> None:
    body = [{"urn": URN, "aspects": {"status": {"value": REMOVED}}}]
    answer = client.http.post(V2, params={"async": "false"}, json=body)
    assert (answer.status_code, answer.json()) == (200, [{"urn": URN}])
    found = client.http.get(_below(V2, URN), params={"aspects": "status"}).json()
    assert found["aspects"]["status"] == {"value": REMOVED}
    page = client.http.get(V2, params={"includeSoftDelete": "true", "aspects": "status"}).json()
    assert [one["urn"] for one in page["results"]] == [URN]
    assert "scrollId" not in page


def test_version_2_writes_a_bare_aspect(client: Client) -> None:
    path = _below(V2, URN, "STATUS")
    answer = client.http.post(path, params={"createIfNotExists": "false"}, json=REMOVED).json()
    assert answer == {"urn": URN, "aspects": {"status": {"value": REMOVED}}}


def test_version_2_answers_every_urn_at_least_with_its_key(client: Client) -> None:
    body = {"urns": [URN], "aspectNames": ["status"], "withSystemMetadata": True}
    (found,) = client.http.post("/openapi/v2/entity/batch/dataset", json=body).json()["entities"]
    assert found["urn"] == URN
    assert list(found["aspects"]) == ["datasetKey"]


def test_proposals_may_hold_their_aspect_as_json(client: Client) -> None:
    aspect = {"value": {"__type": "Status", "removed": True}, "contentType": "application/json"}
    proposal = {
        "entityType": "dataset",
        "entityUrn": URN,
        "changeType": "UPSERT",
        "aspectName": "status",
        "aspect": aspect,
    }
    answer = client.http.post("/openapi/platform/entities/v1/", json=[proposal])
    assert answer.json() == [URN]
    assert client.get(URN, "status") == REMOVED


def test_version_1_names_the_record_of_an_aspect(client: Client) -> None:
    aspect = {"__type": "Status", "removed": False}
    body = [{"entityType": "dataset", "entityUrn": URN, "aspect": aspect}]
    assert client.http.post("/openapi/entities/v1/", json=body).json() == [URN]
    params: dict[str, Any] = {"urns": URN, "aspectNames": "status"}
    found = client.http.get("/openapi/entities/v1/latest", params=params).json()
    assert found["responses"][URN]["aspects"]["status"]["value"] == aspect
    client.http.delete("/openapi/entities/v1/", params={"urns": URN})
    assert client.get(URN, "status") == REMOVED
    client.http.delete("/openapi/entities/v1/", params={"urns": URN, "soft": "false"})
    assert client.get(URN, "status") is None


def test_entities_of_several_types_are_written_and_read_together(client: Client) -> None:
    one = {"status": {"value": REMOVED}}
    body = {"dataset": [{"urn": URN, **one}], "chart": [{"urn": CHART, **one}]}
    assert client.http.post(GENERIC, params={"async": "false"}, json=body).status_code == 200
    change = {"patch": [{"op": "replace", "path": "/removed", "value": False}]}
    patch = {"chart": [{"urn": CHART, "status": {"value": change}}]}
    client.http.patch(GENERIC, params={"async": "false"}, json=patch)
    asked = {"dataset": [{"urn": URN, "status": {}}], "chart": [{"urn": CHART, "status": {}}]}
    assert client.http.post(f"{GENERIC}/batchGet", json=asked).json() == {
        "dataset": [{"urn": URN, "status": {"value": REMOVED}}],
        "chart": [{"urn": CHART, "status": {"value": {"removed": False}}}],
    }
    assert client.http.delete(_below(GENERIC, CHART)).status_code == 200
    assert client.http.get(_below(GENERIC, CHART)).status_code == 404


def test_a_timeseries_is_read_up_to_a_time_and_loses_its_last_point(client: Client) -> None:
    path = _below("/openapi/v3/entity/dataset", URN, "datasetProfile")
    for at in (10, 20):
        client.http.post(path, json={"value": {"timestampMillis": at, "rowCount": at}})
    assert client.http.get(path).json()["value"]["rowCount"] == 20
    assert client.http.get(path, params={"version": 15}).json()["value"]["rowCount"] == 10
    client.http.delete(path)
    assert client.http.get(path).json()["value"]["rowCount"] == 10
    client.http.delete(path)
    answer = client.http.get(path)
    assert (answer.status_code, answer.content) == (404, b"")
    assert answer.headers["Not-Found-Reason"] == "ENTITY"
