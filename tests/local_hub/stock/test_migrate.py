"""`datahub migrate`: entities under new urns, with what refers to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.ingestion.graph.client import DataHubGraph
from datahub.metadata.schema_classes import (
    AssertionInfoClass,
    DataPlatformInstanceClass,
    DatasetAssertionInfoClass,
    DatasetPropertiesClass,
    GlobalTagsClass,
    StatusClass,
    TagAssociationClass,
    UpstreamClass,
    UpstreamLineageClass,
)
from datahub_shell import DatahubShell


def table(platform: str, name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"


def instance(platform: str, name: str) -> DataPlatformInstanceClass:
    platform_urn = f"urn:li:dataPlatform:{platform}"
    return DataPlatformInstanceClass(
        platform_urn, f"urn:li:dataPlatformInstance:({platform_urn},{name})"
    )


def put(graph: DataHubGraph, *aspects: tuple[str, Any]) -> None:
    for urn, aspect in aspects:
        graph.emit_mcp(MetadataChangeProposalWrapper(entityUrn=urn, aspect=aspect))


def described(graph: DataHubGraph, urn: str) -> str | None:
    properties = graph.get_aspect(urn, DatasetPropertiesClass)
    return properties and properties.description


@pytest.fixture
def herd(reader: DataHubGraph, request: pytest.FixtureRequest) -> str:
    """A platform with one table of instance `old`, which others refer to."""
    platform = f"herd{abs(hash(request.node.name)) % 10**8}"
    cows, milk = table(platform, "old.cows"), table(f"{platform}x", "milk")
    asserted = DatasetAssertionInfoClass(cows, "DATASET_ROWS", "_NATIVE_")
    put(
        reader,
        (cows, DatasetPropertiesClass(description="all cows")),
        (cows, GlobalTagsClass([TagAssociationClass("urn:li:tag:herd")])),
        (cows, instance(platform, "old")),
        (milk, UpstreamLineageClass([UpstreamClass(cows, "TRANSFORMED")])),
        (f"urn:li:assertion:{platform}", AssertionInfoClass("DATASET", datasetAssertion=asserted)),
    )
    return platform


def renamed(platform: str, *options: str) -> tuple[str, ...]:
    ends = ("--old-instance", "old", "--new-instance", "new", "--env", "PROD")
    return ("migrate", "instance2instance", "--platform", platform, *ends, *options)


def test_a_dry_run_changes_nothing(datahub: DatahubShell, reader: DataHubGraph, herd: str) -> None:
    told = datahub(*renamed(herd, "--dry-run"))
    assert "[Dry Run] Num entities migrated = 1" in told
    assert not reader.exists(table(herd, "new.cows"))


@pytest.mark.parametrize(
    ("option", "left"), [("--keep", "there"), ("--hard", "gone"), (None, "removed")]
)
def test_an_instance_gets_a_new_name(
    datahub: DatahubShell, reader: DataHubGraph, herd: str, option: str | None, left: str
) -> None:
    old, new = table(herd, "old.cows"), table(herd, "new.cows")
    datahub(*renamed(herd, "--force", *([option] if option else [])))
    assert described(reader, new) == "all cows"
    at = reader.get_aspect(new, DataPlatformInstanceClass)
    assert at is not None
    assert at.instance == instance(herd, "new").instance
    lineage = reader.get_aspect(table(f"{herd}x", "milk"), UpstreamLineageClass)
    assert lineage is not None
    assert [one.dataset for one in lineage.upstreams] == [new]
    info = reader.get_aspect(f"urn:li:assertion:{herd}", AssertionInfoClass)
    assert info is not None
    assert info.datasetAssertion is not None
    assert info.datasetAssertion.dataset == new
    status = reader.get_aspect(old, StatusClass)
    assert reader.exists(old) == (left != "gone")
    assert bool(status and status.removed) == (left == "removed")


@pytest.mark.parametrize(("choice", "expected"), [("preserve", "kept"), ("overwrite", "all cows")])
def test_a_target_that_exists_is_kept_or_not(
    datahub: DatahubShell, reader: DataHubGraph, herd: str, choice: str, expected: str
) -> None:
    new = table(herd, "new.cows")
    put(reader, (new, DatasetPropertiesClass(description="kept")), (new, instance(herd, "new")))
    datahub(*renamed(herd, "--force", "--keep", "--on-conflict", choice))
    assert described(reader, new) == expected


def test_a_platform_gets_an_instance(datahub: DatahubShell, reader: DataHubGraph) -> None:
    put(reader, (table("flock", "sheep"), DatasetPropertiesClass(description="all sheep")))
    options = ("--platform", "flock", "--instance", "eu", "--force", "--keep")
    datahub("migrate", "dataplatform2instance", *options)
    assert described(reader, table("flock", "eu.sheep")) == "all sheep"


def test_urns_are_mapped_one_by_one(
    datahub: DatahubShell, reader: DataHubGraph, tmp_path: Path
) -> None:
    old, new = table("pack", "wolves"), table("pack", "dogs")
    put(reader, (old, DatasetPropertiesClass(description="all of them")))
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps([{"source": old, "target": new}]))
    datahub("migrate", "urns-mapping", "--mapping-file", str(mapping), "--force", "--keep")
    assert described(reader, new) == "all of them"
