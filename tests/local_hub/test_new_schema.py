"""The short way for a new schema tells what the differ tells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.local_hub.change_events import compare, entity_change_events, told

WHO: dict[str, Any] = {"actor": "urn:li:corpuser:a", "now": 7}
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
_COLUMNS = st.fixed_dictionaries(
    {"fieldPath": _TEXTS, "nativeDataType": st.just("int")},
    optional={"description": _TEXTS, "nullable": st.booleans()},
)


def _same(urn: str, schema: dict[str, Any]) -> None:
    changes = compare(urn, "schemaMetadata", None, schema, is_key=False)
    expected = entity_change_events("dataset", urn, changes, **WHO)
    assert told("dataset", urn, "schemaMetadata", None, schema, is_key=False, **WHO) == expected


@given(_TEXTS, st.lists(_COLUMNS, max_size=4))
def test_new_columns_are_told_in_the_same_words(name: str, columns: list[dict[str, Any]]) -> None:
    _same(f"urn:li:dataset:(urn:li:dataPlatform:hive,{name},PROD)", {"fields": columns})


@pytest.mark.parametrize(
    "more",
    [
        {"primaryKeys": ["a"]},
        {"fields": [{"fieldPath": "a", "globalTags": {"tags": [{"tag": "urn:li:tag:t"}]}}]},
        {"fields": [{"fieldPath": "[version=2.0].[type=int].a", "description": ""}]},
        {"fields": [{"fieldPath": "a", "description": 'é "\\ \n \x00 💡'}]},
        {"fields": None},
    ],
)
def test_what_the_short_way_cannot_tell_goes_the_long_one(more: dict[str, Any]) -> None:
    _same("urn:li:dataset:(urn:li:dataPlatform:hive,a,PROD)", {"fields": [], **more})
