"""Whatever the early filter drops, the pipeline's own filters would have dropped."""

from __future__ import annotations

from typing import Any

import pytest
from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.pipeline.pipeline_context import PipelineContext
from datahub_actions.plugin.filter.event_type_filter import EventTypeFilter
from hypothesis import given, settings
from hypothesis import strategies as st

from dataspoke.actions.events_source.decode import decode
from dataspoke.actions.events_source.early_filter import EarlyFilter
from dataspoke.local_hub.transports.avro import MCL_TOPIC, to_avro_json

MCL = "MetadataChangeLogEvent_v1"
ECE = "EntityChangeEvent_v1"
CONTEXT = PipelineContext("p", None)


def event_filter(spec: dict[str, Any]) -> EventTypeFilter:
    made = EventTypeFilter.create({"filter": spec}, CONTEXT)
    assert isinstance(made, EventTypeFilter)
    return made


DATASET = {"entityType": "dataset", "aspectName": "status", "changeType": "UPSERT"}


@pytest.mark.parametrize(
    ("spec", "passes"),
    [
        ({MCL: None}, True),
        ({MCL: {}}, True),
        ({MCL: {"event": []}}, False),
        ({ECE: None}, False),
        ({MCL: {"event": [{"entityType": "dataset"}]}}, True),
        ({MCL: {"event": [{"entityType": "chart"}]}}, False),
        ({MCL: {"event": [{"entityType": "chart"}, {"aspectName": ["a", "status"]}]}}, True),
        ({MCL: {"event": [{"entityType": "dataset", "aspectName": "ownership"}]}}, False),
        ({MCL: {"event": [{"entityUrn": None}]}}, True),
        ({MCL: {"event": [{"entityUrn": ["x"]}]}}, False),
    ],
)
def test_what_is_certain_is_decided(spec: dict[str, Any], passes: bool) -> None:
    assert EarlyFilter.of([event_filter(spec)]).may_want(MCL, DATASET) is passes


def test_what_needs_the_aspect_is_left_to_the_pipeline() -> None:
    spec = {MCL: {"event": [{"entityType": "dataset", "aspect": {"value": {"removed": True}}}]}}
    assert EarlyFilter.of([event_filter(spec)]).may_want(MCL, DATASET)


def test_all_filters_must_let_it_pass() -> None:
    both = EarlyFilter.of([event_filter({MCL: None}), event_filter({ECE: None})])
    assert not both.may_want_type(MCL)
    assert not both.may_want(MCL, DATASET)


def test_a_derived_filter_is_left_to_the_pipeline() -> None:
    class Derived(EventTypeFilter):
        def matches(self, event: EventEnvelope) -> bool:
            return True

    derived = Derived(event_filter({ECE: None}).config)
    assert EarlyFilter.of([derived]) == EarlyFilter()


VALUES = st.sampled_from(["dataset", "chart", "status", "ownership", "UPSERT", "DELETE"])
FIELD = st.sampled_from(["entityType", "aspectName", "changeType", "entityUrn", "aspect"])
WANTED = st.none() | VALUES | st.lists(VALUES, max_size=2) | st.just({"contentType": "a"})
PREDICATES = st.lists(st.dictionaries(FIELD, WANTED, max_size=3), max_size=2)
SPECS = st.dictionaries(
    st.sampled_from([MCL, ECE]), st.none() | st.fixed_dictionaries({"event": PREDICATES})
)


@settings(max_examples=300, deadline=None)
@given(
    specs=st.lists(SPECS, min_size=1, max_size=2),
    entity_type=VALUES,
    aspect_name=st.none() | VALUES,
    change_type=st.sampled_from(["UPSERT", "DELETE"]),
    has_aspect=st.booleans(),
)
def test_nothing_is_dropped_that_the_pipeline_would_keep(
    specs: list[dict[str, Any]],
    entity_type: str,
    aspect_name: str | None,
    change_type: str,
    has_aspect: bool,
) -> None:
    filters = [event_filter(spec) for spec in specs]
    record: dict[str, Any] = {"entityType": entity_type, "changeType": change_type}
    record |= {"aspectName": aspect_name}
    if has_aspect:
        record["aspect"] = {"value": "{}", "contentType": "a"}
    value = to_avro_json(MCL_TOPIC, record)
    whole = decode(MCL_TOPIC, value, EarlyFilter())
    assert whole is not None
    kept = all(f.matches(EventEnvelope(whole[0], whole[1], {})) for f in filters)
    early = decode(MCL_TOPIC, value, EarlyFilter.of(filters))
    assert early is not None or not kept
    only_early_fields = all(
        spec.get(MCL) is None or all("aspect" not in p for p in spec[MCL]["event"])
        for spec in specs
    )
    if only_early_fields:
        assert (early is not None) == kept
