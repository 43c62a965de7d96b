"""What DataHub says of how an entity is used and whether it is well. Pure.

Parsers of single aspects; they raise what `aspects` turns into a SkippableError.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from dataspoke.core.hub.values import moment, strings, text, unique

Value = Mapping[str, Any]

_MONTH_DAYS = 30
_MOST_CONSUMERS = 50
_DAYS = {
    "SECOND": 1 / 86_400,
    "MINUTE": 1 / 1_440,
    "HOUR": 1 / 24,
    "DAY": 1.0,
    "WEEK": 7.0,
    "MONTH": 30.0,
    "QUARTER": 91.0,
    "YEAR": 365.0,
}


class Usage(NamedTuple):
    """Who uses an entity (urns, the busiest first) and how often: queries or views in 30 days."""

    consumers: tuple[str, ...] = ()
    per_month: int = 0


def usage_features(value: Value) -> Usage:
    """`usageFeatures`, which a usage job of the server may write."""
    return Usage(strings(value.get("topUsersLast30Days")), _count(value, "queryCountLast30Days"))


def usage_statistics(value: Value) -> Usage:
    """A bucket of `…UsageStatistics`, its count brought to 30 days."""
    users = [(text(item["user"]), int(item.get("count") or 0)) for item in _list(value)]
    users.sort(key=lambda item: (-item[1], item[0]))
    window = value.get("eventGranularity") or {}
    days = _DAYS.get(str(window.get("unit")), 1.0) * max(1, int(window.get("multiple") or 1))
    count = _count(value, "totalSqlQueries") or _count(value, "viewsCount")
    busiest = unique(user for user, _ in users[:_MOST_CONSUMERS])
    return Usage(busiest, round(count * _MONTH_DAYS / days))


def open_incidents(value: Value) -> int:
    """How many incidents `incidentsSummary` calls active, in either of its forms."""
    details = unique(item["urn"] for item in value.get("activeIncidentDetails") or ())
    return len({*details, *strings(value.get("activeIncidents"))})


def last_operation(value: Value) -> datetime | None:
    return moment(value.get("lastUpdatedTimestamp"))


def _list(value: Value) -> list[Any]:
    users = value.get("userCounts") or []
    if not isinstance(users, list):
        raise TypeError(f"expected a list, found {type(users).__name__}")
    return users


def _count(value: Value, name: str) -> int:
    return max(0, int(value.get(name) or 0))
