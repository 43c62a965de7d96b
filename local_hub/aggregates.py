"""A table of what the points of a timeseries add up to, bucket by bucket. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.usage import bucket_start

_MINUTE = 60_000
_WIDTHS = {"MINUTE": _MINUTE, "HOUR": 60 * _MINUTE, "DAY": 1440 * _MINUTE}
_CALENDAR = ("WEEK", "MONTH", "YEAR")
_NONE = "NULL"

Point = Mapping[str, Any]


def table(
    points: Iterable[Point],
    metrics: Sequence[Mapping[str, Any]],
    buckets: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """`GenericTable`: a row per combination of buckets, in their order; all cells are texts.

    `points` are aspects, the newest first. Raises BadRequest for metrics and buckets that are none.
    """
    keys = [_bucket(bucket) for bucket in buckets]
    measures = [_metric(metric) for metric in metrics]
    groups: dict[tuple[int | str, ...], list[Point]] = {}
    for point in points:
        groups.setdefault(tuple(key(point) for key in keys), []).append(point)
    rows = [
        [*map(str, group), *(measure(found) for _, _, measure in measures)]
        for group, found in sorted(groups.items())
    ]
    return {
        "columnNames": [*(bucket["key"] for bucket in buckets), *(name for name, _, _ in measures)],
        "columnTypes": [
            *(
                "long" if bucket["type"] == "DATE_GROUPING_BUCKET" else "string"
                for bucket in buckets
            ),
            *(kind for _, kind, _ in measures),
        ],
        "rows": rows,
    }


def _bucket(bucket: Any) -> Callable[[Point], int | str]:
    key = bucket.get("key") if isinstance(bucket, Mapping) else None
    if not isinstance(key, str):
        raise BadRequest("Each of the buckets needs a key")
    match bucket.get("type"):
        case "STRING_GROUPING_BUCKET":
            return lambda point: _text(_at(point, key))
        case "DATE_GROUPING_BUCKET":
            start = _span(bucket.get("timeWindowSize"))
            return lambda point: start(int(_at(point, key) or 0))
        case kind:
            raise BadRequest(f"Unknown type of bucket: {kind!r}")


def _span(size: Any) -> Callable[[int], int]:
    """Gives the start of the span of time that holds a moment, both UTC ms."""
    given = size if isinstance(size, Mapping) else {}
    unit, multiple = given.get("unit") or "DAY", given.get("multiple", 1)
    if unit in _CALENDAR:
        return lambda at: bucket_start(at, unit)
    if unit not in _WIDTHS or not isinstance(multiple, int) or multiple < 1:
        raise BadRequest(f"Cannot group by a time window of {multiple!r} {unit!r}")
    width = _WIDTHS[unit] * multiple
    return lambda at: at - at % width


def _metric(metric: Any) -> tuple[str, str, Callable[[list[Point]], str]]:
    """The name and type of a column, and what its cells tell of points."""
    path = metric.get("fieldPath") if isinstance(metric, Mapping) else None
    if not isinstance(path, str):
        raise BadRequest("Each of the metrics needs a fieldPath")

    def values(points: list[Point]) -> list[Any]:
        return [value for point in points if (value := _at(point, path)) is not None]

    match metric.get("aggregationType"):
        case "LATEST":
            return (
                f"latest_{path}",
                "string",
                lambda points: _text(next(iter(values(points)), None)),
            )
        case "SUM":
            return f"sum_{path}", "double", lambda points: str(sum(map(_number, values(points))))
        case "CARDINALITY":
            return (
                f"cardinality_{path}",
                "long",
                lambda points: str(len({_text(value) for value in values(points)})),
            )
        case kind:
            raise BadRequest(f"Unknown aggregationType: {kind!r}")


def _at(point: Point, path: str) -> Any:
    found: Any = point
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _text(value: Any) -> str:
    return _NONE if value is None else str(value)
