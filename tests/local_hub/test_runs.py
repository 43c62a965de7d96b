"""Runs: what a rollback would do, what it does, and what it leaves."""

from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"


def _write(client: Client, run: str | None, aspect: str, value: Any) -> None:
    more = {} if run is None else {"systemMetadata": {"runId": run}}
    client.must_put(URN, aspect, value, **more)


def _roll_back(client: Client, run: str, **more: Any) -> dict[str, Any]:
    response = client.http.post("/runs?action=rollback", json={"runId": run, **more})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["value"]
    return found


def _described(client: Client, run: str, **more: Any) -> list[str]:
    body = {"runId": run, "start": 0, "count": 100, **more}
    rows = client.http.post("/runs?action=describe", json=body).json()["value"]
    return [row["aspectName"] for row in rows]


@pytest.fixture
def shared(client: Client) -> Client:
    """A dataset that the run `a` made and others wrote to."""
    _write(client, "a", "datasetProperties", {"description": "d"})
    _write(client, "b", "globalTags", {"tags": []})
    _write(client, None, "domains", {"domains": []})
    return client


def test_a_dry_run_names_the_entities_that_others_wrote_to(shared: Client) -> None:
    soft, hard = (_roll_back(shared, "a", dryRun=True, safe=safe) for safe in (True, False))
    for answer in (soft, hard):
        assert answer["unsafeEntities"] == [{"urn": URN}]
        assert (answer["unsafeEntitiesCount"], answer["aspectsAffected"]) == (1, 2)
        assert (answer["entitiesAffected"], answer["entitiesDeleted"]) == (1, 1)
    assert hard["aspectsReverted"] == soft["aspectsReverted"] + 1  # the key
    assert "datasetKey" not in [row["aspectName"] for row in soft["aspectRowSummaries"]]


def test_a_safe_rollback_keeps_what_others_wrote(shared: Client) -> None:
    answer = _roll_back(shared, "a", dryRun=False, safe=True)
    assert answer["unsafeEntitiesCount"] == 1
    assert shared.get(URN, "datasetProperties") is None
    assert shared.get(URN, "globalTags") == {"tags": []}
    assert shared.get(URN, "status") == {"removed": True}


def test_a_rollback_that_is_not_safe_leaves_nothing(shared: Client) -> None:
    answer = _roll_back(shared, "a", dryRun=False, safe=False)
    assert (answer["entitiesDeleted"], answer["unsafeEntitiesCount"]) == (1, 0)
    exists = shared.http.post("/entities?action=exists", json={"urn": URN}).json()
    assert exists == {"value": False}


def test_safe_wins_over_the_older_flag(shared: Client) -> None:
    _roll_back(shared, "a", dryRun=False, safe=True, hardDelete=True)
    assert shared.get(URN, "globalTags") == {"tags": []}


def test_the_points_of_a_run_go_too(client: Client) -> None:
    client.must_put(URN, "status", {"removed": False})
    for at in (1, 2):
        _write(client, "profiling", "datasetProfile", {"timestampMillis": at})
    answer = _roll_back(client, "profiling", dryRun=False)
    assert answer["aspectsReverted"] == 2
    assert client.get(URN, "datasetProfile") is None


def test_what_is_soft_deleted_is_described_only_when_asked_for(shared: Client) -> None:
    _write(shared, None, "status", {"removed": True})
    assert _described(shared, "b") == []
    assert _described(shared, "b", includeSoft=True) == ["globalTags"]


def test_writes_without_a_run_cannot_be_rolled_back(client: Client) -> None:
    body = {"runId": "no-run-id-provided", "dryRun": True}
    refused = client.http.post("/runs?action=rollback", json=body)
    assert refused.status_code == 400
    assert "reserved" in refused.json()["message"]


@pytest.mark.parametrize(("status", "then"), [("FAILURE", "ROLLED_BACK"), ("SUCCESS", "SUCCESS")])
def test_the_result_of_a_run_says_that_it_was_rolled_back_unless_it_is_final(
    shared: Client, status: str, then: str
) -> None:
    request = "urn:li:dataHubExecutionRequest:a"
    result = {"status": status, "startTimeMs": 1}
    shared.must_put(request, "dataHubExecutionRequestResult", result)
    _roll_back(shared, "a", dryRun=False)
    assert shared.get(request, "dataHubExecutionRequestResult")["status"] == then
