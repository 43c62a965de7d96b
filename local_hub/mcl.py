"""The change log: metadata change logs, and entity change events by comparing old and new.

Bodies are plain JSON with the field names of `MetadataChangeLog.avsc` and `PlatformEvent.avsc`;
absent optional fields are left out. Aspects inside are JSON texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from dataspoke.local_hub.transaction import Event

VERSIONED_TOPIC = "MetadataChangeLog_Versioned_v1"
TIMESERIES_TOPIC = "MetadataChangeLog_Timeseries_v1"
PLATFORM_TOPIC = "PlatformEvent_v1"
TOPICS = (VERSIONED_TOPIC, TIMESERIES_TOPIC, PLATFORM_TOPIC)

_JSON = "application/json"

Aspect = Mapping[str, Any]
Change = dict[str, Any]


def change_log(
    *,
    topic: str,
    entity_type: str,
    urn: str,
    change: str,
    aspect_name: str,
    value: str | None,
    meta: Mapping[str, Any] | None,
    previous_value: str | None,
    previous_meta: str | None,
    headers: Mapping[str, str] | None,
    actor: str,
    now: int,
) -> Event:
    """One MetadataChangeLog. `value` None is a deletion; `now` in UTC ms."""
    body: dict[str, Any] = {
        "entityType": entity_type,
        "entityUrn": urn,
        "changeType": change,
        "aspectName": aspect_name,
    }
    if value is not None:
        body["aspect"] = {"value": value, "contentType": _JSON}
    if meta is not None:
        body["systemMetadata"] = meta
    if headers:
        body["headers"] = headers
    if previous_value is not None:
        body["previousAspectValue"] = {"value": previous_value, "contentType": _JSON}
    if previous_meta is not None:
        body["previousSystemMetadata"] = orjson.Fragment(previous_meta)
    body["created"] = {"time": now, "actor": actor}
    return (topic, urn, now, orjson.dumps(body).decode())


def entity_change_event(
    entity_type: str, urn: str, change: Mapping[str, Any], *, actor: str, now: int
) -> Event:
    """A PlatformEvent that carries one entity change event."""
    payload = {
        "entityUrn": urn,
        "entityType": entity_type,
        **change,
        "auditStamp": {"actor": actor, "time": now},
        "version": 0,
    }
    value = orjson.dumps(orjson.dumps(payload).decode()).decode()
    body = (
        f'{{"header":{{"timestampMillis":{now}}},"name":"entityChangeEvent",'
        f'"payload":{{"value":{value},"contentType":"application/json"}}}}'
    )
    return (PLATFORM_TOPIC, urn, now, body)


def compare(
    urn: str, aspect_name: str, old: Aspect | None, new: Aspect | None, *, is_key: bool
) -> Iterator[Change]:
    """The entity change events that lead from `old` to `new`; None is an absent aspect."""
    if is_key:
        if old is None and new is not None:
            yield _change("LIFECYCLE", "CREATE")
        elif new is None:
            yield _change("LIFECYCLE", "HARD_DELETE")
        return
    generator = _GENERATORS.get(aspect_name)
    if generator is not None:
        yield from generator(urn, old or {}, new or {})


def has_change_events(aspect_name: str, *, is_key: bool) -> bool:
    """Whether a change of this aspect can make entity change events at all."""
    return is_key or aspect_name in _GENERATORS


def _change(
    category: str,
    operation: str,
    modifier: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Change:
    change: Change = {"category": category, "operation": operation}
    if modifier is not None:
        change["modifier"] = modifier
    if parameters:
        change["parameters"] = parameters
    return change


def _associations(
    category: str, items: str, key: str, parameters: Callable[[str, Aspect], Mapping[str, Any]]
) -> Callable[[str, Aspect, Aspect], Iterator[Change]]:
    """ADD and REMOVE for a list of records (or urns) that are told apart by `key`."""

    def keyed(aspect: Aspect) -> dict[str, Aspect]:
        found: dict[str, Aspect] = {}
        for item in aspect.get(items) or ():
            record = item if isinstance(item, Mapping) else {key: item}
            found[str(record.get(key))] = record
        return found

    def generate(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
        before, after = keyed(old), keyed(new)
        for name, item in before.items():
            if name not in after:
                yield _change(category, "REMOVE", name, parameters(name, item))
        for name, item in after.items():
            if name not in before:
                yield _change(category, "ADD", name, parameters(name, item))

    return generate


def _tag_parameters(tag: str, item: Aspect) -> Mapping[str, Any]:
    return {"tagUrn": tag, **({"context": item["context"]} if item.get("context") else {})}


def _owner_parameters(owner: str, item: Aspect) -> Mapping[str, Any]:
    parameters = {"ownerUrn": owner, "ownerType": item.get("type")}
    if item.get("typeUrn"):
        parameters["ownerTypeUrn"] = item["typeUrn"]
    return parameters


def _status(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    # GMS does not look at what was before: each written status is one or the other.
    yield _change("LIFECYCLE", "SOFT_DELETE" if new.get("removed") else "REINSTATE")


def _documentation(field: str) -> Callable[[str, Aspect, Aspect], Iterator[Change]]:
    def generate(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
        before, after = old.get(field) or "", new.get(field) or ""
        if before == after:
            return
        operation = "ADD" if not before else "REMOVE" if not after else "MODIFY"
        yield _change("DOCUMENTATION", operation, None, {"description": after or before})

    return generate


def _deprecation(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    before, after = bool(old.get("deprecated")), bool(new.get("deprecated"))
    if before != after:
        status = "DEPRECATED" if after else "ACTIVE"
        yield _change("DEPRECATION", "MODIFY", status, {"status": status})


def _schema_field_urn(urn: str, path: str) -> str:
    return f"urn:li:schemaField:({urn},{path})"


def _schema(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    before = {field["fieldPath"]: field for field in old.get("fields") or ()}
    after = {field["fieldPath"]: field for field in new.get("fields") or ()}
    for path in sorted({**before, **after}):
        previous, field = before.get(path), after.get(path)
        if field is None:
            yield _schema_change("REMOVE", urn, path, before[path])
        elif previous is None:
            yield _schema_change("ADD", urn, path, field)
        elif previous.get("nativeDataType") != field.get("nativeDataType"):
            yield _schema_change("MODIFY", urn, path, field)
        yield from _field_details(urn, path, previous or {}, field or {})


def _schema_change(operation: str, urn: str, path: str, field: Aspect) -> Change:
    field_urn = _schema_field_urn(urn, path)
    parameters = {
        "fieldPath": path,
        "fieldUrn": field_urn,
        "nullable": bool(field.get("nullable")),
    }
    return _change("TECHNICAL_SCHEMA", operation, field_urn, parameters)


def _editable_schema(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    before = {field["fieldPath"]: field for field in old.get("editableSchemaFieldInfo") or ()}
    after = {field["fieldPath"]: field for field in new.get("editableSchemaFieldInfo") or ()}
    for path in {**before, **after}:
        yield from _field_details(urn, path, before.get(path, {}), after.get(path, {}))


def _field_details(urn: str, path: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    field_urn = _schema_field_urn(urn, path)
    for name, generate in (("globalTags", _TAGS), ("glossaryTerms", _TERMS)):
        before, after = old.get(name), new.get(name)
        if before != after:
            for change in generate(urn, before or {}, after or {}):
                yield {**change, "parameters": {**change["parameters"], "fieldPath": path}}
    # The description of a column is a change of the column, not of its dataset.
    for change in _DESCRIPTION(urn, old, new):
        yield {**change, "entityType": "schemaField", "entityUrn": field_urn}


def _structured_properties(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    before = {item["propertyUrn"]: item.get("values") for item in old.get("properties") or ()}
    after = {item["propertyUrn"]: item.get("values") for item in new.get("properties") or ()}
    for name in {**before, **after}:
        if before.get(name) == after.get(name):
            continue
        operation = "ADD" if name not in before else "REMOVE" if name not in after else "MODIFY"
        values = orjson.dumps(after.get(name) or before.get(name)).decode()
        parameters = {"propertyUrn": name, "propertyValues": values}
        yield _change("STRUCTURED_PROPERTY", operation, name, parameters)


def _incident(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    before = (old.get("status") or {}).get("state")
    after = (new.get("status") or {}).get("state")
    if after is not None and before != after:
        parameters = {"entities": new.get("entities") or [], "state": after}
        yield _change("INCIDENT", after, None, parameters)


def _run(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    operation = {"STARTED": "STARTED", "COMPLETE": "COMPLETED"}.get(str(new.get("status")))
    if operation is None:
        return
    parameters: dict[str, Any] = {"attempt": new.get("attempt", 1)}
    result = (new.get("result") or {}).get("type")
    if result:
        parameters["runResult"] = result
    yield _change("RUN", operation, None, parameters)


def _assertion_run(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    if new.get("status") != "COMPLETE":
        return
    result = (new.get("result") or {}).get("type")
    parameters = {
        "runResult": result,
        "runId": new.get("runId"),
        "asserteeUrn": new.get("asserteeUrn"),
    }
    yield _change("RUN", "COMPLETED", None, parameters)


_TAGS = _associations("TAG", "tags", "tag", _tag_parameters)
_TERMS = _associations("GLOSSARY_TERM", "terms", "urn", lambda urn, _: {"termUrn": urn})
_DESCRIPTION = _documentation("description")

_GENERATORS: dict[str, Callable[[str, Aspect, Aspect], Iterator[Change]]] = {
    "globalTags": _TAGS,
    "glossaryTerms": _TERMS,
    "ownership": _associations("OWNER", "owners", "owner", _owner_parameters),
    "domains": _associations("DOMAIN", "domains", "domain", lambda urn, _: {"domainUrn": urn}),
    "status": _status,
    "deprecation": _deprecation,
    "schemaMetadata": _schema,
    "editableSchemaMetadata": _editable_schema,
    "datasetProperties": _DESCRIPTION,
    "editableDatasetProperties": _DESCRIPTION,
    "glossaryTermInfo": _documentation("definition"),
    "structuredProperties": _structured_properties,
    "incidentInfo": _incident,
    "dataProcessInstanceRunEvent": _run,
    "assertionRunEvent": _assertion_run,
}
