from __future__ import annotations

import copy
from typing import Any

import pytest
from datahub.emitter.serialization_helper import pre_json_transform
from datahub.metadata.schema_classes import (
    DatasetPropertiesClass,
    OtherSchemaClass,
    SchemaFieldClass,
    SchemaFieldDataTypeClass,
    SchemaMetadataClass,
    StringTypeClass,
    TimeStampClass,
)

from dataspoke.local_hub.errors import InvalidAspect
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.validate import Validator, compile_schema


def _schema() -> dict[str, Any]:
    field = SchemaFieldClass(
        fieldPath="a",
        type=SchemaFieldDataTypeClass(StringTypeClass()),
        nativeDataType="text",
    )
    aspect = SchemaMetadataClass(
        schemaName="s",
        platform="urn:li:dataPlatform:x",
        version=0,
        hash="",
        platformSchema=OtherSchemaClass("raw"),
        fields=[field],
    )
    found: dict[str, Any] = pre_json_transform(aspect.to_obj())
    return found


def test_what_the_sdk_writes_is_accepted_and_stays_as_it_is(registry: Registry) -> None:
    for name, value in {
        "schemaMetadata": _schema(),
        "datasetProperties": pre_json_transform(
            DatasetPropertiesClass(name="x", created=TimeStampClass(1)).to_obj()
        ),
    }.items():
        before = copy.deepcopy(value)
        assert not Validator().check(registry.aspects[name], value)
        assert value == before


def test_every_aspect_of_the_wheel_compiles(registry: Registry) -> None:
    for aspect in registry.aspects.values():
        compile_schema(aspect.schema)


def test_unknown_fields_are_dropped_on_every_level(registry: Registry) -> None:
    value = _schema()
    value["surprise"] = 1
    value["fields"][0]["surprise"] = {"deep": True}
    assert Validator().check(registry.aspects["schemaMetadata"], value)
    assert value == _schema()


def test_a_null_for_an_optional_field_is_as_good_as_none(registry: Registry) -> None:
    value = {"description": None, "customProperties": {}}
    Validator().check(registry.aspects["datasetProperties"], value)
    assert value == {"customProperties": {}}


def _with(change: Any) -> dict[str, Any]:
    value = _schema()
    change(value)
    return value


@pytest.mark.parametrize(
    ("aspect", "value", "said"),
    [
        ("status", {"removed": "yes"}, "/removed :: yes cannot be coerced to Boolean"),
        ("status", {"removed": 1}, "/removed"),
        ("status", [], "is not backed by a DataMap"),
        ("status", None, "is not backed by a DataMap"),
        ("tagProperties", {}, "/name :: field is required but not found"),
        ("tagProperties", {"name": 1}, "/name :: 1 cannot be coerced to String"),
        ("globalTags", {"tags": {}}, "/tags :: array type is not backed"),
        ("globalTags", {"tags": [{"tag": "urn:li:tag:a"}, {}]}, "/tags/1/tag :: field is required"),
        ("datasetProperties", {"customProperties": {"a": 1}}, "/customProperties/a"),
        ("datasetProperties", {"customProperties": []}, "map type is not backed"),
        ("ownership", {"owners": [{"owner": "u", "type": "BOSS"}]}, "is not an enum symbol"),
        ("ownership", {"owners": [{"owner": "u", "type": ["x"]}]}, "is not an enum symbol"),
        ("schemaMetadata", _with(lambda v: v.update(version="x")), "/version"),
        ("schemaMetadata", _with(lambda v: v.update(version=2**63)), "out of range"),
        ("schemaMetadata", _with(lambda v: v.update(version=0.5)), "/version"),
        ("schemaMetadata", _with(lambda v: v.update(platformSchema={})), "union type"),
        (
            "schemaMetadata",
            _with(lambda v: v.update(platformSchema={"com.example.No": {}})),
            "is not a member type of union",
        ),
        (
            "schemaMetadata",
            _with(lambda v: v["fields"][0].update(type={"type": "string"})),
            "/fields/0/type/type",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(
    registry: Registry, aspect: str, value: Any, said: str
) -> None:
    with pytest.raises(InvalidAspect) as refused:
        Validator().check(registry.aspects[aspect], copy.deepcopy(value))
    assert said in str(refused.value)
    assert registry.aspects[aspect].record_name in str(refused.value)


@pytest.mark.parametrize(
    ("aspect", "value", "path"),
    [
        (
            "upstreamLineage",
            {"upstreams": [{"dataset": "urn:li:mlModel:(x,y,PROD)", "type": "COPY"}]},
            "/upstreams/0/dataset",
        ),
        ("globalTags", {"tags": [{"tag": "urn:li:glossaryTerm:a"}]}, "/tags/0/tag"),
    ],
)
def test_a_urn_must_be_of_the_type_that_the_model_names(
    registry: Registry, aspect: str, value: Any, path: str
) -> None:
    with pytest.raises(InvalidAspect, match=f"{path} :: .*is invalid"):
        Validator().check(registry.aspects[aspect], value)
