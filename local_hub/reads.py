"""Reading: answers made of what is stored, with its JSON texts spliced in unparsed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from dataspoke.local_hub.effects.values import without
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Criterion, Groups, criteria
from dataspoke.local_hub.registry import EntitySpec, Registry
from dataspoke.local_hub.store import Store, TimeseriesRow
from dataspoke.local_hub.transaction import AspectRow, Transaction

_BATCH = 500


class Reading(NamedTuple):
    """One aspect as it is answered: JSON texts, with time (UTC ms) and actor if it is versioned."""

    value: str
    meta: str | None = None
    modified_at: int | None = None
    actor: str | None = None


def entity_v2(registry: Registry, store: Store, urn: str, wanted: list[str] | None) -> bytes:
    """The `/entitiesV2` form of one entity. An unknown one still has its key aspect."""
    spec = registry.entity_of(urn)
    key = registry.key_of(urn)
    aspects = store.aspects([urn], wanted).get(urn, {})
    parts = [_aspect_v2(name, visible(store, name, row)) for name, row in aspects.items()]
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


def visible(store: Store, name: str, row: AspectRow) -> AspectRow:
    """An aspect as readers see it: without the values of soft-deleted structured properties."""
    if name != "structuredProperties":
        return row
    value = orjson.loads(row.value)
    urns = [assignment["propertyUrn"] for assignment in value["properties"]]
    removed = {
        urn
        for urn, aspects in store.aspects(urns, ["status"]).items()
        if "status" in aspects and orjson.loads(aspects["status"].value).get("removed")
    }
    if not removed:
        return row
    return row._replace(value=orjson.dumps(without(value, removed)).decode())


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


def latest_versions(
    registry: Registry, store: Store, wanted: Mapping[str, Mapping[str, int] | None]
) -> dict[str, dict[str, Reading]]:
    """Aspects of entities, by urn and name; entities that have none of them are left out.

    `wanted` says for each urn which aspects in which version: 0 is the latest one, and of a
    timeseries N is the last point up to N (UTC ms). None means the latest of all aspects.
    """
    found: dict[str, dict[str, Reading]] = {}
    urns = list(wanted)
    for start in range(0, len(urns), _BATCH):
        batch = urns[start : start + _BATCH]
        names: set[str] | None = set()
        for urn in batch:
            asked = wanted[urn]
            names = None if names is None or asked is None else names.union(asked)
        rows = store.aspects(batch, names)
        points = _last_points(registry, store, {urn: wanted[urn] for urn in batch})
        for urn in batch:
            readings = _versions(store, urn, wanted[urn], rows.get(urn, {}))
            readings.update(points.get(urn, {}))
            if readings:
                found[urn] = readings
    return found


def _versions(
    store: Store, urn: str, asked: Mapping[str, int] | None, rows: Mapping[str, AspectRow]
) -> dict[str, Reading]:
    if asked is None:
        return {name: _reading(visible(store, name, row)) for name, row in rows.items()}
    found = {}
    for name, version in asked.items():
        row = rows.get(name)
        if row is not None and version not in (0, row.seq):
            row = store.aspect(urn, name, version)
        if row is not None:
            found[name] = _reading(visible(store, name, row))
    return found


def _reading(row: AspectRow) -> Reading:
    return Reading(row.value, row.meta, row.modified_at, row.actor)


def _last_points(
    registry: Registry, store: Store, wanted: Mapping[str, Mapping[str, int] | None]
) -> dict[str, dict[str, Reading]]:
    """The last point of each timeseries that is asked for."""
    probes = []
    for urn, asked in wanted.items():
        aspects = registry.entity_of(urn).aspects
        for name in aspects if asked is None else asked:
            if aspects[name].timeseries:
                until = asked.get(name) if asked else None
                probes.append([urn, store.aspect_numbers[name], until or 2**62])
    if not probes:
        return {}
    rows = store.reader().execute(
        "SELECT w.value ->> 0, w.value ->> 1, t.meta, t.value FROM json_each(?) w "
        "CROSS JOIN entity e ON e.urn = w.value ->> 0 "
        "CROSS JOIN timeseries t ON t.id = (SELECT id FROM timeseries "
        "WHERE aspect = e.id * 4096 + (w.value ->> 1) AND at <= w.value ->> 2 "
        "ORDER BY at DESC, id DESC LIMIT 1)",
        (orjson.dumps(probes).decode(),),
    )
    found: dict[str, dict[str, Reading]] = {}
    for urn, number, meta, value in rows:
        found.setdefault(urn, {})[store.aspect_names[number]] = Reading(value, meta)
    return found


def delete_last_point(tx: Transaction, urn: str, aspect: str) -> None:
    """Remove the newest point of a timeseries, as the deletion of such an aspect does."""
    entity = tx.entities([urn]).get(urn)
    if entity is None:
        return
    number = tx.aspect_id(entity, aspect)
    last = tx.connection.execute(
        "SELECT max(at) FROM timeseries WHERE aspect = ?", (number,)
    ).fetchone()[0]
    if last is not None:
        tx.delete_points(number, last, last)


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
        if not groups or meets_any(orjson.loads(point.value), groups)
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


def meets_any(value: Mapping[str, Any], groups: Groups) -> bool:
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
