"""`datahub ingest`: runs, their history and their rollback, deployment, state, a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.ingestion.graph.client import DataHubGraph
from datahub.metadata.schema_classes import (
    DatasetProfileClass,
    DatasetPropertiesClass,
    GlobalTagsClass,
    SchemaMetadataClass,
    StatusClass,
    TagAssociationClass,
    UpstreamLineageClass,
)
from datahub_shell import DatahubShell
from hub_process import HubProcess
from postgres_server import PostgresServer


def table(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:ingested,{name},PROD)"


def records(folder: Path, *urns: str) -> str:
    """A file of proposals: properties, a tag and a profile for each dataset."""
    aspects = (
        DatasetPropertiesClass(name="café"),
        GlobalTagsClass([TagAssociationClass("urn:li:tag:new")]),
        DatasetProfileClass(timestampMillis=1_700_000_000_000, rowCount=3),
    )
    path = folder / "records.json"
    proposals = [
        MetadataChangeProposalWrapper(entityUrn=urn, aspect=aspect).to_obj()
        for urn in urns
        for aspect in aspects
    ]
    path.write_text(json.dumps(proposals))
    return str(path)


def recipe(
    folder: Path, hub: HubProcess, source: dict[str, Any], sink: Any = None, **more: Any
) -> str:
    path = folder / "recipe.yml"
    sink = {"type": "datahub-rest", "config": {"server": hub.url} | (sink or {})}
    path.write_text(json.dumps({"source": source, "sink": sink, **more}))
    return str(path)


@pytest.mark.parametrize("mode", ["SYNC", "ASYNC", "ASYNC_BATCH"])
@pytest.mark.parametrize("endpoint", ["RESTLI", "OPENAPI"])
def test_a_run_is_listed_shown_and_rolled_back(
    hub: HubProcess,
    datahub: DatahubShell,
    reader: DataHubGraph,
    tmp_path: Path,
    mode: str,
    endpoint: str,
) -> None:
    urn, run = table(f"{mode}.{endpoint}"), f"run-{mode}-{endpoint}"
    old = DatasetPropertiesClass(name="before")
    reader.emit_mcp(MetadataChangeProposalWrapper(entityUrn=urn, aspect=old))
    source = {"type": "file", "config": {"path": records(tmp_path, urn)}}
    path = recipe(tmp_path, hub, source, {"mode": mode, "endpoint": endpoint}, run_id=run)
    told = datahub("ingest", "-c", path)
    assert "Pipeline finished successfully" in told
    assert f"'endpoint': '{endpoint}'" in told
    properties = reader.get_aspect(urn, DatasetPropertiesClass)
    assert properties is not None
    assert properties.name == "café"
    assert run in datahub("ingest", "list-runs")
    assert urn in datahub("ingest", "show", "--run-id", run)
    told = datahub("ingest", "rollback", "--run-id", run, "--dry-run")
    assert "This rollback will" in told
    assert reader.get_aspect(urn, GlobalTagsClass) is not None
    datahub("ingest", "rollback", "--run-id", run, "--force")
    properties = reader.get_aspect(urn, DatasetPropertiesClass)
    assert properties is not None
    assert properties.name == "before"
    assert reader.get_aspect(urn, GlobalTagsClass) is None
    assert reader.get_latest_timeseries_value(urn, DatasetProfileClass, {}) is None
    assert run not in datahub("ingest", "list-runs")


def test_a_file_of_proposals_needs_no_recipe(
    datahub: DatahubShell, reader: DataHubGraph, tmp_path: Path
) -> None:
    datahub("ingest", "mcps", records(tmp_path, table("mcps")))
    assert reader.exists(table("mcps"))


@pytest.mark.parametrize("option", ["--dry-run", "--test-source-connection"])
def test_what_only_tries_writes_nothing(
    hub: HubProcess, datahub: DatahubShell, reader: DataHubGraph, tmp_path: Path, option: str
) -> None:
    source = {"type": "file", "config": {"path": records(tmp_path, table("tried"))}}
    datahub("ingest", "-c", recipe(tmp_path, hub, source), option)
    assert not reader.exists(table("tried"))


def test_a_hub_that_is_away_fails_the_run(datahub: DatahubShell, tmp_path: Path) -> None:
    path = tmp_path / "away.yml"
    source = {"type": "file", "config": {"path": records(tmp_path, table("away"))}}
    sink = {"type": "datahub-rest", "config": {"server": "http://127.0.0.1:9", "max_retries": 1}}
    path.write_text(json.dumps({"source": source, "sink": sink}))
    assert datahub.run("ingest", "-c", str(path)).returncode == 1


def test_a_recipe_is_deployed_and_changed(
    hub: HubProcess, datahub: DatahubShell, tmp_path: Path
) -> None:
    path = recipe(tmp_path, hub, {"type": "demo-data", "config": {}})
    deploy = ("ingest", "deploy", "-n", "nightly", "-c", path, "--time-zone", "UTC")
    told = datahub(*deploy, "--schedule", "5 4 * * *")
    urn = json.loads(told[told.index("{") :].replace("'", '"'))["updateIngestionSource"]
    datahub(*deploy, "--schedule", "6 4 * * *")
    info = datahub.json("get", "--urn", urn, "-a", "dataHubIngestionSourceInfo")
    found = info["dataHubIngestionSourceInfo"]
    assert (found["name"], found["type"]) == ("nightly", "demo-data")
    assert found["schedule"] == {"interval": "6 4 * * *", "timezone": "UTC"}


def test_runs_are_listed_by_source(hub: HubProcess, datahub: DatahubShell, tmp_path: Path) -> None:
    source = {"type": "file", "config": {"path": records(tmp_path, table("by_source"))}}
    path = recipe(tmp_path, hub, source, run_id="by-source", pipeline_name="by_source")
    datahub("ingest", "-c", path)
    line = next(
        line for line in datahub("ingest", "list-source-runs").splitlines() if "by-source" in line
    )
    assert "[CLI] file" in line
    assert "SUCCESS" in line


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres"), fsync=False) as server:
        yield server


def _execute(postgres: PostgresServer, *statements: str) -> None:
    connection = psycopg2.connect(postgres.url)
    try:
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


@pytest.mark.slow
def test_a_database_is_followed_with_profiles_lineage_and_stale_removal(
    hub: HubProcess,
    datahub: DatahubShell,
    reader: DataHubGraph,
    postgres: PostgresServer,
    tmp_path: Path,
) -> None:
    """What was dropped in the database is removed from the hub, and comes back with it."""
    _execute(
        postgres,
        "CREATE TABLE orders (id int PRIMARY KEY, total numeric)",
        "INSERT INTO orders SELECT n, n * 1.5 FROM generate_series(1, 50) n",
        "CREATE TABLE returns (id int)",
        "CREATE VIEW daily AS SELECT id, total AS sum FROM orders",
    )
    config = {
        "host_port": postgres.host_port,
        "database": "postgres",
        "username": "postgres",
        "password": postgres.password,
        "schema_pattern": {"allow": ["^public$", r".*\.public$"]},
        "profiling": {"enabled": True},
        "stateful_ingestion": {"enabled": True, "fail_safe_threshold": 100},
    }
    source = {"type": "postgres", "config": config}
    path = recipe(tmp_path, hub, source, pipeline_name="followed")

    def ingest() -> None:
        assert "Pipeline finished" in datahub("ingest", "-c", path)

    def urn(name: str) -> str:
        return f"urn:li:dataset:(urn:li:dataPlatform:postgres,postgres.public.{name},PROD)"

    def removed(name: str) -> bool:
        status = reader.get_aspect(urn(name), StatusClass)
        return bool(status and status.removed)

    ingest()
    profile = reader.get_latest_timeseries_value(urn("orders"), DatasetProfileClass, {})
    assert profile is not None
    assert (profile.rowCount, profile.columnCount) == (50, 2)
    lineage = reader.get_aspect(urn("daily"), UpstreamLineageClass)
    assert lineage is not None
    assert [one.dataset for one in lineage.upstreams] == [urn("orders")]
    assert len(lineage.fineGrainedLineages or ()) == 2
    options = ("--column", "sum", "--direction", "upstream", "--format", "json")
    assert urn("orders") in datahub("lineage", "--urn", urn("daily"), *options)
    state = datahub("state", "inspect", "--pipeline-name", "followed", "--platform", "postgres")
    assert urn("returns") in state

    _execute(postgres, "DROP TABLE returns", "ALTER TABLE orders ADD COLUMN note text")
    ingest()
    assert [removed(name) for name in ("orders", "returns", "daily")] == [False, True, False]
    schema = reader.get_aspect(urn("orders"), SchemaMetadataClass)
    assert schema is not None
    assert [field.fieldPath for field in schema.fields] == ["id", "total", "note"]
    assert urn("returns") not in datahub("search", "*", "-f", "platform=postgres", "--urns-only")
    told = datahub("timeline", "--urn", urn("orders"), "-c", "TECHNICAL_SCHEMA")
    assert "note" in told

    _execute(postgres, "CREATE TABLE returns (id int)")
    ingest()
    assert not removed("returns")
