"""What a write does to aspects, versions, runs and the change log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hub_client import Client

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
TAG = "urn:li:tag:pii"
VERSIONED, TIMESERIES, PLATFORM = (
    "MetadataChangeLog_Versioned_v1",
    "MetadataChangeLog_Timeseries_v1",
    "PlatformEvent_v1",
)


def _tags(*names: str) -> dict[str, Any]:
    return {"tags": [{"tag": f"urn:li:tag:{name}"} for name in names]}


def _told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["aspectName"], event["changeType"]) for event in events]


def test_a_new_entity_gets_its_key_and_its_defaults_first(client: Client) -> None:
    start = client.last_offset()
    client.must_put(URN, "globalTags", _tags("pii"))
    assert _told(client.events(VERSIONED, start)) == [
        ("datasetKey", "UPSERT"),
        ("dataPlatformInstance", "UPSERT"),
        ("browsePathsV2", "UPSERT"),
        ("globalTags", "UPSERT"),
    ]
    assert client.get(URN, "dataPlatformInstance") == {"platform": "urn:li:dataPlatform:hive"}
    assert client.get(URN, "browsePathsV2") == {"path": [{"id": "shop"}]}


def test_a_name_with_capitals_is_also_known_in_lower_case(client: Client) -> None:
    client.must_put(URN.replace("orders", "Orders"), "status", {"removed": False})
    assert client.get(URN.replace("orders", "Orders"), "aliases") == {"lowercasedUrn": URN}
    client.must_put(URN, "status", {"removed": False})
    assert client.get(URN, "aliases") is None


def test_defaults_do_not_replace_what_the_first_write_brings(client: Client) -> None:
    given = {"path": [{"id": "mine"}]}
    client.must_put(URN, "browsePathsV2", given)
    assert client.get(URN, "browsePathsV2") == given


@pytest.mark.parametrize(
    ("urn", "path"),
    [
        ("urn:li:dataset:(urn:li:dataPlatform:hive,plain,PROD)", ["Default"]),
        ("urn:li:dataset:(urn:li:dataPlatform:hive,a/b,PROD)", ["Default"]),
        ("urn:li:dataset:(urn:li:dataPlatform:s3,bucket/A/b,PROD)", ["bucket", "a"]),
        ("urn:li:chart:(looker,1)", ["Default"]),
    ],
)
def test_the_default_path_follows_the_name(client: Client, urn: str, path: list[str]) -> None:
    client.must_put(urn, "status", {"removed": False})
    assert client.get(urn, "browsePathsV2") == {"path": [{"id": part} for part in path]}


def test_the_default_path_of_a_job_is_its_flow(client: Client) -> None:
    flow = "urn:li:dataFlow:(airflow,f,PROD)"
    job = f"urn:li:dataJob:({flow},j)"
    client.must_put(job, "status", {"removed": False})
    assert client.get(job, "browsePathsV2") == {"path": [{"id": flow, "urn": flow}]}


def test_a_platform_of_ones_own_says_what_separates_names(client: Client) -> None:
    platform = "urn:li:dataPlatform:lake"
    info = {"name": "lake", "type": "FILE_SYSTEM", "datasetNameDelimiter": "/"}
    client.must_put(platform, "dataPlatformInfo", info)
    urn = f"urn:li:dataset:({platform},raw/events.v1/day,PROD)"
    client.must_put(urn, "status", {"removed": False})
    assert client.get(urn, "browsePathsV2") == {"path": [{"id": "raw"}, {"id": "events.v1"}]}


def test_an_equal_value_is_no_change(client: Client) -> None:
    client.must_put(URN, "globalTags", _tags("pii"), systemMetadata={"runId": "r1"})
    start = client.last_offset()
    client.must_put(
        URN, "globalTags", _tags("pii"), systemMetadata={"runId": "r2", "lastObserved": 7}
    )
    assert client.last_offset() == start
    found = client.http.get(f"/entitiesV2/{URN.replace('/', '%2F')}").json()
    meta = found["aspects"]["globalTags"]["systemMetadata"]
    assert (meta["runId"], meta["lastRunId"], meta["lastObserved"], meta["version"]) == (
        "r2",
        "r1",
        7,
        "1",
    )


def test_key_order_is_no_change(client: Client) -> None:
    client.must_put(URN, "datasetProperties", {"name": "a", "description": "b"})
    start = client.last_offset()
    client.must_put(URN, "datasetProperties", {"description": "b", "name": "a"})
    assert client.last_offset() == start


def test_equal_lineage_is_restated(client: Client) -> None:
    lineage = {
        "upstreams": [
            {
                "dataset": URN.replace("orders", "raw"),
                "type": "TRANSFORMED",
                "auditStamp": {"time": 0, "actor": "urn:li:corpuser:x"},
            }
        ]
    }
    client.must_put(URN, "upstreamLineage", lineage)
    start = client.last_offset()
    client.must_put(URN, "upstreamLineage", lineage)
    assert _told(client.events(VERSIONED, start)) == [("upstreamLineage", "RESTATE")]
    client.must_put(URN, "status", {"removed": False})
    start = client.last_offset()
    client.must_put(URN, "status", {"removed": False}, "RESTATE")
    assert _told(client.events(VERSIONED, start)) == [("status", "RESTATE")]


def test_a_change_tells_what_was_before(client: Client) -> None:
    client.must_put(URN, "globalTags", _tags("pii"), systemMetadata={"runId": "r1"})
    start = client.last_offset()
    client.must_put(URN, "globalTags", _tags("other"), systemMetadata={"runId": "r2"})
    (log,) = client.events(VERSIONED, start)
    assert json.loads(log["aspect"]["value"]) == _tags("other")
    assert json.loads(log["previousAspectValue"]["value"]) == _tags("pii")
    assert (log["systemMetadata"]["runId"], log["systemMetadata"]["version"]) == ("r2", "2")
    assert log["previousSystemMetadata"]["runId"] == "r1"
    payloads = [json.loads(e["payload"]["value"]) for e in client.events(PLATFORM, start)]
    assert [(p["category"], p["operation"], p["modifier"]) for p in payloads] == [
        ("TAG", "ADD", "urn:li:tag:other"),
        ("TAG", "REMOVE", TAG),
    ]


def test_older_versions_can_be_read(client: Client) -> None:
    for name in ("a", "b", "c"):
        client.must_put(URN, "globalTags", _tags(name))
    path = f"/aspects/{URN.replace('/', '%2F')}"

    def version(number: int) -> Any:
        answer = client.http.get(path, params={"aspect": "globalTags", "version": number})
        found = answer.json()
        return found["aspect"]["com.linkedin.common.GlobalTags"] if answer.is_success else None

    assert [version(number) for number in (0, 1, 2, 3)] == [
        _tags("c"),
        _tags("a"),
        _tags("b"),
        _tags("c"),
    ]


def test_a_later_write_of_a_batch_sees_the_earlier_one(client: Client) -> None:
    def proposal(change: str, value: Any, kind: str = "application/json") -> dict[str, Any]:
        return {
            "entityType": "dataset",
            "entityUrn": URN,
            "changeType": change,
            "aspectName": "globalTags",
            "aspect": {"value": json.dumps(value), "contentType": kind},
        }

    add = [{"op": "add", "path": "/tags/urn:li:tag:b", "value": {"tag": "urn:li:tag:b"}}]
    body = {"proposals": [proposal("UPSERT", _tags("a")), proposal("PATCH", add)]}
    answer = client.http.post("/aspects?action=ingestProposalBatch", json=body)
    assert answer.status_code == 200
    assert client.get(URN, "globalTags") == _tags("a", "b")


def test_a_refused_proposal_refuses_its_batch(client: Client) -> None:
    good = {
        "entityType": "dataset",
        "entityUrn": URN,
        "changeType": "UPSERT",
        "aspectName": "status",
        "aspect": {"value": '{"removed":false}', "contentType": "application/json"},
    }
    bad = good | {"changeType": "CREATE", "aspectName": "status"}
    answer = client.http.post(
        "/aspects?action=ingestProposalBatch", json={"proposals": [good, bad]}
    )
    assert answer.status_code == 422
    assert client.get(URN, "status") is None


def test_unknown_fields_are_not_kept(client: Client) -> None:
    client.must_put(URN, "status", {"removed": False, "surprise": 1})
    assert client.get(URN, "status") == {"removed": False}


def test_create_is_only_for_what_is_not_there(client: Client) -> None:
    client.must_put(URN, "globalTags", _tags("a"), "CREATE")
    assert client.put(URN, "globalTags", _tags("b"), "CREATE").status_code == 422
    assert client.put(URN, "status", {"removed": False}, "CREATE_ENTITY").status_code == 422
    assert client.get(URN, "globalTags") == _tags("a")


def test_a_conditional_write_needs_the_version_that_is_there(client: Client) -> None:
    def put(version: str, value: Any) -> int:
        headers = {"If-Version-Match": version}
        found: int = client.put(URN, "globalTags", value, headers=headers).status_code
        return found

    assert put("1", _tags("a")) == 412
    assert put("-1", _tags("a")) == 200
    assert put("-1", _tags("b")) == 412
    assert put("1", _tags("b")) == 200
    assert put("1", _tags("c")) == 412
    assert client.get(URN, "globalTags") == _tags("b")


def test_points_of_the_same_time_replace_each_other(client: Client) -> None:
    for rows in (1, 2):
        client.must_put(URN, "datasetProfile", {"timestampMillis": 10, "rowCount": rows})
    client.must_put(URN, "datasetProfile", {"timestampMillis": 20, "rowCount": 3})
    partition = {"partition": "p", "type": "PARTITION"}
    client.must_put(
        URN, "datasetProfile", {"timestampMillis": 20, "rowCount": 4, "partitionSpec": partition}
    )
    body = {"urn": URN, "entity": "dataset", "aspect": "datasetProfile", "limit": 10}
    answer = client.http.post("/aspects?action=getTimeseriesAspectValues", json=body)
    values = [
        json.loads(v["aspect"]["value"])["rowCount"] for v in answer.json()["value"]["values"]
    ]
    assert values == [4, 3, 2]
    assert len(client.events(TIMESERIES)) == 4
    assert client.get(URN, "datasetKey") is not None


@pytest.mark.parametrize(
    ("more", "times"),
    [
        ({"limit": 2}, [30, 20]),
        ({"startTimeMillis": 20}, [30, 20]),
        ({"endTimeMillis": 20}, [20, 10]),
        (
            {"filter": {"or": [{"and": [{"field": "rowCount", "values": ["10", "30"]}]}]}},
            [30, 10],
        ),
        (
            {
                "filter": {
                    "or": [
                        {
                            "and": [
                                {
                                    "field": "rowCount",
                                    "value": "15",
                                    "condition": "GREATER_THAN",
                                }
                            ]
                        }
                    ]
                }
            },
            [30, 20],
        ),
        ({"filter": {"or": [{"and": [{"field": "nope", "values": ["1"]}]}]}}, []),
    ],
)
def test_points_are_chosen_by_time_and_value(
    client: Client, more: dict[str, Any], times: list[int]
) -> None:
    for at in (10, 20, 30):
        client.must_put(URN, "datasetProfile", {"timestampMillis": at, "rowCount": at})
    body = {"urn": URN, "entity": "dataset", "aspect": "datasetProfile", "limit": 10, **more}
    answer = client.http.post("/aspects?action=getTimeseriesAspectValues", json=body).json()
    found = [json.loads(v["aspect"]["value"])["timestampMillis"] for v in answer["value"]["values"]]
    assert found == times


def test_a_hard_delete_is_told_by_the_key_aspect_alone(client: Client) -> None:
    client.must_put(URN, "globalTags", _tags("a"))
    client.must_put(URN, "datasetProfile", {"timestampMillis": 1})
    start = client.last_offset()
    answer = client.http.post("/entities?action=delete", json={"urn": URN})
    assert answer.json()["value"] == {"urn": URN, "rows": 4, "timeseriesRows": 1}
    assert _told(client.events(VERSIONED, start)) == [("datasetKey", "DELETE")]
    assert client.get(URN, "globalTags") is None
    again = client.http.post("/entities?action=delete", json={"urn": URN})
    assert again.json()["value"]["rows"] == 0


@pytest.mark.parametrize("change", ["CREATE", "CREATE_ENTITY"])
def test_a_create_of_what_is_there_is_dropped_on_demand(client: Client, change: str) -> None:
    client.must_put(URN, "globalTags", _tags("a"))
    start = client.last_offset()
    client.must_put(URN, "globalTags", _tags("b"), change, headers={"If-None-Match": "*"})
    assert client.get(URN, "globalTags") == _tags("a")
    assert client.last_offset() == start


def test_an_entity_can_come_back_after_a_hard_delete(client: Client) -> None:
    client.must_put(URN, "globalTags", _tags("a"))
    client.http.post("/entities?action=delete", json={"urn": URN})
    start = client.last_offset()
    client.must_put(URN, "globalTags", _tags("a"))
    assert _told(client.events(VERSIONED, start))[0] == ("datasetKey", "UPSERT")


def test_one_aspect_is_deleted_and_the_rest_stays(client: Client) -> None:
    client.must_put(URN, "globalTags", _tags("a"))
    start = client.last_offset()
    path = f"/openapi/v3/entity/dataset/{URN}/globalTags"
    assert client.http.delete(path).status_code == 200
    assert _told(client.events(VERSIONED, start)) == [("globalTags", "DELETE")]
    assert client.get(URN, "globalTags") is None
    assert client.get(URN, "datasetKey") is not None


def _runs(client: Client) -> list[tuple[str, int]]:
    body = {"pageOffset": 0, "pageSize": 10, "includeSoft": False}
    found = client.http.post("/runs?action=list", json=body).json()["value"]
    return [(run["runId"], run["rows"]) for run in found]


def test_a_rollback_restores_what_was_before_the_run(client: Client) -> None:
    client.must_put(URN, "globalTags", _tags("a"), systemMetadata={"runId": "first"})
    for names in (("b",), ("b", "c")):
        client.must_put(URN, "globalTags", _tags(*names), systemMetadata={"runId": "second"})
    client.must_put(URN, "domains", {"domains": []}, systemMetadata={"runId": "second"})
    assert dict(_runs(client)) == {"first": 3, "second": 2}
    start = client.last_offset()
    for dry in (True, False):
        body = {"runId": "second", "dryRun": dry}
        answer = client.http.post("/runs?action=rollback", json=body).json()["value"]
        assert (answer["aspectsAffected"], answer["aspectsReverted"]) == (0, 2)
        assert answer["entitiesAffected"] == 1
        if dry:
            assert client.last_offset() == start
    assert client.get(URN, "globalTags") == _tags("a")
    assert client.get(URN, "domains") is None
    assert sorted(_told(client.events(VERSIONED, start))) == [
        ("domains", "DELETE"),
        ("globalTags", "UPSERT"),
    ]
    assert _runs(client) == [("first", 4)]


@pytest.mark.parametrize("hard", [False, True])
def test_a_rollback_of_the_run_that_created_an_entity_removes_it(
    client: Client, hard: bool
) -> None:
    client.must_put(URN, "globalTags", _tags("a"), systemMetadata={"runId": "only"})
    client.must_put(URN, "datasetProfile", {"timestampMillis": 1}, systemMetadata={"runId": "only"})
    body = {"runId": "only", "dryRun": False, "hardDelete": hard}
    client.http.post("/runs?action=rollback", json=body)
    assert client.get(URN, "globalTags") is None
    assert (client.get(URN, "datasetKey") is None) == hard
    assert (client.get(URN, "status") == {"removed": True}) != hard
    assert client.get(URN, "datasetProfile") is None
