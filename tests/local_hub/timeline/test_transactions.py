from __future__ import annotations

import json
from typing import Any

import pytest

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.timeline import read_category, schema_blame, schema_versions
from dataspoke.local_hub.timeline.history import Version
from dataspoke.local_hub.timeline.transactions import json_diff, transactions

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
ACTOR = "urn:li:corpuser:ann"


def _kept(*values: tuple[int, Any]) -> list[Version]:
    """Versions by time; the last one is the latest."""
    last = len(values)
    return [
        Version(number % last, at, ACTOR, json.dumps(value))
        for number, (at, value) in enumerate(values, start=1)
    ]


def _schema(*paths: str) -> dict[str, Any]:
    return {"fields": [{"fieldPath": p, "nativeDataType": p} for p in paths]}


def _text(text: str) -> dict[str, Any]:
    return {"description": text}


ALL = ("DOCUMENTATION", "TECHNICAL_SCHEMA")
KEPT = {
    "datasetKey": _kept((10, {})),
    "schemaMetadata": _kept((10, _schema("a")), (20, _schema("a", "b")), (40, _schema("a"))),
    "datasetProperties": _kept((20, _text("x")), (30, _text("y"))),
}


def test_changes_of_one_moment_are_one_transaction() -> None:
    found = transactions(URN, "dataset", ALL, KEPT)
    assert [(moment.at, moment.version, moment.severity) for moment in found] == [
        (10, "0.0.0-computed", "MINOR"),
        (20, "0.1.0-computed", "MINOR"),
        (30, "0.2.0-computed", "MINOR"),
        (40, "1.0.0-computed", "MAJOR"),
    ]
    assert [len(moment.events) for moment in found] == [1, 2, 1, 1]
    assert found[0].actor == ACTOR


def test_a_stamp_names_the_version_of_each_aspect_at_that_moment() -> None:
    found = transactions(URN, "dataset", ("TECHNICAL_SCHEMA",), KEPT)
    assert [moment.stamp for moment in found] == [
        "datasetKey:0;schemaMetadata:1",
        "datasetKey:0;datasetProperties:1;schemaMetadata:2",
        "datasetKey:0;datasetProperties:0;schemaMetadata:0",
    ]


def test_a_range_of_time_still_compares_with_what_was_before() -> None:
    (moment,) = transactions(URN, "dataset", ("DOCUMENTATION",), KEPT, start=25, end=35)
    assert [event.operation for event in moment.events] == ["MODIFY"]
    assert transactions(URN, "dataset", ALL, KEPT, start=41) == []


def test_a_small_change_counts_up_the_last_part() -> None:
    links = [{"elements": [{"url": "u", "description": text}]} for text in ("a", "b")]
    kept = {"institutionalMemory": _kept((1, links[0]), (2, links[1]))}
    found = transactions(URN, "dataset", ("DOCUMENTATION",), kept)
    assert [moment.version for moment in found] == ["0.0.0-computed", "0.0.1-computed"]


def test_a_moment_without_an_event_is_not_told() -> None:
    kept = {"datasetProperties": _kept((1, _text("x")), (2, {**_text("x"), "name": "n"}))}
    assert len(transactions(URN, "dataset", ("DOCUMENTATION",), kept)) == 1


def test_the_raw_difference_comes_when_asked_for() -> None:
    first, second = transactions(URN, "dataset", ("DOCUMENTATION",), KEPT, raw=True)
    assert first.as_json(raw=True)["rawDiff"] == [
        {"op": "add", "path": "/description", "value": "x"}
    ]
    assert second.raw == [{"op": "replace", "path": "/description", "value": "y"}]
    assert "rawDiff" not in first.as_json()


def test_a_difference_names_the_deepest_place() -> None:
    old, new = {"a": {"x/y": 1, "z": 1}, "b": [1]}, {"a": {"x/y": 2}, "b": [2]}
    assert json_diff(old, new) == [
        {"op": "replace", "path": "/a/x~1y", "value": 2},
        {"op": "remove", "path": "/a/z"},
        {"op": "replace", "path": "/b", "value": [2]},
    ]


def test_entities_without_a_timeline_are_refused() -> None:
    with pytest.raises(BadRequest, match="Entity Type chart not supported"):
        transactions("urn:li:chart:(looker,1)", "chart", ALL, {})


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("tag", "TAG"),
        ("owner", "OWNERSHIP"),
        ("technical schema", "TECHNICAL_SCHEMA"),
        ("glossary-term", "GLOSSARY_TERM"),
    ],
)
def test_categories_are_read_in_any_spelling(text: str, category: str) -> None:
    assert read_category(text) == category


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(BadRequest, match="COLOUR"):
        read_category("COLOUR")


def test_columns_go_back_to_their_last_change() -> None:
    found = transactions(URN, "dataset", ("TECHNICAL_SCHEMA",), KEPT)
    blame = schema_blame(found)
    assert blame is not None
    assert blame["version"]["semanticVersion"] == "1.0.0"
    (column,) = blame["schemaFieldBlameList"]
    assert (column["fieldPath"], column["schemaFieldChange"]["lastSchemaFieldChange"]) == (
        "a",
        "Added in v0.0.0",
    )
    earlier = schema_blame(found, "0.1.0")
    assert earlier is not None
    assert {c["fieldPath"] for c in earlier["schemaFieldBlameList"]} == {"a", "b"}
    assert schema_blame([]) is None


def test_schema_versions_are_the_newest_first() -> None:
    found = transactions(URN, "dataset", ("TECHNICAL_SCHEMA",), KEPT)
    assert [point.version for point in schema_versions(found)] == ["1.0.0", "0.1.0", "0.0.0"]
