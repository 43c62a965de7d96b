from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub.usage import bucket_start, query, range_start

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
DAY = 86_400_000
# Wednesday, 15 November 2023, 00:00 UTC.
MIDNIGHT = 1_700_006_400_000


def _point(at: int, count: int) -> dict[str, Any]:
    return {
        "timestampMillis": at,
        "uniqueUserCount": 1,
        "totalSqlQueries": count,
        "userCounts": [{"user": "urn:li:corpuser:ann", "count": count, "userEmail": "a@x"}],
        "fieldCounts": [{"fieldPath": "id", "count": count}],
    }


@pytest.mark.parametrize(
    ("duration", "back"),
    [("HOUR", 0), ("DAY", 0), ("WEEK", 2 * DAY), ("MONTH", 14 * DAY), ("YEAR", 318 * DAY)],
)
def test_a_bucket_starts_with_its_span(duration: str, back: int) -> None:
    assert bucket_start(MIDNIGHT + 1_800_000, duration) == MIDNIGHT - back


def test_a_bucket_holds_the_newest_values_and_all_counts_are_added_up() -> None:
    points = [_point(MIDNIGHT + 5, 3), _point(MIDNIGHT, 1), _point(MIDNIGHT - 1, 4)]
    found = query(URN, "DAY", points)
    assert [(b["bucket"], b["metrics"]["totalSqlQueries"]) for b in found["buckets"]] == [
        (MIDNIGHT - DAY, 4),
        (MIDNIGHT, 3),
    ]
    assert found["aggregations"] == {
        "users": [{"user": "urn:li:corpuser:ann", "count": 8, "userEmail": "a@x"}],
        "uniqueUserCount": 1,
        "fields": [{"fieldName": "id", "count": 8}],
        "totalSqlQueries": 7,
    }


def test_a_range_begins_at_midnight() -> None:
    assert range_start("WEEK", MIDNIGHT + 99) == MIDNIGHT - 7 * DAY
    assert range_start("ALL", MIDNIGHT) == 0


def test_what_old_clients_write_they_read_again(client: Client) -> None:
    bucket = {
        "bucket": MIDNIGHT,
        "duration": "DAY",
        "resource": URN,
        "metrics": {
            "uniqueUserCount": 1,
            "totalSqlQueries": 2,
            "topSqlQueries": ["select 1"],
            "users": [{"user": "urn:li:corpuser:ann", "count": 2}],
            "fields": [{"fieldName": "id", "count": 2}],
        },
    }
    written = client.http.post("/usageStats?action=batchIngest", json={"buckets": [bucket]})
    assert written.status_code == 200, written.text
    asked = {"resource": URN, "duration": "DAY", "rangeFromEnd": "ALL"}
    found = client.http.post("/usageStats?action=queryRange", json=asked).json()["value"]
    (again,) = found["buckets"]
    assert again["metrics"]["topSqlQueries"] == ["select 1"]
    assert found["aggregations"]["fields"] == [{"fieldName": "id", "count": 2}]
    asked = {"resource": URN, "duration": "DAY", "startTime": MIDNIGHT + 1}
    found = client.http.post("/usageStats?action=query", json=asked).json()["value"]
    assert found["buckets"] == []


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("batchIngest", {"buckets": [{"bucket": 1}]}),
        ("queryRange", {"resource": URN, "duration": "EON"}),
        ("queryRange", {"resource": URN, "duration": "DAY", "rangeFromEnd": "EON"}),
        ("query", {"duration": "DAY"}),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    client: Client, action: str, body: dict[str, Any]
) -> None:
    assert client.http.post(f"/usageStats?action={action}", json=body).status_code == 400
