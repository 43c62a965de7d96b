from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from golden import assert_golden
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.core.entities import SEARCHABLE_ENTITY_TYPES, EntitySnapshot
from dataspoke.core.errors import SkippableError
from dataspoke.core.hub.aspects import references_of, snapshot_of
from dataspoke.core.hub.columns import simple_path
from dataspoke.core.hub.shapes import aspects_of, name_aspects_of, name_from

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(path.name.removesuffix(".aspects.json") for path in GOLDEN.glob("*.aspects.json"))
TABLE = json.loads((GOLDEN / "postgres_table.aspects.json").read_text(encoding="utf-8"))

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def as_json(snapshot: EntitySnapshot) -> dict[str, Any]:
    fields = dataclasses.asdict(snapshot)
    fields["columns"] = [column._asdict() for column in snapshot.columns]
    for key in ("created", "last_modified"):
        fields[key] = fields[key].isoformat() if fields[key] else None
    return fields


@pytest.mark.parametrize("case", CASES)
def test_aspects_become_the_expected_snapshot(case: str) -> None:
    given = json.loads((GOLDEN / f"{case}.aspects.json").read_text(encoding="utf-8"))
    snapshot = snapshot_of(given["urn"], given["aspects"])
    assert_golden(GOLDEN / f"{case}.snapshot.json", as_json(snapshot))
    assert set(given["names"]) <= set(references_of(snapshot))


@pytest.mark.parametrize("entity_type", SEARCHABLE_ENTITY_TYPES)
def test_every_aspect_that_we_ask_for_is_registered_for_its_type(entity_type: str) -> None:
    from datahub.metadata.schema_classes import KEY_ASPECTS

    info = KEY_ASPECTS[entity_type].ASPECT_INFO
    known = {KEY_ASPECTS[entity_type].ASPECT_NAME, *info["entityAspects"]}
    assert set(aspects_of(entity_type)) <= known
    assert set(name_aspects_of(entity_type)) <= known
    assert len(set(aspects_of(entity_type))) == len(aspects_of(entity_type))


@pytest.mark.parametrize("entity_type", SEARCHABLE_ENTITY_TYPES)
def test_an_entity_with_nothing_but_its_key_has_a_name(entity_type: str) -> None:
    ids = {
        "dataset": "(urn:li:dataPlatform:x,thing,PROD)",
        "mlModel": "(urn:li:dataPlatform:x,thing,PROD)",
        "dataFlow": "(airflow,thing,prod)",
        "dataJob": "(urn:li:dataFlow:(airflow,nightly,prod),thing)",
        "chart": "(looker,thing)",
        "dashboard": "(looker,thing)",
    }
    snapshot = snapshot_of(f"urn:li:{entity_type}:{ids.get(entity_type, 'thing')}", {})
    assert snapshot.name == "thing"
    assert not snapshot.removed


@pytest.mark.parametrize(
    ("path", "simple"),
    [
        ("id", "id"),
        ("a.b.c", "a.b.c"),
        ("[version=2.0].[type=struct].[type=string].name", "name"),
        ("[version=2.0].[key=True].[type=struct].[type=long].id", "id"),
        ("[version=2.0].[type=com.shop.Order].lines.[type=array].[type=string].sku", "lines.sku"),
        ("[version=2.0].[type=string]", ""),
        ("odd[0].name", "odd[0].name"),
    ],
)
def test_v2_tokens_leave_a_field_path(path: str, simple: str) -> None:
    assert simple_path(path) == simple


def test_a_field_path_with_two_types_is_one_column() -> None:
    given = json.loads((GOLDEN / "kafka_topic.aspects.json").read_text(encoding="utf-8"))
    paths = [column.path for column in snapshot_of(given["urn"], given["aspects"]).columns]
    assert paths == ["orderId", "lines", "lines.sku", "pay.iban"]


@pytest.mark.parametrize(
    ("aspect", "value"),
    [
        ("datasetProperties", "text"),
        ("datasetProperties", {"name": 7}),
        ("datasetProperties", {"customProperties": ["a"]}),
        ("datasetProperties", {"created": {"time": "yesterday"}}),
        ("datasetProperties", {"created": {"time": 10**18}}),
        ("status", {"removed": "no"}),
        ("ownership", {"owners": [{"type": "DATAOWNER"}]}),
        ("ownership", {"owners": "jane"}),
        ("globalTags", {"tags": ["urn:li:tag:x"]}),
        ("glossaryTerms", {"terms": [{"urn": 5}]}),
        ("domains", {"domains": "urn:li:domain:x"}),
        ("subTypes", {"typeNames": [None, 1]}),
        ("container", {}),
        ("browsePathsV2", {"path": ["x"]}),
        ("dataPlatformInstance", {"platform": "postgres"}),
        ("structuredProperties", {"properties": [{"values": []}]}),
        ("schemaMetadata", {}),
        ("schemaMetadata", {"fields": [{"nativeDataType": "int"}]}),
        ("editableSchemaMetadata", {"editableSchemaFieldInfo": [{}]}),
        ("upstreamLineage", {"upstreams": [{}]}),
        ("viewProperties", {"viewLogic": []}),
        ("deprecation", None),
    ],
)
def test_a_malformed_aspect_is_named_with_its_urn(aspect: str, value: Any) -> None:
    aspects = copy.deepcopy(TABLE["aspects"]) | {aspect: {"value": value}}
    with pytest.raises(SkippableError) as caught:
        snapshot_of(TABLE["urn"], aspects)
    assert f"Cannot read the aspect '{aspect}' of {TABLE['urn']}: " in str(caught.value)


@given(
    aspect=st.sampled_from([name for name in aspects_of("dataset") if name != "datasetKey"]),
    value=json_values,
)
def test_no_value_of_an_aspect_does_worse_than_skippable(aspect: str, value: Any) -> None:
    try:
        snapshot_of(TABLE["urn"], {**TABLE["aspects"], aspect: {"value": value}})
    except SkippableError as exc:
        assert f"'{aspect}'" in str(exc)  # noqa: PT017


def test_types_that_are_not_searchable_are_skippable() -> None:
    with pytest.raises(SkippableError, match="'corpuser': they are not searchable"):
        snapshot_of("urn:li:corpuser:jane", {})


def test_nul_characters_and_white_space_around_texts_are_dropped() -> None:
    aspects = {"tagProperties": {"value": {"name": " Gold\0 ", "description": "\n"}}}
    snapshot = snapshot_of("urn:li:tag:gold", aspects)
    assert (snapshot.name, snapshot.description) == ("Gold", "")


@pytest.mark.parametrize(
    ("entity_type", "aspects", "name"),
    [
        ("tag", {"tagProperties": {"value": {"name": "Gold"}}}, "Gold"),
        ("corpuser", {"corpUserInfo": {"value": {"fullName": "Jane Doe"}}}, "Jane Doe"),
        (
            "corpuser",
            {
                "corpUserInfo": {"value": {"displayName": "J. Doe"}},
                "corpUserEditableInfo": {"value": {"displayName": "Jane"}},
            },
            "Jane",
        ),
        ("dataset", {"datasetProperties": {"value": {"name": "orders"}}}, "orders"),
        ("chart", {"chartInfo": {"value": {"title": "Sales"}}}, "Sales"),
        ("domain", {"domainProperties": {"value": {"name": "  "}}}, ""),
        ("domain", {"domainProperties": {"value": ["odd"]}}, ""),
        ("query", {}, ""),
    ],
)
def test_names_of_references(entity_type: str, aspects: dict[str, Any], name: str) -> None:
    assert name_from(entity_type, aspects) == name
