"""The source in the stock pipeline, on the logs of a real PostgreSQL."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from datahub.ingestion.run.pipeline import Pipeline
from postgres_server import PostgresServer

from dataspoke.ingestion_sources.query_log.source import QueryLogSource

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:postgres,postgres.sales.orders,PROD)"
MONTHLY = "urn:li:dataset:(urn:li:dataPlatform:postgres,postgres.sales.monthly,PROD)"

SETTINGS = {
    "log_destination": "jsonlog,csvlog",
    "logging_collector": "on",
    "log_directory": "queries",
    "log_filename": "postgresql.log",
    "log_statement": "all",
}
STATEMENTS = [
    "CREATE SCHEMA sales",
    "CREATE TABLE sales.orders (id int, placed date, total numeric)",
    "INSERT INTO sales.orders SELECT 1, '2026-10-01', 10",
    "SELECT total\nFROM sales.orders WHERE id = 1",
    "SELECT total\nFROM sales.orders WHERE id = 2",
    "CREATE TABLE sales.monthly AS SELECT date_trunc('month', placed) AS month, sum(total) AS sold"
    " FROM sales.orders GROUP BY 1",
    "SET search_path TO sales",
]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `postgresql.json` and `postgresql.csv` of the same session."""
    folder = tmp_path_factory.mktemp("postgres")
    with PostgresServer(folder, fsync=False) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        server.stop()
        server.start()
        with psycopg.connect(server.url, autocommit=True) as connection:
            for statement in STATEMENTS:
                connection.execute(statement.encode())
        written = server.data / "queries"
        deadline = time.monotonic() + 20
        while "search_path" not in (written / "postgresql.json").read_text():
            assert time.monotonic() < deadline, "the server wrote no log"
            time.sleep(0.1)
        copied = folder / "copied"
        shutil.copytree(written, copied)
    return copied


def run(tmp_path: Path, *, expect_failures: bool = False, **config: Any) -> tuple[Any, list[Any]]:
    """Run `datahub ingest`'s pipeline into a file; returns the report and the proposals."""
    output = tmp_path / "output.json"
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    start = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    pipeline = Pipeline.create(
        {
            "run_id": "query-log-test",
            "source": {
                "type": "dataspoke-query-log",
                "config": {"usage": {"start_time": start, "end_time": soon}, **config},
            },
            "sink": {"type": "file", "config": {"filename": str(output)}},
        }
    )
    pipeline.run()
    source = pipeline.source
    assert isinstance(source, QueryLogSource)
    assert bool(source.report.failures) is expect_failures
    proposals = json.loads(output.read_text()) if output.exists() else []
    return source.report, proposals


def aspects(proposals: list[Any], name: str, urn: str) -> list[Any]:
    return [
        proposal["aspect"]["json"]
        for proposal in proposals
        if proposal["aspectName"] == name and proposal["entityUrn"] == urn
    ]


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_a_session_becomes_usage_lineage_and_operations(
    logs: Path, tmp_path: Path, kind: str
) -> None:
    report, proposals = run(tmp_path, files=[str(logs / f"postgresql.{kind}")])

    (usage,) = aspects(proposals, "datasetUsageStatistics", ORDERS)
    # Two SELECTs, and one read each by INSERT … SELECT's target rules and CREATE TABLE AS.
    assert usage["totalSqlQueries"] >= 2
    assert usage["userCounts"][0]["user"] == "urn:li:corpuser:postgres"
    (lineage,) = aspects(proposals, "upstreamLineage", MONTHLY)
    assert [upstream["dataset"] for upstream in lineage["upstreams"]] == [ORDERS]
    operations = aspects(proposals, "operation", ORDERS)
    assert "INSERT" in {operation["operationType"] for operation in operations}
    assert report.statements_without_tables >= 1
    assert report.lines_unreadable == 0
    assert report.lines_read == (
        report.lines_not_a_statement
        + report.statements_without_tables
        + report.statements_outside_the_window
        + report.statements_of_other_databases
        + report.statements_of_ignored_users
        + report.statements_used
    )


def test_a_damaged_line_is_counted_and_the_rest_is_read(logs: Path, tmp_path: Path) -> None:
    text = (logs / "postgresql.json").read_bytes()
    damaged = tmp_path / "damaged.json.gz"
    damaged.write_bytes(gzip.compress(b'{"half": \n\xff\xfe\n' + text))
    report, proposals = run(tmp_path, files=[str(damaged)])
    assert report.lines_unreadable == 2
    assert aspects(proposals, "datasetUsageStatistics", ORDERS)


@pytest.mark.parametrize(
    ("config", "counter"),
    [
        ({"databases": ["other"]}, "statements_of_other_databases"),
        ({"ignore_users": ["postgres"]}, "statements_of_ignored_users"),
    ],
)
def test_filters_count_what_they_leave_out(
    logs: Path, tmp_path: Path, config: dict[str, Any], counter: str
) -> None:
    report, proposals = run(tmp_path, files=[str(logs / "*.json")], **config)
    assert getattr(report, counter) > 0
    assert report.statements_used == 0
    assert not aspects(proposals, "datasetUsageStatistics", ORDERS)


def test_missing_truncated_and_nameless_files_are_failures_and_the_others_are_read(
    logs: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.json.gz"
    cut.write_bytes(gzip.compress((logs / "postgresql.json").read_bytes())[:-20])
    nameless = tmp_path / "postgresql.txt"
    nameless.write_text("")
    report, proposals = run(
        tmp_path,
        expect_failures=True,
        files=[str(tmp_path / "no-*.json"), str(cut), str(nameless), str(logs / "*.csv")],
    )
    titles = {failure.title for failure in report.failures}
    assert titles == {"No log files", "Log file not readable", "Unknown log format"}
    assert aspects(proposals, "datasetUsageStatistics", ORDERS)


def test_the_connection_test_names_the_pattern_without_files(tmp_path: Path) -> None:
    found = QueryLogSource.test_connection({"files": [str(tmp_path / "*.json")]})
    assert found.basic_connectivity is not None
    assert not found.basic_connectivity.capable
    assert str(tmp_path) in (found.basic_connectivity.failure_reason or "")
