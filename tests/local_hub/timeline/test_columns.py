from __future__ import annotations

from typing import Any

import pytest

from dataspoke.local_hub.timeline.columns import COLUMN_DIFFERS, column_urn

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
V2 = "[version=2.0].[type=struct]."


def _schema(*fields: Any, keys: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"fields": list(fields), "primaryKeys": list(keys)}


def _field(path: str, native: str = "int", **more: Any) -> dict[str, Any]:
    return {"fieldPath": path, "nativeDataType": native, **more}


def _tagged(path: str, tag: str) -> dict[str, Any]:
    return {"fieldPath": path, "globalTags": {"tags": [{"tag": tag}]}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (_schema(), _schema(_field("b"), _field("a")), ["ADD OTHER a", "ADD OTHER b"]),
        (_schema(_field("a")), _schema(_field("a", "text")), ["MODIFY TYPE_CHANGE a"]),
        (_schema(_field("a")), _schema(_field("b")), ["MODIFY RENAME a"]),
        (_schema(_field("b")), _schema(_field("a")), ["MODIFY RENAME b"]),
        (_schema(_field("a")), _schema(_field("b", "text")), ["REMOVE OTHER a", "ADD OTHER b"]),
        (_schema(_field("x.a")), _schema(_field("y.b")), ["REMOVE OTHER x.a", "ADD OTHER y.b"]),
        (
            _schema(_field("a", description="one")),
            _schema(_field("b", description="two")),
            ["REMOVE OTHER a", "ADD OTHER b"],
        ),
        # Of two that may be the same column, the first in order is.
        (
            _schema(_field("a")),
            _schema(_field("c"), _field("b")),
            ["MODIFY RENAME a", "ADD OTHER c"],
        ),
        (
            _schema(_field("a"), keys=("a",)),
            _schema(_field("a"), keys=("b",)),
            ["MODIFY OTHER a", "MODIFY OTHER b"],
        ),
    ],
)
def test_columns_come_go_and_change_their_names(old: Any, new: Any, told: list[str]) -> None:
    told_of_all = COLUMN_DIFFERS["schemaMetadata"](URN, old, new)
    events = [event for event in told_of_all if event.category == "TECHNICAL_SCHEMA"]
    parameters = [event.parameters or {} for event in events]
    assert [
        f"{event.operation} {more['modificationCategory']} {more['fieldPath']}"
        for event, more in zip(events, parameters, strict=True)
    ] == told


def test_only_what_breaks_readers_is_major() -> None:
    differ = COLUMN_DIFFERS["schemaMetadata"]
    gone = list(differ(URN, _schema(_field("a")), _schema()))
    come = list(differ(URN, _schema(), _schema(_field("a"))))
    assert [event.severity for event in gone + come] == ["MAJOR", "MINOR"]


def test_a_column_is_named_without_the_types_in_its_path() -> None:
    path = f"{V2}[type=string].name"
    (event,) = COLUMN_DIFFERS["schemaMetadata"](URN, {}, _schema(_field(path, nullable=True)))
    assert event.description.endswith("newly added field 'name'.")
    assert event.modifier == column_urn(URN, path)
    assert (event.parameters or {})["nullable"] is True


def test_what_is_said_of_a_column_is_told_of_the_column() -> None:
    old = _schema(_field("a", description="old"))
    new = _schema(_field("a", description="new", **_tagged("a", "urn:li:tag:t")))
    described, tagged = COLUMN_DIFFERS["schemaMetadata"](URN, old, new)
    where = {"fieldPath": "a", "parentUrn": URN}
    assert described.entity_urn == tagged.entity_urn == column_urn(URN, "a")
    assert described.parameters == {
        "description": "new",
        "previousDescription": "old",
        **where,
    }
    assert tagged.parameters == {**where, "tagUrn": "urn:li:tag:t", "context": "{}"}


def test_edits_of_columns_are_told_by_column() -> None:
    old = {"editableSchemaFieldInfo": [{"fieldPath": "a", "description": "x"}]}
    new = {"editableSchemaFieldInfo": [{"fieldPath": "a"}, _tagged("b", "urn:li:tag:t")]}
    removed, tagged = COLUMN_DIFFERS["editableSchemaMetadata"](URN, old, new)
    assert (removed.category, removed.operation, removed.modifier) == (
        "DOCUMENTATION",
        "REMOVE",
        "a",
    )
    assert (tagged.category, tagged.entity_urn) == ("TAG", column_urn(URN, "b"))
