from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataspoke.core.errors import ConfigError
from dataspoke.local_hub.errors import BadUrn, UnknownAspect, UnknownEntity
from dataspoke.local_hub.registry import Registry, annotations_in

DATASET = "urn:li:dataset:(urn:li:dataPlatform:hive,a.b,PROD)"


def test_every_aspect_and_entity_of_the_wheel_is_there(registry: Registry) -> None:
    assert len(registry.aspects) >= 271
    assert len(registry.entities) >= 72
    assert all(spec.key_aspect.name in spec.aspects for spec in registry.entities.values())


def test_names_are_those_of_rest_li(registry: Registry) -> None:
    assert registry.aspects["status"].record_name == "com.linkedin.common.Status"
    assert registry.aspects["datasetProfile"].timeseries
    assert registry.aspects["upstreamLineage"].has_lineage
    assert not registry.aspects["globalTags"].has_lineage


@pytest.mark.parametrize(
    ("urn", "key"),
    [
        (DATASET, {"platform": "urn:li:dataPlatform:hive", "name": "a.b", "origin": "PROD"}),
        ("urn:li:tag:a:b", {"name": "a:b"}),
        ("urn:li:tag:(a,b)", {"name": "(a,b)"}),
        ("urn:li:container:x", {"guid": "x"}),
    ],
)
def test_a_urn_says_its_key(registry: Registry, urn: str, key: dict[str, str]) -> None:
    assert registry.key_of(urn) == key


@pytest.mark.parametrize(
    "urn",
    [
        "urn:li:dataset:(urn:li:dataPlatform:hive,a.b)",
        "urn:li:dataset:(urn:li:dataPlatform:hive,a.b,PROD,x)",
        "urn:li:dataset:(urn:li:dataPlatform:hive,a.b,INVALID)",
        "urn:li:dataset:(urn:li:dataPlatform:hive,,PROD)",
        "urn:li:dataset:plain",
    ],
)
def test_a_urn_that_is_no_key_is_refused(registry: Registry, urn: str) -> None:
    with pytest.raises(BadUrn):
        registry.key_of(urn)


def test_unknown_names_are_refused(registry: Registry) -> None:
    with pytest.raises(UnknownEntity):
        registry.entity("nonsense")
    with pytest.raises(UnknownAspect):
        registry.aspect(registry.entity("incident"), "status")
    assert registry.entity("platformresource").name == "platformResource"


def test_annotations_come_with_the_path_of_what_they_mark(registry: Registry) -> None:
    found = {
        (path, annotation["name"])
        for path, annotation in annotations_in(
            registry.aspects["upstreamLineage"].schema, "Relationship"
        )
    }
    assert (("upstreams", "*", "dataset"), "DownstreamOf") in found


def _model(name: str) -> dict[str, object]:
    return {
        "type": "record",
        "name": name[0].upper() + name[1:],
        "namespace": "com.mycompany",
        "Aspect": {"name": name},
        "fields": [{"name": "score", "type": "int"}],
    }


def test_a_folder_brings_custom_aspects(tmp_path: Path) -> None:
    (tmp_path / "score.avsc").write_text(json.dumps(_model("mySpecialScore")))
    (tmp_path / "entity-registry.yaml").write_text(
        "entities:\n  - name: dataset\n    aspects: [mySpecialScore]\n"
    )
    registry = Registry.load([tmp_path])
    assert registry.aspect(registry.entity("dataset"), "mySpecialScore").record_name == (
        "com.mycompany.MySpecialScore"
    )


@pytest.mark.parametrize(
    "content",
    [
        "entities:\n  - name: dataset\n    aspects: [notThere]\n",
        "entities:\n  - name: nonsense\n    aspects: [status]\n",
    ],
)
def test_a_registry_that_names_what_is_not_there_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "entity-registry.yaml").write_text(content)
    with pytest.raises(ConfigError, match="Cannot load the models"):
        Registry.load([tmp_path])


def test_a_broken_model_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.avsc").write_text("{")
    with pytest.raises(ConfigError, match=r"broken\.avsc"):
        Registry.load([tmp_path])
