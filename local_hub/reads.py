"""Reading: answers made of what is stored, with its JSON texts spliced in unparsed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from dataspoke.local_hub.errors import BadRequest, BadUrn
from dataspoke.local_hub.filters import Criterion, Groups, criteria
from dataspoke.local_hub.registry import EntitySpec, Registry
from dataspoke.local_hub.store import Store, TimeseriesRow
from dataspoke.local_hub.transaction import AspectRow

_BATCH = 500


def entity_v2(registry: Registry, store: Store, urn: str, wanted: list[str] | None) -> bytes:
    """The `/entitiesV2` form of one entity. An unknown one still has its key aspect."""
    spec = registry.entity_of(urn)
    key = registry.key_of(urn)
    aspects = store.aspects([urn], wanted).get(urn, {})
    parts = [_aspect_v2(name, row) for name, row in aspects.items()]
    key_name = spec.key_aspect.name
    if key_name not in aspects and (wanted is None or key_name in wanted or not aspects):
        parts.append(
            b'"%s":{"name":"%s","type":"VERSIONED","version":0,"value":%s}'
            % (key_name.encode(), key_name.encode(), orjson.dumps(key))
        )
    if wanted is not None:
        parts.extend(_latest_points(registry, store, spec, urn, wanted))
    return b'{"entityName":"%s","urn":%s,"aspects":{%s}}' % (
        spec.name.encode(),
        orjson.dumps(urn),
        b",".join(parts),
    )


def _aspect_v2(name: str, row: AspectRow) -> bytes:
    encoded = name.encode()
    created = orjson.dumps({"time": row.modified_at, "actor": row.actor})
    return (
        b'"%s":{"name":"%s","type":"VERSIONED","version":0,"value":%s,'
        b'"systemMetadata":%s,"created":%s}'
        % (encoded, encoded, row.value.encode(), row.meta.encode(), created)
    )


def _latest_points(
    registry: Registry, store: Store, spec: EntitySpec, urn: str, wanted: Sequence[str]
) -> Iterator[bytes]:
    for name in wanted:
        aspect = spec.aspects.get(name)
        if aspect is None or not aspect.timeseries:
            continue
        for point in itertools.islice(store.timeseries(urn, name), 1):
            encoded = name.encode()
            yield (
                b'"%s":{"name":"%s","type":"TIMESERIES","timestamp":%d,"value":%s}'
                % (encoded, encoded, point.at, point.value.encode())
            )


def entity_v3(
    urn: str, aspects: Mapping[str, AspectRow], names: Sequence[str] | None, *, metadata: bool
) -> bytes:
    """The OpenAPI v3 form of one entity with the aspects `names` (None: all)."""
    parts = [b'{"urn":' + orjson.dumps(urn)]
    for name in aspects if names is None else names:
        row = aspects.get(name)
        if row is not None:
            parts.append(b'"%s":%s' % (name.encode(), aspect_v3(row, metadata=metadata)))
    return b",".join(parts) + b"}"


def aspect_v3(row: AspectRow, *, metadata: bool) -> bytes:
    """The OpenAPI v3 form of one aspect."""
    if not metadata:
        return b'{"value":%s}' % row.value.encode()
    return b'{"value":%s,"systemMetadata":%s,"auditStamp":{"time":%d,"actor":%s}}' % (
        row.value.encode(),
        row.meta.encode(),
        row.modified_at,
        orjson.dumps(row.actor),
    )


def batch_get(
    registry: Registry,
    store: Store,
    spec: EntitySpec,
    requests: Sequence[Mapping[str, Any]],
    *,
    metadata: bool,
) -> bytes:
    """`batchGet`: of each entity the aspects asked for (all if none); absent ones are left out.

    An aspect may ask for an older version with ``{"headers": {"If-Version-Match": "3"}}``.
    """
    wanted: dict[str, list[str]] = {}
    for request in requests:
        urn = request.get("urn") if isinstance(request, Mapping) else None
        if not isinstance(urn, str):
            raise BadRequest("Each entity of a batchGet needs its urn")
        if registry.entity_of(urn) is not spec:
            raise BadUrn(urn, f"it names no {spec.name}")
        wanted.setdefault(urn, []).extend(name for name in request if name != "urn")
    parts: list[bytes] = []
    urns = list(wanted)
    asked = set().union(*wanted.values()) if all(wanted.values()) else None
    for start in range(0, len(urns), _BATCH):
        found = store.aspects(urns[start : start + _BATCH], asked)
        for urn, aspects in found.items():
            names = wanted[urn] or None
            if names is None or any(name in aspects for name in names):
                parts.append(entity_v3(urn, aspects, names, metadata=metadata))
    return b"[" + b",".join(parts) + b"]"


def count(store: Store, aspect: str, urn_like: str | None) -> int:
    """How many entities have an aspect; `urn_like` is an SQL LIKE pattern of the urn."""
    aspect_number = store.aspect_numbers.get(aspect)
    if aspect_number is None:
        return 0
    row = (
        store.reader()
        .execute(
            "SELECT count(*) FROM entity e JOIN aspect a ON a.id = e.id * 4096 + ? "
            "WHERE e.urn LIKE ?",
            (aspect_number, urn_like or "%"),
        )
        .fetchone()
    )
    return int(row[0])


def timeseries(
    store: Store,
    urn: str,
    aspect: str,
    *,
    limit: int,
    start: Any = None,
    end: Any = None,
    conditions: Any = None,
    latest_first: bool = True,
) -> list[TimeseriesRow]:
    """At most `limit` points that meet the conditions, the newest first unless told otherwise."""
    groups = criteria(conditions)
    matches = (
        point
        for point in store.timeseries(urn, aspect, start=_millis(start), end=_millis(end))
        if not groups or _matches(orjson.loads(point.value), groups)
    )
    if latest_first:
        return list(itertools.islice(matches, limit))
    return list(matches)[::-1][:limit]


def _millis(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError) as exc:
        raise BadRequest(f"A time must be a number of milliseconds: {value!r}") from exc


def _matches(value: Mapping[str, Any], groups: Groups) -> bool:
    """Whether a point meets all conditions of any group."""
    return any(all(_meets(value, criterion) for criterion in group) for group in groups)


def _meets(value: Mapping[str, Any], criterion: Criterion) -> bool:
    found: Any = value
    for step in criterion.field.removesuffix(".keyword").split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    wanted, condition = criterion.values, criterion.condition
    if found is None:
        met = False
    elif condition in ("EQUAL", "IN", "IEQUAL"):
        met = (str(found).lower() if isinstance(found, bool) else str(found)) in wanted
    elif condition == "CONTAIN":
        met = any(item in str(found) for item in wanted)
    elif condition in _ORDER:
        try:
            met = _ORDER[condition](float(found), float(wanted[0]))
        except (TypeError, ValueError, IndexError) as exc:
            raise BadRequest(f"Cannot compare {criterion.field} with {wanted}") from exc
    else:
        raise BadRequest(f"Condition {condition} is not supported for timeseries")
    return met != criterion.negated


_ORDER = {
    "GREATER_THAN": lambda left, right: left > right,
    "GREATER_THAN_OR_EQUAL_TO": lambda left, right: left >= right,
    "LESS_THAN": lambda left, right: left < right,
    "LESS_THAN_OR_EQUAL_TO": lambda left, right: left <= right,
}
