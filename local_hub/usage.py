"""Usage of datasets: what `/usageStats` adds up from `datasetUsageStatistics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

ASPECT = "datasetUsageStatistics"
DURATIONS = ("HOUR", "DAY", "WEEK", "MONTH", "YEAR")
_RANGES = {"HOUR": 1, "DAY": 1, "WEEK": 7, "MONTH": 30, "QUARTER": 90, "YEAR": 365}


def range_start(name: str, now: int) -> int:
    """The start (UTC ms) of a range that ends `now`: the whole day at its beginning; ALL is 0."""
    if name == "ALL":
        return 0
    if name == "HOUR":
        return now - 3_600_000
    midnight = _at(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return _millis(midnight - timedelta(days=_RANGES[name]))


def query(
    resource: str, duration: str, points: Iterable[Mapping[str, Any]], most: int | None = None
) -> dict[str, Any]:
    """`UsageQueryResult`: `points` are aspects, the newest first.

    A bucket holds the newest values of its span of time; users and fields are added up.
    """
    buckets: dict[int, dict[str, Any]] = {}
    users: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    emails: dict[str, str] = {}
    for point in points:
        metrics = buckets.setdefault(bucket_start(int(point["timestampMillis"]), duration), {})
        for name in ("uniqueUserCount", "totalSqlQueries", "topSqlQueries"):
            if point.get(name) is not None:
                metrics.setdefault(name, point[name])
        for item in point.get("userCounts") or ():
            users[item["user"]] += int(item["count"])
            if item.get("userEmail"):
                emails.setdefault(item["user"], item["userEmail"])
        for item in point.get("fieldCounts") or ():
            fields[item["fieldPath"]] += int(item["count"])
    kept = sorted(buckets)[-most:] if most else sorted(buckets)
    found: list[dict[str, Any]] = [
        {"bucket": at, "duration": duration, "resource": resource, "metrics": buckets[at]}
        for at in kept
    ]
    aggregations: dict[str, Any] = {
        "users": [
            {"user": user, "count": count} | ({"userEmail": emails[user]} if user in emails else {})
            for user, count in users.most_common()
        ],
        "uniqueUserCount": len(users),
        "fields": [{"fieldName": name, "count": count} for name, count in fields.most_common()],
    }
    totals = [bucket["metrics"].get("totalSqlQueries") for bucket in found]
    if any(total is not None for total in totals):
        aggregations["totalSqlQueries"] = sum(total or 0 for total in totals)
    return {"buckets": found, "aggregations": aggregations}


def bucket_start(at: int, duration: str) -> int:
    """The start (UTC ms) of the span of time that holds `at`; weeks start on Monday.

    >>> bucket_start(1_700_000_000_000, "DAY")
    1699920000000
    """
    moment = _at(at).replace(minute=0, second=0, microsecond=0)
    if duration != "HOUR":
        moment = moment.replace(hour=0)
    if duration == "WEEK":
        moment -= timedelta(days=moment.weekday())
    if duration in ("MONTH", "YEAR"):
        moment = moment.replace(day=1)
    if duration == "YEAR":
        moment = moment.replace(month=1)
    return _millis(moment)


def to_aspect(bucket: Mapping[str, Any]) -> dict[str, Any]:
    """The aspect that an old `UsageAggregation` stands for."""
    metrics = bucket.get("metrics") or {}
    aspect: dict[str, Any] = {
        "timestampMillis": bucket["bucket"],
        "eventGranularity": {"unit": bucket["duration"], "multiple": 1},
    }
    for name in ("uniqueUserCount", "totalSqlQueries", "topSqlQueries"):
        if metrics.get(name) is not None:
            aspect[name] = metrics[name]
    if metrics.get("users") is not None:
        aspect["userCounts"] = [
            {
                name: item[name]
                for name in ("user", "count", "userEmail")
                if item.get(name) is not None
            }
            for item in metrics["users"]
        ]
    if metrics.get("fields") is not None:
        aspect["fieldCounts"] = [
            {"fieldPath": item["fieldName"], "count": item["count"]} for item in metrics["fields"]
        ]
    return aspect


def _at(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
