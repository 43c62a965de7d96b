"""The change log: metadata change logs, and entity change events by comparing old and new.

Bodies are plain JSON with the field names of `MetadataChangeLog.avsc` and `PlatformEvent.avsc`;
absent optional fields are left out. Aspects inside are JSON texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from dataspoke.local_hub.timeline.columns import COLUMN_DIFFERS
from dataspoke.local_hub.timeline.differ import DIFFERS
from dataspoke.local_hub.timeline.model import ChangeEvent
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
    differ = _DIFFERS.get(aspect_name)
    if differ is not None:
        for event in differ(urn, old or {}, new or {}):
            yield _told(urn, event)
        return
    generator = _GENERATORS.get(aspect_name)
    if generator is not None:
        yield from generator(urn, old or {}, new or {})


def has_change_events(aspect_name: str, *, is_key: bool) -> bool:
    """Whether a change of this aspect can make entity change events at all."""
    return is_key or aspect_name in _DIFFERS or aspect_name in _GENERATORS


def _told(urn: str, event: ChangeEvent) -> Change:
    """A change of a column's details is an event of the column."""
    change = _change(event.category, event.operation, event.modifier, event.parameters)
    if event.entity_urn != urn:
        change["entityType"] = "schemaField"
        change["entityUrn"] = event.entity_urn
    return change


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


def _status(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    # GMS does not look at what was before: each written status is one or the other.
    yield _change("LIFECYCLE", "SOFT_DELETE" if new.get("removed") else "REINSTATE")


def _deprecation(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    before, after = bool(old.get("deprecated")), bool(new.get("deprecated"))
    if before != after:
        status = "DEPRECATED" if after else "ACTIVE"
        yield _change("DEPRECATION", "MODIFY", status, {"status": status})


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


# Beside what the timeline tells; these aspects are no part of it.
_GENERATORS: dict[str, Callable[[str, Aspect, Aspect], Iterator[Change]]] = {
    "status": _status,
    "deprecation": _deprecation,
    "incidentInfo": _incident,
    "dataProcessInstanceRunEvent": _run,
    "assertionRunEvent": _assertion_run,
}
_DIFFERS = {
    name: differ
    for name, differ in {**DIFFERS, **COLUMN_DIFFERS}.items()
    # GMS tells of these in the timeline alone.
    if name not in ("glossaryRelatedTerms", "applications", "domainProperties")
}
