"""`datahub get | put | exists | delete | container`: single entities and aspects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datahub_shell import DatahubShell

TABLE = "urn:li:dataset:(urn:li:dataPlatform:{},zoo.animals,PROD)"


def put(datahub: DatahubShell, tmp_path: Path, urn: str, aspect: str, value: Any) -> str:
    path = tmp_path / "value.json"
    path.write_text(json.dumps(value))
    return datahub("put", "--urn", urn, "-a", aspect, "-d", str(path))


def test_what_is_put_is_got(datahub: DatahubShell, tmp_path: Path) -> None:
    urn = TABLE.format("put")
    assert datahub("exists", "--urn", urn) == "false\n"
    put(
        datahub,
        tmp_path,
        urn,
        "datasetProperties",
        {"name": "café", "customProperties": {"a": "b"}},
    )
    assert datahub("exists", "--urn", urn) == "true\n"
    properties = {"name": "café", "customProperties": {"a": "b"}}
    assert datahub.json("get", "--urn", urn, "-a", "datasetProperties") == {
        "datasetProperties": properties
    }
    assert datahub.json("get", "--urn", urn) == {
        "datasetProperties": properties,
        "datasetKey": {
            "name": "zoo.animals",
            "origin": "PROD",
            "platform": "urn:li:dataPlatform:put",
        },
        "dataPlatformInstance": {"platform": "urn:li:dataPlatform:put"},
        "browsePathsV2": {"path": [{"id": "zoo"}]},
    }


def test_a_timeseries_aspect_is_got_as_its_latest_value(
    datahub: DatahubShell, tmp_path: Path
) -> None:
    urn = TABLE.format("profiled")
    for time, rows in ((1_700_000_000_000, 3), (1_700_000_001_000, 4)):
        put(datahub, tmp_path, urn, "datasetProfile", {"timestampMillis": time, "rowCount": rows})
    found = datahub.json("get", "--urn", urn, "-a", "datasetProfile")
    assert found["datasetProfile"]["rowCount"] == 4


def test_what_is_wrong_is_said(datahub: DatahubShell, tmp_path: Path) -> None:
    urn = TABLE.format("wrong")
    missing = datahub.run("get", "--urn", urn)
    assert missing.returncode == 1
    assert f"urn {urn} not found" in missing.stderr
    path = tmp_path / "value.json"
    path.write_text('{"nam": 1, "tags": 7}')
    refused = datahub.run("put", "--urn", urn, "-a", "datasetProperties", "-d", str(path))
    assert refused.returncode != 0
    assert "tags" in refused.stderr
    assert datahub("exists", "--urn", urn) == "false\n"


def test_a_platform_is_put(datahub: DatahubShell) -> None:
    told = datahub(
        *("put", "platform", "--name", "zoodb", "--display_name", "Zoo DB"),
        *("--logo", "https://example.com/zoo.png"),
    )
    assert "Successfully wrote data platform metadata for urn:li:dataPlatform:zoodb" in told
    found = datahub.json("get", "--urn", "urn:li:dataPlatform:zoodb", "-a", "dataPlatformInfo")
    assert found["dataPlatformInfo"]["displayName"] == "Zoo DB"


@pytest.mark.parametrize(
    ("option", "value", "aspect", "path"),
    [
        ("tag", "urn:li:tag:wild", "globalTags", ("tags", 0, "tag")),
        ("term", "urn:li:glossaryTerm:animal", "glossaryTerms", ("terms", 0, "urn")),
        ("owner", "urn:li:corpuser:ada", "ownership", ("owners", 0, "owner")),
        ("domain", "urn:li:domain:zoology", "domains", ("domains", 0)),
    ],
)
def test_a_container_gives_its_datasets(
    datahub: DatahubShell,
    tmp_path: Path,
    option: str,
    value: str,
    aspect: str,
    path: tuple[str | int, ...],
) -> None:
    container, table = f"urn:li:container:of-{option}", TABLE.format(f"in_{option}")
    put(datahub, tmp_path, table, "browsePathsV2", {"path": [{"id": container, "urn": container}]})
    datahub("container", option, "--container-urn", container, f"--{option}-urn", value)
    for urn in (container, table):
        found = datahub.json("get", "--urn", urn, "-a", aspect)[aspect]
        for step in path:
            found = found[step]
        assert found == value


def test_soft_deleted_entities_come_back_and_hard_deleted_ones_do_not(
    datahub: DatahubShell, tmp_path: Path
) -> None:
    urn = TABLE.format("mortal")
    put(datahub, tmp_path, urn, "datasetProperties", {"name": "animals"})

    def found() -> int:
        return int(datahub.json("search", "*", "--filter", "platform=mortal")["total"])

    assert found() == 1
    told = datahub("delete", "--platform", "mortal", "--dry-run")
    assert "Would delete 1 entities" in told
    assert found() == 1
    told = datahub("delete", "by-filter", "--platform", "mortal", "--soft", "--force")
    assert "Soft deleted 1 entities" in told
    assert (found(), datahub("exists", "--urn", urn)) == (0, "true\n")
    datahub("delete", "undo-by-filter", "--platform", "mortal", "--force")
    assert found() == 1
    datahub("delete", "--urn", urn, "--soft", "--force")
    told = datahub("delete", "--platform", "mortal", "--only-soft-deleted", "--hard", "--force")
    assert "Hard deleted 1 entities" in told
    assert datahub("exists", "--urn", urn) == "false\n"


def test_times_of_a_timeseries_are_deleted(datahub: DatahubShell, tmp_path: Path) -> None:
    urn = TABLE.format("timed")
    for day in (1, 2, 3):
        value = {"timestampMillis": 1_700_000_000_000 + day * 86_400_000, "rowCount": day}
        put(datahub, tmp_path, urn, "datasetProfile", value)
    told = datahub(
        *("delete", "--urn", urn, "-a", "datasetProfile", "--hard", "--force"),
        *("--start-time", "2023-11-17 00:00:00", "--end-time", "2023-11-18 00:00:00"),
    )
    assert "1 timeseries aspect rows" in told
    assert (
        datahub.json("get", "--urn", urn, "-a", "datasetProfile")["datasetProfile"]["rowCount"] == 2
    )


def test_references_are_listed_and_taken_away(datahub: DatahubShell, tmp_path: Path) -> None:
    urn, tag = TABLE.format("referring"), "urn:li:tag:endangered"
    put(datahub, tmp_path, urn, "globalTags", {"tags": [{"tag": tag}, {"tag": "urn:li:tag:kept"}]})
    told = datahub("delete", "references", "--urn", tag, "--dry-run")
    assert f"Found 1 references to {tag}" in told
    assert told.split()[-3:] == ["TaggedWith", urn, "globalTags"]
    datahub("delete", "references", "--urn", tag, "--force")
    left = datahub.json("get", "--urn", urn, "-a", "globalTags")["globalTags"]["tags"]
    assert [one["tag"] for one in left] == ["urn:li:tag:kept"]
