"""OpenLineage events: what they are read as, and how they are answered."""

from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.openlineage import changes_of

ROUTE = "/openapi/openlineage/api/v1/lineage"
AIRFLOW = "https://github.com/apache/airflow/tree/2.9.0"
FLOW = "urn:li:dataFlow:(airflow,shop,etl)"
JOB = f"urn:li:dataJob:({FLOW},shop.load)"
ORDERS = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.orders,PROD)"
SALES = "urn:li:dataset:(urn:li:dataPlatform:s3,lake/sales,PROD)"
SOURCE = {"namespace": "postgres://db:5432", "name": "shop.public.orders"}
TARGET = {"namespace": "s3a://lake", "name": "/sales"}


def event(**parts: Any) -> dict[str, Any]:
    return {
        "eventTime": "2025-03-01T10:00:00.5Z",
        "producer": AIRFLOW,
        "job": {"namespace": "etl", "name": "shop.load"},
        **parts,
    }


def told(given: Any) -> dict[str, dict[str, Any]]:
    """What an event changes: urn → aspect → value."""
    found: dict[str, dict[str, Any]] = {}
    for change in changes_of(given, "urn:li:corpuser:ann"):
        found.setdefault(change.urn, {})[change.aspect] = change.value
    return found


def test_a_job_is_told_with_its_flow_and_datasets() -> None:
    found = told(event(inputs=[SOURCE], outputs=[TARGET]))
    assert set(found) == {FLOW, JOB, ORDERS, SALES}
    assert found[FLOW]["dataFlowInfo"] == {"name": "shop", "customProperties": {}}
    assert found[JOB]["dataJobInfo"] == {
        "name": "load",
        "type": {"string": "airflow"},
        "flowUrn": FLOW,
        "customProperties": {},
        "created": {"time": 1740823200500},
    }
    assert [item["path"] for item in found[JOB]["dataJobInputOutput"]] == [
        f"/inputDatasetEdges/{ORDERS}",
        f"/outputDatasetEdges/{SALES.replace('/', '~1')}",
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("START", {"status": "STARTED"}),
        ("RUNNING", {"status": "STARTED"}),
        ("COMPLETE", {"status": "COMPLETE", "result": "SUCCESS"}),
        ("FAIL", {"status": "COMPLETE", "result": "FAILURE"}),
        ("ABORT", {"status": "COMPLETE", "result": "SKIPPED"}),
    ],
)
def test_a_run_is_told_by_its_events(kind: str, expected: dict[str, str]) -> None:
    run = told(event(eventType=kind, run={"runId": "r1"}))["urn:li:dataProcessInstance:r1"]
    happened = run["dataProcessInstanceRunEvent"]
    result = {"result": happened["result"]["type"]} if "result" in happened else {}
    assert {"status": happened["status"], **result} == expected
    assert run["dataProcessInstanceRelationships"]["parentTemplate"] == JOB


@pytest.mark.parametrize(
    ("parts", "orchestrator"),
    [
        ({}, "airflow"),
        ({"job": {"facets": {"jobType": {"integration": "SPARK"}}}}, "spark"),
        ({"run": {"runId": "r", "facets": {"processing_engine": {"name": "Flink"}}}}, "flink"),
        ({"producer": "https://github.com/OpenLineage/OpenLineage/tree/1.0/client/dbt"}, "dbt"),
    ],
)
def test_what_runs_a_job_is_found(parts: dict[str, Any], orchestrator: str) -> None:
    job = {"namespace": "etl", "name": "shop.load", **parts.get("job", {})}
    found = told(event(**{**parts, "job": job}))
    assert f"urn:li:dataFlow:({orchestrator},shop,etl)" in found


def test_columns_are_related() -> None:
    columns = {"fields": {"total": {"inputFields": [{**SOURCE, "field": "price"}]}}}
    target = {**TARGET, "facets": {"columnLineage": columns}}
    operations = told(event(outputs=[target]))[JOB]["dataJobInputOutput"]
    down = f"urn:li:schemaField:({SALES},total)".replace("/", "~1")
    up = f"urn:li:schemaField:({ORDERS},price)"
    assert operations[1]["path"] == f"/fineGrainedLineages/TRANSFORM/{down}/NONE/{up}"


@pytest.mark.parametrize(
    "given",
    [
        [],
        {},
        {"eventTime": "2025-03-01T10:00:00Z"},
        {"eventTime": "soon", "job": {}},
        event(job={"namespace": "etl", "name": ""}),
        event(inputs={}),
        event(inputs=[{"name": "orders"}]),
        event(producer="https://example.org/"),
        event(run={}),
    ],
)
def test_what_is_no_event_is_refused(given: Any) -> None:
    with pytest.raises(BadRequest):
        changes_of(given, "urn:li:corpuser:ann")


def test_the_events_of_a_run_add_to_each_other(client: Client) -> None:
    run = {"runId": "r1"}
    for kind, datasets in (("START", {"inputs": [SOURCE]}), ("COMPLETE", {"outputs": [TARGET]})):
        answer = client.http.post(ROUTE, json=event(eventType=kind, run=run, **datasets))
        assert (answer.status_code, answer.content) == (201, b"")
    path = f"/openapi/v3/entity/datajob/{JOB}/datajobinputoutput"
    stored = client.http.get(path).json()["value"]
    assert [edge["destinationUrn"] for edge in stored["inputDatasetEdges"]] == [ORDERS]
    assert [edge["destinationUrn"] for edge in stored["outputDatasetEdges"]] == [SALES]
    assert stored["fineGrainedLineages"] == stored["inputDatajobs"] == []


def test_a_dataset_is_described(client: Client) -> None:
    facets = {"documentation": {"description": "All orders"}}
    given = {"eventTime": "2025-03-01T10:00:00Z", "dataset": {**SOURCE, "facets": facets}}
    assert client.http.post(ROUTE, json=given).status_code == 201
    stored = client.http.get(f"/openapi/v3/entity/dataset/{ORDERS}/datasetproperties").json()
    assert stored["value"]["description"] == "All orders"


def test_a_batch_tells_what_it_could_not_read(client: Client) -> None:
    answer = client.http.post(f"{ROUTE}/batch", json=[event(), {}, event()])
    assert answer.status_code == 200
    told = answer.json()
    assert told["status"] == "partial_success"
    assert told["summary"] == {
        "received": 3,
        "successful": 2,
        "failed": 1,
        "retriable": 0,
        "non_retriable": 1,
    }
    assert [(one["index"], one["retriable"]) for one in told["failed_events"]] == [(1, False)]
    assert client.http.post(f"{ROUTE}/batch", json=event()).status_code == 400
