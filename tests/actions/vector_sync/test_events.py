"""From the framework's events to ours."""

from __future__ import annotations

import json

import pytest
from datahub.metadata.schema_classes import (
    AuditStampClass,
    GenericAspectClass,
    MetadataChangeLogClass,
    SystemMetadataClass,
)
from datahub_actions.event.event_registry import MetadataChangeLogEvent

from dataspoke.actions.vector_sync.events import MCL_TYPE, change_event, excerpt
from dataspoke.core.errors import SkippableError

TAG = "urn:li:tag:pii"


def log(**fields: object) -> MetadataChangeLogEvent:
    values: dict[str, object] = {
        "entityType": "tag",
        "changeType": "UPSERT",
        "entityUrn": TAG,
        "aspectName": "tagProperties",
        "aspect": GenericAspectClass(
            value=json.dumps({"name": "PII"}).encode(), contentType="application/json"
        ),
    }
    return MetadataChangeLogEvent.from_class(
        MetadataChangeLogClass(**(values | fields))  # type: ignore[arg-type]
    )


def test_a_change_carries_what_decisions_need() -> None:
    event = change_event(
        MCL_TYPE,
        log(
            systemMetadata=SystemMetadataClass(runId="run-1"),
            created=AuditStampClass(time=7, actor="urn:li:corpuser:ann"),
            previousAspectValue=GenericAspectClass(value=b"{}", contentType="application/json"),
        ),
    )
    assert event is not None
    assert (event.entity_type, event.urn, event.aspect) == ("tag", TAG, "tagProperties")
    assert (event.run_id, event.actor, event.created_ms) == ("run-1", "urn:li:corpuser:ann", 7)
    assert event.value == {"name": "PII"}
    assert event.previous == {}


def test_a_person_has_no_run_id() -> None:
    for system in (None, SystemMetadataClass(), SystemMetadataClass(runId="no-run-id-provided")):
        event = change_event(MCL_TYPE, log(systemMetadata=system))
        assert event is not None
        assert event.run_id == ""


def test_a_value_is_parsed_only_when_it_is_asked_for() -> None:
    broken = GenericAspectClass(value=b"{", contentType="application/json")
    event = change_event(MCL_TYPE, log(aspect=broken))
    assert event is not None
    with pytest.raises(SkippableError, match="no JSON"):
        _ = event.value


def test_a_deleted_aspect_has_no_value() -> None:
    event = change_event(MCL_TYPE, log(changeType="DELETE", aspect=None))
    assert event is not None
    assert event.value is None


def test_events_of_other_types_are_none() -> None:
    assert change_event("EntityChangeEvent_v1", object()) is None


@pytest.mark.parametrize("missing", ["entityUrn", "aspectName"])
def test_a_change_of_nothing_is_skippable(missing: str) -> None:
    with pytest.raises(SkippableError, match=f"it has no {missing}"):
        change_event(MCL_TYPE, log(**{missing: None}))


def test_what_is_no_change_at_all_is_skippable() -> None:
    with pytest.raises(SkippableError, match="Cannot read a change event"):
        change_event(MCL_TYPE, object())


def test_a_dead_letter_keeps_an_excerpt() -> None:
    kept = excerpt(log(entityUrn="urn:li:tag:" + "x" * 2000))
    assert kept["aspectName"] == "tagProperties"
    assert len(kept["entityUrn"]) == 500
    assert excerpt(object())["entityUrn"] == "None"
