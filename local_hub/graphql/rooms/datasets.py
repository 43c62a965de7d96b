"""Datasets: schemas, views, profiles, operations, usage."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from dataspoke.local_hub.graphql.edits import require
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.generic import renamed
from dataspoke.local_hub.graphql.points import points
from dataspoke.local_hub.graphql.room import Arguments, Context, FieldReader, Room
from dataspoke.local_hub.urns import Urn

_DAY = 86_400_000
# The members of the union of field types and what GraphQL calls them.
_FIELD_TYPES = {
    "ArrayType": "ARRAY",
    "BooleanType": "BOOLEAN",
    "BytesType": "BYTES",
    "DateType": "DATE",
    "EnumType": "ENUM",
    "FixedType": "FIXED",
    "MapType": "MAP",
    "NullType": "NULL",
    "NumberType": "NUMBER",
    "RecordType": "STRUCT",
    "StringType": "STRING",
    "TimeType": "TIME",
    "UnionType": "UNION",
}
_RANGES = {"HOUR": 1 / 24, "DAY": 1, "WEEK": 7, "MONTH": 31, "QUARTER": 92, "HALF_YEAR": 183}


def _schema(entity: Entity, arguments: Arguments) -> Any:
    """The schema, of an older version if one is asked for."""
    version = arguments.get("version") or 0
    row = (
        entity.context.loader.rows(entity.urn).get("schemaMetadata")
        if version == 0
        else entity.context.hub.store.aspect(entity.urn, "schemaMetadata", version)
    )
    if row is None:
        return None
    created = orjson.loads(row.meta).get("aspectModified") or {}
    value = orjson.loads(row.value)
    return Part(
        entity,
        {
            **value,
            "name": value.get("schemaName"),
            "platformUrn": value.get("platform"),
            "datasetUrn": entity.urn,
            "aspectVersion": version,
            "createdAt": (value.get("created") or {}).get("time") or created.get("time"),
            "lastObserved": orjson.loads(row.meta).get("lastObserved"),
        },
    )


def _platform_schema(schema: Part, _: Arguments) -> Any:
    kind, value = next(iter((schema.get("platformSchema") or {"": {}}).items()))
    if kind.endswith("KeyValueSchema"):
        return {"__typename": "KeyValueSchema", **value}
    text = value.get("documentSchema") or value.get("tableSchema") or value.get("rawSchema")
    return None if text is None else {"__typename": "TableSchema", "schema": text}


def _field_type(field: Part, _: Arguments) -> str:
    member = next(iter((field.get("type") or {}).get("type") or {}), "")
    return _FIELD_TYPES.get(member.rpartition(".")[2], "NULL")


def _field_entity(field: Part, _: Arguments) -> Any:
    if field.owner is None:
        return None
    return f"urn:li:schemaField:({field.owner.urn},{field['fieldPath']})"


def _column(entity: Entity, _: Arguments) -> Any:
    """The column of the parent's schema that a schema field stands for."""
    parent, path = Urn.parse(entity.urn).parts
    dataset = entity.context.loader.entity(parent)
    fields = [] if dataset is None else dataset.aspect("schemaMetadata").get("fields") or []
    return next((Part(dataset, field) for field in fields if field["fieldPath"] == path), None)


def _points(aspect: str) -> FieldReader:
    return lambda entity, arguments: [
        Part(entity, point) for point in points(entity, aspect, arguments, 100)
    ]


def _latest_profile(kind: str) -> FieldReader:
    def read(entity: Entity, _: Arguments) -> Any:
        for point in points(entity, "datasetProfile", {}, 100):
            spec = point.get("partitionSpec") or {"type": "FULL_TABLE"}
            if spec.get("type") == kind:
                return Part(entity, point)
        return None

    return read


def _partition(point: Part, _: Arguments) -> Any:
    return (point.get("partitionSpec") or {}).get("partition")


def _usage(entity: Entity, arguments: Arguments) -> Any:
    """Usage within a range, per bucket as it was reported, and in all."""
    days = _RANGES.get(arguments.get("range") or "ALL")
    start = arguments.get("startTimeMillis")
    if start is None and days is not None:
        start = entity.context.now - int(days * _DAY)
    found = points(entity, "datasetUsageStatistics", {"startTimeMillis": start}, 10_000)
    return {"buckets": [_bucket(entity, point) for point in reversed(found)]} | {
        "aggregations": _sums(found)
    }


def _bucket(entity: Entity, point: dict[str, Any]) -> Any:
    return {
        "bucket": point["timestampMillis"],
        "duration": (point.get("eventGranularity") or {}).get("unit"),
        "resource": entity.urn,
        "metrics": {
            **point,
            "users": [_user(one["user"], one["count"]) for one in point.get("userCounts") or ()],
            "fields": [
                {"fieldName": one["fieldPath"], "count": one["count"]}
                for one in point.get("fieldCounts") or ()
            ],
        },
    }


def _user(urn: str, count: int) -> Any:
    return {"user": urn, "count": count}


def _sums(found: list[dict[str, Any]]) -> Any:
    users: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    for point in found:
        for one in point.get("userCounts") or ():
            users[one["user"]] += one["count"]
        for one in point.get("fieldCounts") or ():
            fields[one["fieldPath"]] += one["count"]
    return {
        "uniqueUserCount": len(users),
        "totalSqlQueries": sum(point.get("totalSqlQueries") or 0 for point in found),
        "users": [_user(urn, count) for urn, count in users.most_common()],
        "fields": [{"fieldName": name, "count": count} for name, count in fields.most_common()],
    }


def _stats_summary(entity: Entity, _: Arguments) -> Any:
    since = {"startTimeMillis": entity.context.now - 30 * _DAY}
    usage = points(entity, "datasetUsageStatistics", since, 10_000)
    if not usage:
        return None
    sums = _sums(usage)
    return {
        "queryCountLast30Days": sums["totalSqlQueries"],
        "uniqueUserCountLast30Days": sums["uniqueUserCount"],
        "topUsersLast30Days": [one["user"] for one in sums["users"][:5]],
        "updateCountLast30Days": len(points(entity, "operation", since, 10_000)),
    }


def _report_operation(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn: str = given["urn"]
    require(context, urn)
    at = given.get("timestampMillis") or context.now
    value: dict[str, Any] = {
        "timestampMillis": context.now,
        "lastUpdatedTimestamp": at,
        "actor": context.actor,
        "operationType": given["operationType"],
        "sourceType": given["sourceType"],
    }
    for name in ("customOperationType", "numAffectedRows"):
        if given.get(name) is not None:
            value[name] = given[name]
    if given.get("customProperties"):
        value["customProperties"] = {
            item["key"]: item.get("value") or "" for item in given["customProperties"]
        }
    if given.get("partition"):
        value["partitionSpec"] = {"partition": given["partition"], "type": "PARTITION"}
    context.upsert(urn, "operation", value)
    return urn


ROOM = Room(
    schema="datasets.graphql",
    mutations={"reportOperation": _report_operation},
    fields={
        ("Dataset", "uri"): lambda dataset, _: dataset.aspect("datasetProperties").get("uri"),
        ("Dataset", "datasetProfiles"): _points("datasetProfile"),
        ("Dataset", "operations"): _points("operation"),
        ("Dataset", "latestFullTableProfile"): _latest_profile("FULL_TABLE"),
        ("Dataset", "latestPartitionProfile"): _latest_profile("PARTITION"),
        ("Dataset", "usageStats"): _usage,
        ("Dataset", "statsSummary"): _stats_summary,
        ("Dataset", "schema"): _schema,
        ("Entity", "schemaMetadata"): _schema,
        ("DatasetProperties", "created"): lambda source, _: (source.get("created") or {}).get(
            "time"
        ),
        ("DatasetProperties", "createdOn"): renamed("created"),
        ("Operation", "partition"): _partition,
        ("Schema", "platformSchema"): _platform_schema,
        ("SchemaMetadata", "platformSchema"): _platform_schema,
        ("SchemaField", "type"): _field_type,
        ("SchemaField", "tags"): renamed("globalTags"),
        ("SchemaField", "schemaFieldEntity"): _field_entity,
        ("SchemaFieldEntity", "schemaField"): _column,
        ("EditableSchemaFieldInfo", "tags"): renamed("globalTags"),
        ("ViewProperties", "logic"): renamed("viewLogic"),
        ("ViewProperties", "formattedLogic"): renamed("formattedViewLogic"),
        ("ViewProperties", "language"): renamed("viewLanguage"),
    },
)
