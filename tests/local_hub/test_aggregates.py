"""What the points of a timeseries add up to."""

from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub.aggregates import table
from dataspoke.local_hub.errors import BadRequest

DAY = 86_400_000
# The newest first.
POINTS = [
    {"timestampMillis": DAY + 5, "kind": "a", "rows": 7, "result": {"type": "SUCCESS"}},
    {"timestampMillis": DAY + 1, "kind": "a", "rows": 5, "result": {"type": "FAILURE"}},
    {"timestampMillis": 9, "kind": "b"},
]
KIND = {"key": "kind", "type": "STRING_GROUPING_BUCKET"}


def by_day(multiple: int = 1, unit: str = "DAY") -> dict[str, Any]:
    window = {"unit": unit, "multiple": multiple}
    return {"key": "timestampMillis", "type": "DATE_GROUPING_BUCKET", "timeWindowSize": window}


def metric(kind: str, path: str) -> dict[str, str]:
    return {"aggregationType": kind, "fieldPath": path}


@pytest.mark.parametrize(
    ("metrics", "buckets", "expected"),
    [
        ([metric("LATEST", "result.type")], [KIND], [["a", "SUCCESS"], ["b", "NULL"]]),
        ([metric("SUM", "rows")], [KIND], [["a", "12"], ["b", "0"]]),
        ([metric("CARDINALITY", "kind")], [], [["2"]]),
        ([metric("SUM", "rows")], [by_day()], [["0", "0"], [str(DAY), "12"]]),
        ([metric("SUM", "rows")], [by_day(2)], [["0", "12"]]),
        ([metric("SUM", "rows")], [by_day(unit="YEAR")], [["0", "12"]]),
    ],
)
def test_points_are_told_by_bucket(metrics: Any, buckets: Any, expected: Any) -> None:
    assert table(POINTS, metrics, buckets)["rows"] == expected


def test_columns_are_named_after_buckets_and_metrics() -> None:
    found = table([], [metric("LATEST", "result.type"), metric("SUM", "rows")], [KIND, by_day()])
    assert found == {
        "columnNames": ["kind", "timestampMillis", "latest_result.type", "sum_rows"],
        "columnTypes": ["string", "long", "string", "double"],
        "rows": [],
    }


@pytest.mark.parametrize(
    ("metrics", "buckets"),
    [
        ([{}], []),
        ([metric("MEDIAN", "rows")], []),
        ([], [{"type": "STRING_GROUPING_BUCKET"}]),
        ([], [{"key": "kind", "type": "OTHER"}]),
        ([], [by_day(0)]),
        ([], [by_day(unit="FORTNIGHT")]),
    ],
)
def test_what_is_no_metric_or_bucket_is_refused(metrics: Any, buckets: Any) -> None:
    with pytest.raises(BadRequest):
        table(POINTS, metrics, buckets)


def test_rest_li_answers_with_the_table(client: Client) -> None:
    for name, rows in (("a", 3), ("b", 4)):
        urn = f"urn:li:dataset:(urn:li:dataPlatform:postgres,{name},PROD)"
        client.must_put(urn, "datasetProfile", {"timestampMillis": 5, "rowCount": rows})
    equal = {"field": "rowCount", "condition": "EQUAL", "values": ["4"]}
    given = {
        "entityName": "dataset",
        "aspectName": "datasetProfile",
        "metrics": [metric("LATEST", "rowCount")],
        "filter": {"or": [{"and": [equal]}]},
    }
    answer = client.http.post("/analytics?action=getTimeseriesStats", json=given)
    assert answer.json()["value"] == {
        "entityName": "dataset",
        "aspectName": "datasetProfile",
        "aggregationSpecs": given["metrics"],
        "filter": given["filter"],
        "table": {
            "columnNames": ["latest_rowCount"],
            "columnTypes": ["string"],
            "rows": [["4"]],
        },
    }


def test_documents_are_read_as_they_are_indexed(client: Client) -> None:
    up, down = (f"urn:li:dataset:(urn:li:dataPlatform:hive,{name},PROD)" for name in "ab")
    client.must_put(down, "upstreamLineage", {"upstreams": [{"dataset": up, "type": "COPY"}]})
    path = "/openapi/operations/elasticSearch/entity/raw"
    found = client.http.post(path, json=[down, up]).json()
    assert set(found) == {down}
    assert (found[down]["urn"], found[down]["hasUpstreams"]) == (down, True)
    assert client.http.post(path, json={}).status_code == 400
