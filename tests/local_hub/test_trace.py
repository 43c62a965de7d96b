"""Accepted writes: what their answer says, and what their trace tells afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
BASE = "/openapi/v3/entity/dataset"


def _write(
    client: Client, aspect: str, given: dict[str, Any], **parameters: str
) -> tuple[str, Any]:
    """The id of the trace, and the aspect in the answer."""
    response = client.http.post(
        BASE,
        params={"async": "true", "systemMetadata": "true", **parameters},
        json=[{"urn": URN, aspect: given}],
    )
    assert response.status_code == 202, response.text
    shown = response.json()[0][aspect]
    trace = shown["systemMetadata"]["properties"]["telemetryTraceId"]
    assert response.headers["traceparent"].startswith(f"00-{trace}-")
    return trace, shown


def _traced(client: Client, trace: str, aspect: str, **parameters: str) -> Any:
    asked = {"onlyIncludeErrors": "false", "detailed": "true", **parameters}
    path = f"/openapi/v1/trace/write/{trace}"
    answer = client.http.post(path, params=asked, json={URN: [aspect]})
    return answer.json().get(URN, {}).get(aspect)


def _ok(primary: str, search: str) -> dict[str, Any]:
    return {
        "success": True,
        "primaryStorage": {"writeStatus": primary},
        "searchStorage": {"writeStatus": search},
    }


def test_a_write_is_active_until_it_is_overwritten(client: Client) -> None:
    first, _ = _write(client, "datasetProperties", {"value": {"name": "a"}})
    assert _traced(client, first, "datasetProperties") == _ok("ACTIVE_STATE", "ACTIVE_STATE")
    second, _ = _write(client, "datasetProperties", {"value": {"name": "b"}})
    assert _traced(client, second, "datasetProperties") == _ok("ACTIVE_STATE", "ACTIVE_STATE")
    assert _traced(client, first, "datasetProperties") == _ok("HISTORIC_STATE", "HISTORIC_STATE")
    assert _traced(client, first, "datasetProperties", onlyIncludeErrors="true") is None


def test_an_equal_write_did_nothing(client: Client) -> None:
    first, _ = _write(client, "status", {"value": {"removed": False}})
    second, shown = _write(client, "status", {"value": {"removed": False}})
    assert shown["value"] == {"removed": False}
    assert _traced(client, first, "status") == _ok("ACTIVE_STATE", "ACTIVE_STATE")
    assert _traced(client, second, "status") == _ok("NO_OP", "NO_OP")


def test_points_are_not_traced(client: Client) -> None:
    trace, _ = _write(client, "datasetProfile", {"value": {"timestampMillis": 1, "rowCount": 1}})
    assert _traced(client, trace, "datasetProfile") == _ok("NO_OP", "TRACE_NOT_IMPLEMENTED")


def test_an_accepted_write_that_is_refused_later_leaves_the_others_alone(client: Client) -> None:
    response = client.http.post(
        BASE,
        params={"async": "true"},
        json=[
            {
                "urn": URN,
                "status": {"value": {"removed": True}},
                "globalTags": {"value": {"tags": []}, "headers": {"If-Version-Match": "7"}},
            }
        ],
    )
    assert response.status_code == 202
    trace = response.headers["traceparent"].split("-")[1]
    assert client.get(URN, "status") == {"removed": True}
    assert client.get(URN, "globalTags") is None
    found = _traced(client, trace, "globalTags", onlyIncludeErrors="true")
    assert found["success"] is False
    assert found["primaryStorage"] == {
        "writeStatus": "ERROR",
        "writeExceptions": [{"message": "Expected version 7, actual version -1"}],
    }
    assert found["searchStorage"]["writeStatus"] == "ERROR"
    brief = _traced(client, trace, "globalTags", detailed="false")
    assert brief["primaryStorage"] == {"writeStatus": "ERROR"}


def test_what_was_never_written_is_an_error(client: Client) -> None:
    found = _traced(client, "0006440000000000" + "0" * 16, "status")
    assert found["primaryStorage"]["writeMessage"] == "Consumer has processed past the offset."


def test_over_restli_an_accepted_payload_may_fit_no_schema(client: Client) -> None:
    proposals = [
        {
            "entityType": "dataset",
            "entityUrn": URN,
            "changeType": "UPSERT",
            "aspectName": "status",
            "aspect": {"value": value, "contentType": "application/json"},
        }
        for value in ('{"removed": "perhaps"}', '{"removed": true}')
    ]
    path = "/aspects?action=ingestProposalBatch"
    refused = client.http.post(path, json={"proposals": proposals, "async": "false"})
    assert refused.status_code == 422
    assert client.get(URN, "status") is None
    accepted = client.http.post(path, json={"proposals": proposals, "async": "true"})
    assert accepted.status_code == 200
    assert client.get(URN, "status") == {"removed": True}


@pytest.mark.parametrize("trace", ["xyz", "%20"])
def test_a_trace_that_is_none_is_refused(client: Client, trace: str) -> None:
    client.must_put(URN, "status", {"removed": False})
    path = f"/openapi/v1/trace/write/{trace}?onlyIncludeErrors=false"
    assert client.http.post(path, json={URN: ["status"]}).status_code == 400
