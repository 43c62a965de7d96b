"""Assertions: define custom ones, report their results, and read those of an asset."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from dataspoke.local_hub import reads
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.pages import given_only, sliced
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.relationships import Ends, scroll
from dataspoke.local_hub.urns import Urn

_MOST_ASSERTIONS = 10_000
_MOST_RUNS = 100
_UNKNOWN_PLATFORM = "urn:li:dataPlatform:unknown"
# Members of AssertionInfo that say what is asserted; each names its asset.
_KINDS = {
    "datasetAssertion": "dataset",
    "freshnessAssertion": "entity",
    "volumeAssertion": "entity",
    "sqlAssertion": "entity",
    "fieldAssertion": "entity",
    "schemaAssertion": "entity",
    "customAssertion": "entity",
}


def assertee_of(info: Mapping[str, Any]) -> str | None:
    """The urn of the asset that an `assertionInfo` is about."""
    for kind, place in _KINDS.items():
        if info.get(kind):
            return str(info[kind][place])
    return info.get("entityUrn")


def _field_urns(given: Arguments) -> list[str]:
    paths = given.get("fieldPaths") or ([given["fieldPath"]] if given.get("fieldPath") else [])
    if any(not path.strip() for path in paths):
        raise BadRequest(
            "Failed to upsert Custom Assertion. fieldPaths must not contain blank entries; "
            "omit fieldPaths for dataset-level assertions."
        )
    return [f"urn:li:schemaField:({given['entityUrn']},{path})" for path in paths]


def _platform(given: Mapping[str, Any]) -> str:
    if given.get("urn"):
        return str(given["urn"])
    if given.get("name"):
        return f"urn:li:dataPlatform:{given['name']}"
    raise BadRequest(
        "Failed to upsert Custom Assertion. Platform Name or Platform Urn must be specified."
    )


def _upsert_custom(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    urn = arguments.get("urn") or f"urn:li:assertion:{uuid.uuid4()}"
    fields = _field_urns(given)
    parameters = given.get("parameters")
    native = given.get("nativeParameters")
    custom = {
        "type": given["type"],
        "entity": given["entityUrn"],
        "field": fields[0] if fields else None,
        "fields": fields or None,
        "parameters": None if parameters is None else given_only(parameters),
        "nativeParameters": None if native is None else _texts(native),
        **{
            name: given.get(name)
            for name in ("scope", "aggregation", "operator", "nativeType", "logic")
        },
    }
    info = {
        "type": "CUSTOM",
        "description": given["description"],
        "externalUrl": given.get("externalUrl"),
        "source": {"type": "EXTERNAL"},
        "customAssertion": given_only(custom),
    }
    platform = {"platform": _platform(given["platform"])}
    context.write(
        [
            (urn, "assertionInfo", "UPSERT", given_only(info)),
            (urn, "dataPlatformInstance", "UPSERT", platform),
        ]
    )
    return context.loader.entity(urn)


def _texts(entries: list[Mapping[str, Any]]) -> dict[str, str]:
    return {entry["key"]: entry.get("value") or "" for entry in entries}


def _report(context: Context, arguments: Arguments) -> bool:
    urn, given = arguments["urn"], arguments["result"]
    asset = assertee_of(context.value(urn, "assertionInfo") or {})
    if asset is None:
        raise BadRequest(
            f"Failed to report Assertion Run Event. Assertion with urn {urn} does not exist or "
            "is not associated with any entity."
        )
    at = given.get("timestampMillis")
    at = context.now if at is None else at
    result = {"type": given["type"], "externalUrl": given.get("externalUrl")}
    if given.get("properties") is not None:
        result["nativeResults"] = _texts(given["properties"])
    if given["type"] == "ERROR" and given.get("error"):
        error = given["error"]
        result["error"] = {"type": error["type"], "properties": {"message": error["message"]}}
    if given["type"] == "FAILURE":
        result["severity"] = given.get("severity")
    event = {
        "timestampMillis": at,
        "runId": str(at),
        "assertionUrn": urn,
        "asserteeUrn": asset,
        "status": "COMPLETE",
        "result": given_only(result),
    }
    context.upsert(urn, "assertionRunEvent", event)
    return True


def _delete(context: Context, arguments: Arguments) -> bool:
    remove_entity(context, arguments["urn"])
    return True


def _assertions_of(entity: Entity, arguments: Arguments) -> dict[str, Any]:
    context = entity.context
    ends = Ends(destinations=[entity.urn])
    edges, _ = scroll(context.index, ends, ["Asserts"], None, _MOST_ASSERTIONS, removed=True)
    found = context.loader.many(sorted({edge.source for edge in edges}))
    if not arguments.get("includeSoftDeleted"):
        found = [one for one in found if not one.aspect("status").get("removed")]
    return sliced(found, "assertions", arguments, 200)


def _run_events(entity: Entity, arguments: Arguments) -> dict[str, Any]:
    conditions = list((arguments.get("filter") or {}).get("and") or ())
    if arguments.get("status"):
        conditions.append({"field": "status", "values": [arguments["status"]]})
    limit = arguments.get("limit")
    points = reads.timeseries(
        entity.context.hub.store,
        entity.urn,
        "assertionRunEvent",
        limit=_MOST_RUNS if limit is None else limit,
        start=arguments.get("startTimeMillis"),
        end=arguments.get("endTimeMillis"),
        conditions={"or": [{"and": conditions}]} if conditions else None,
    )
    events = [
        {**orjson.loads(point.value), "lastObservedMillis": _last_observed(point.meta)}
        for point in points
    ]
    results = [(event.get("result") or {}).get("type") for event in events]
    return {
        "total": len(events),
        "failed": results.count("FAILURE"),
        "succeeded": results.count("SUCCESS"),
        "errored": results.count("ERROR"),
        "runEvents": events,
    }


def _last_observed(meta: str) -> int | None:
    at = orjson.loads(meta).get("lastObserved")
    return None if at is None else int(at)


def _column(urn: str | None) -> dict[str, str] | None:
    return None if urn is None else {"urn": urn, "path": Urn.parse(urn).parts[1]}


def _columns(urns: list[str] | None) -> list[dict[str, str] | None]:
    return [_column(urn) for urn in urns or ()]


def _named(name: str) -> Callable[[Part, Arguments], Any]:
    return lambda part, _: part.get(name)


def _custom_fields(part: Part, _: Arguments) -> list[dict[str, str] | None]:
    return _columns(part.get("fields") or ([part["field"]] if part.get("field") else []))


def _expected_columns(part: Part, _: Arguments) -> list[dict[str, Any]]:
    return [
        {
            "path": column["fieldPath"],
            "type": column.get("type"),
            "nativeType": column.get("nativeDataType"),
        }
        for column in part["schema"].get("fields") or ()
    ]


def _actions(assertion: Entity, _: Arguments) -> dict[str, Any] | None:
    actions = assertion.aspect("assertionActions")
    if not actions:
        return None
    return {name: actions.get(name) or [] for name in ("onSuccess", "onFailure")}


ROOM = Room(
    schema="assertions.graphql",
    mutations={
        "upsertCustomAssertion": _upsert_custom,
        "reportAssertionResult": _report,
        "deleteAssertion": _delete,
    },
    fields={
        ("Dataset", "assertions"): _assertions_of,
        ("DataJob", "assertions"): _assertions_of,
        ("Assertion", "runEvents"): _run_events,
        ("Assertion", "info"): lambda assertion, _: assertion.aspect("assertionInfo") or None,
        ("Assertion", "dataset"): lambda assertion, _: assertee_of(
            assertion.aspect("assertionInfo")
        ),
        ("Assertion", "platform"): lambda assertion, _: (
            assertion.aspect("dataPlatformInstance").get("platform") or _UNKNOWN_PLATFORM
        ),
        ("Assertion", "actions"): _actions,
        ("AssertionInfo", "note"): lambda info, _: (info.get("note") or {}).get("content"),
        ("AssertionInfo", "entityUrn"): lambda info, _: assertee_of(info),
        ("DatasetAssertionInfo", "datasetUrn"): _named("dataset"),
        ("DatasetAssertionInfo", "fields"): lambda part, _: _columns(part.get("fields")),
        ("DatasetAssertionInfo", "nativeParameters"): lambda part, _: (
            part.get("nativeParameters") or {}
        ),
        **{
            (f"{kind}AssertionInfo", "entityUrn"): _named("entity")
            for kind in ("Freshness", "Volume", "Sql", "Field", "Schema", "Custom")
        },
        ("SchemaAssertionInfo", "fields"): _expected_columns,
        ("CustomAssertionInfo", "field"): lambda part, _: _column(part.get("field")),
        ("CustomAssertionInfo", "fields"): _custom_fields,
    },
)
