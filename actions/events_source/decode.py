"""From a value of the poll API to the events that actions get.

The value is Avro's JSON: unions are wrapped in the name of their branch, and bytes are a string
with one character per byte, so UTF-8 text in them has to be turned back. The stock source does
not do that, and what is outside ASCII reaches actions garbled through it.

The change log's event is put together by hand, ten times faster than through the schema; what it
holds, and what `as_json` gives, is the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from datahub.metadata.schema_classes import (
    AuditStampClass,
    ChangeTypeClass,
    GenericAspectClass,
    SystemMetadataClass,
)
from datahub_actions.event.event import Event
from datahub_actions.event.event_registry import (
    ENTITY_CHANGE_EVENT_V1_TYPE,
    METADATA_CHANGE_LOG_EVENT_V1_TYPE,
    RELATIONSHIP_CHANGE_EVENT_V1_TYPE,
    EntityChangeEvent,
    MetadataChangeLogEvent,
    RelationshipChangeEvent,
)

from dataspoke.actions.events_source.config import PLATFORM_EVENT_TOPIC
from dataspoke.actions.events_source.early_filter import EarlyFilter
from dataspoke.core.errors import SkippableError

_PLATFORM_EVENTS: dict[str, tuple[str, type[Event]]] = {
    "entityChangeEvent": (ENTITY_CHANGE_EVENT_V1_TYPE, EntityChangeEvent),
    "relationshipChangeEvent": (RELATIONSHIP_CHANGE_EVENT_V1_TYPE, RelationshipChangeEvent),
}
_CHANGE_TYPES = frozenset(value for name, value in vars(ChangeTypeClass).items() if name.isupper())


def decode(topic: str, value: Any, wanted: EarlyFilter) -> tuple[str, Event] | None:
    """The event's type and the event; None for one that nobody wants.

    Raises SkippableError when `value` is no event of that topic.
    """
    try:
        record = json.loads(value)
        if topic == PLATFORM_EVENT_TOPIC:
            return _platform_event(record, wanted)
        return _change_log_event(record, wanted)
    except Exception as exc:  # a record of an unknown shape can fail anywhere in the models
        raise SkippableError(
            f"Cannot read an event of {topic}: {type(exc).__name__}: {exc}. "
            "See whether DataHub is newer than the installed acryl-datahub-actions."
        ) from exc


def _platform_event(record: Mapping[str, Any], wanted: EarlyFilter) -> tuple[str, Event] | None:
    known = _PLATFORM_EVENTS.get(record["name"])
    if known is None or not wanted.may_want_type(known[0]):
        return None
    event_type, event_class = known
    text = _bytes(record["payload"]["value"]).decode()
    if wanted.rules and not wanted.may_want(event_type, json.loads(text)):
        return None
    return event_type, event_class.from_json(text)


def _change_log_event(record: Mapping[str, Any], wanted: EarlyFilter) -> tuple[str, Event] | None:
    fields = {
        "entityType": _string(record["entityType"]),
        "entityUrn": _optional(record, "entityUrn"),
        "changeType": record["changeType"],
        "aspectName": _optional(record, "aspectName"),
    }
    if fields["changeType"] not in _CHANGE_TYPES:
        raise ValueError(f"unknown changeType {fields['changeType']!r}")
    if not wanted.may_want(METADATA_CHANGE_LOG_EVENT_V1_TYPE, fields):
        return None
    event = MetadataChangeLogEvent.__new__(MetadataChangeLogEvent)
    event._inner_dict = {
        "auditHeader": None,
        "entityType": fields["entityType"],
        "entityUrn": fields["entityUrn"],
        "entityKeyAspect": _aspect(record, "entityKeyAspect"),
        "changeType": fields["changeType"],
        "aspectName": fields["aspectName"],
        "aspect": _aspect(record, "aspect"),
        "systemMetadata": _system_metadata(record, "systemMetadata"),
        "headers": _string_map(record, "headers"),
        "previousAspectValue": _aspect(record, "previousAspectValue"),
        "previousSystemMetadata": _system_metadata(record, "previousSystemMetadata"),
        "created": _audit_stamp(record, "created"),
    }
    return METADATA_CHANGE_LOG_EVENT_V1_TYPE, event


def _bytes(text: str) -> bytes:
    """Bytes from Avro's JSON. A server that writes plain UTF-8 instead is understood too."""
    if text.isascii():
        return text.encode("ascii")
    try:
        raw = text.encode("latin-1")
        raw.decode()
    except UnicodeError:
        return text.encode()
    return raw


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a string was expected, not {type(value).__name__}")
    return value


def _unwrapped(record: Mapping[str, Any], name: str) -> Any:
    """A union's value without the name of its branch; None when it is absent or null."""
    value = record.get(name)
    if isinstance(value, dict) and len(value) == 1:
        (branch,) = value
        if branch in _BRANCHES:
            return value[branch]
    return value


_BRANCHES = frozenset(
    {
        "string",
        "long",
        "int",
        "map",
        *(
            f"com.linkedin.{package}{name}"
            for package in ("pegasus2avro.", "")
            for name in ("mxe.GenericAspect", "mxe.SystemMetadata", "common.AuditStamp")
        ),
    }
)


def _optional(record: Mapping[str, Any], name: str) -> str | None:
    value = _unwrapped(record, name)
    return None if value is None else _string(value)


def _optional_int(record: Mapping[str, Any], name: str) -> int | None:
    value = _unwrapped(record, name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError(f"{name}: a number was expected, not {type(value).__name__}")
    return value


def _string_map(record: Mapping[str, Any], name: str) -> dict[str, str] | None:
    value = record.get(name)
    # A plain map's values are strings, so {"map": {...}} can only be the wrapped form.
    if isinstance(value, dict) and isinstance(value.get("map"), dict):
        value = value["map"]
    if value is None:
        return None
    return {_string(key): _string(item) for key, item in value.items()}


def _aspect(record: Mapping[str, Any], name: str) -> GenericAspectClass | None:
    value = _unwrapped(record, name)
    if value is None:
        return None
    return GenericAspectClass(
        value=_bytes(value["value"]), contentType=_string(value["contentType"])
    )


def _audit_stamp(record: Mapping[str, Any], name: str) -> AuditStampClass | None:
    value = _unwrapped(record, name)
    if value is None:
        return None
    time = _optional_int(value, "time")
    if time is None:
        raise ValueError(f"{name} has no time")
    return AuditStampClass(
        time=time,
        actor=_string(value["actor"]),
        impersonator=_optional(value, "impersonator"),
        message=_optional(value, "message"),
    )


def _system_metadata(record: Mapping[str, Any], name: str) -> SystemMetadataClass | None:
    value = _unwrapped(record, name)
    if value is None:
        return None
    return SystemMetadataClass(
        lastObserved=_optional_int(value, "lastObserved"),
        runId=_optional(value, "runId"),
        lastRunId=_optional(value, "lastRunId"),
        pipelineName=_optional(value, "pipelineName"),
        registryName=_optional(value, "registryName"),
        registryVersion=_optional(value, "registryVersion"),
        properties=_string_map(value, "properties"),
        version=_optional(value, "version"),
        schemaVersion=_optional_int(value, "schemaVersion"),
        aspectCreated=_audit_stamp(value, "aspectCreated"),
        aspectModified=_audit_stamp(value, "aspectModified"),
    )
