"""The stock command line and SDK, in processes of their own, against the hub as people start it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from datahub.emitter.mce_builder import make_schema_field_urn
from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.ingestion.graph.client import DataHubGraph
from datahub.ingestion.graph.config import DatahubClientConfig
from datahub.metadata.schema_classes import (
    DatasetLineageTypeClass,
    DatasetProfileClass,
    DatasetPropertiesClass,
    FineGrainedLineageClass,
    FineGrainedLineageDownstreamTypeClass,
    FineGrainedLineageUpstreamTypeClass,
    GlobalTagsClass,
    GlossaryTermAssociationClass,
    OwnerClass,
    OwnershipClass,
    OwnershipTypeClass,
    TagAssociationClass,
    UpstreamClass,
    UpstreamLineageClass,
)
from datahub.specific.dataset import DatasetPatchBuilder
from datahub_cli import run_datahub
from hub_process import HubProcess
from logged_process import clean_env, script

TABLE = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.t{},PROD)"
TAG = "urn:li:tag:pii"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("hub")) as process:
        yield process


def _recipe(folder: Path, url: str, tables: int = 10) -> Path:
    records = []
    for number in range(tables):
        urn = TABLE.format(number)
        properties = DatasetPropertiesClass(name=f"t{number}", description=f"café {number}")
        tags = GlobalTagsClass([TagAssociationClass(TAG)])
        records += [
            MetadataChangeProposalWrapper(entityUrn=urn, aspect=aspect).to_obj()
            for aspect in (properties, tags)
        ]
    (folder / "records.json").write_text(json.dumps(records))
    recipe = {
        "source": {"type": "file", "config": {"path": str(folder / "records.json")}},
        "sink": {"type": "datahub-rest", "config": {"server": url}},
    }
    path = folder / "recipe.yml"
    path.write_text(json.dumps(recipe))
    return path


@pytest.mark.slow
def test_the_stock_command_line_runs_against_it(hub: HubProcess, tmp_path: Path) -> None:
    def datahub(*args: str) -> str:
        return run_datahub(*args, hub_url=hub.url, home=tmp_path).stdout

    urn = TABLE.format(1)
    assert "finished successfully" in datahub("ingest", "-c", str(_recipe(tmp_path, hub.url)))
    assert json.loads(datahub("get", "--urn", urn, "-a", "datasetProperties")) == {
        "datasetProperties": {
            "name": "t1",
            "description": "café 1",
            "customProperties": {},
            "tags": [],
        }
    }
    value = tmp_path / "tags.json"
    value.write_text('{"tags": []}')
    datahub("put", "--urn", urn, "-a", "globalTags", "-d", str(value))
    assert json.loads(datahub("get", "--urn", urn, "-a", "globalTags")) == {
        "globalTags": {"tags": []}
    }
    assert datahub("exists", "--urn", urn).strip() == "true"
    assert datahub("exists", "--urn", TABLE.format("absent")).strip() == "false"

    found = json.loads(datahub("search", "t3", "--format", "json"))
    assert found["searchResults"][0]["entity"]["urn"] == TABLE.format(3)

    assert "Would delete 10 entities" in datahub("delete", "--platform", "postgres", "--dry-run")
    datahub("delete", "--urn", urn, "--soft", "--force")
    assert json.loads(datahub("get", "--urn", urn, "-a", "status"))["status"]["removed"] is True
    datahub("delete", "--urn", urn, "--hard", "--force")
    assert datahub("exists", "--urn", urn).strip() == "false"

    runs = datahub("ingest", "list-runs")
    run = next(word for word in runs.split() if word.startswith("file-"))
    assert TABLE.format(2) in datahub("ingest", "show", "--run-id", run)
    datahub("ingest", "rollback", "--run-id", run, "--force")
    assert run not in datahub("ingest", "list-runs")
    assert "noCode" in datahub("check", "server-config")


@pytest.fixture(params=["rest.li", "OpenAPI"])
def graph(request: pytest.FixtureRequest, hub: HubProcess) -> Iterator[DataHubGraph]:
    config = DatahubClientConfig(server=hub.url, openapi_ingestion=request.param == "OpenAPI")
    client = DataHubGraph(config)
    client.test_connection()
    yield client
    client.close()


def _urn(request: pytest.FixtureRequest, name: str = "x") -> str:
    """A dataset of this test alone; with a slash, as file platforms have."""
    node = "".join(char if char.isalnum() else "_" for char in request.node.name)
    return f"urn:li:dataset:(urn:li:dataPlatform:hive,{node}/{name},PROD)"


def test_the_sdk_writes_and_reads(graph: DataHubGraph, request: pytest.FixtureRequest) -> None:
    urn = _urn(request)
    assert not graph.exists(urn)
    assert graph.get_aspect(urn, DatasetPropertiesClass) is None
    properties = DatasetPropertiesClass(name="x", description="café", customProperties={"a": "b"})
    graph.emit_mcp(MetadataChangeProposalWrapper(entityUrn=urn, aspect=properties))
    graph.emit_mcps(
        [
            MetadataChangeProposalWrapper(
                entityUrn=urn, aspect=GlobalTagsClass([TagAssociationClass(TAG)])
            ),
            MetadataChangeProposalWrapper(
                entityUrn=urn, aspect=DatasetProfileClass(timestampMillis=1000, rowCount=3)
            ),
        ]
    )
    assert graph.exists(urn)
    read = graph.get_aspect(urn, DatasetPropertiesClass)
    assert read is not None
    assert (read.name, read.description, read.customProperties) == ("x", "café", {"a": "b"})
    profiles = graph.get_timeseries_values(urn, DatasetProfileClass, {}, limit=5)
    assert [profile.rowCount for profile in profiles] == [3]
    semityped = graph.get_entity_semityped(urn)
    assert {"datasetKey", "datasetProperties", "globalTags"} <= set(semityped)
    many = graph.get_entities("dataset", [urn], ["globalTags"], with_system_metadata=True)
    aspect, metadata = many[urn]["globalTags"]
    assert isinstance(aspect, GlobalTagsClass)
    assert metadata is not None
    assert metadata.version == "1"
    assert urn in list(graph.get_urns_by_filter(entity_types=["dataset"], platform="hive"))
    assert urn in list(graph.list_all_entity_urns("dataset", 0, 1000) or [])


def test_the_sdk_patches(graph: DataHubGraph, request: pytest.FixtureRequest) -> None:
    urn, upstream = _urn(request), _urn(request, "up")
    column, source = make_schema_field_urn(urn, "c"), make_schema_field_urn(upstream, "c")
    term, owner = "urn:li:glossaryTerm:t", "urn:li:corpuser:ada"
    lineage = FineGrainedLineageClass(
        upstreamType=FineGrainedLineageUpstreamTypeClass.FIELD_SET,
        upstreams=[source],
        downstreamType=FineGrainedLineageDownstreamTypeClass.FIELD,
        downstreams=[column],
    )
    builder = (
        DatasetPatchBuilder(urn)
        .add_tag(TagAssociationClass(TAG))
        .add_term(GlossaryTermAssociationClass(term))
        .add_owner(OwnerClass(owner, OwnershipTypeClass.DATAOWNER))
        .add_custom_property("k", "v")
        .set_description("patched")
        .add_upstream_lineage(UpstreamClass(upstream, DatasetLineageTypeClass.TRANSFORMED))
        .add_fine_grained_lineage(lineage)
    )
    for proposal in builder.build():
        graph.emit_mcp(proposal)
    ownership = graph.get_aspect(urn, OwnershipClass)
    assert ownership is not None
    assert [one.owner for one in ownership.owners] == [owner]
    properties = graph.get_aspect(urn, DatasetPropertiesClass)
    assert properties is not None
    assert (properties.description, properties.customProperties) == ("patched", {"k": "v"})
    upstreams = graph.get_aspect(urn, UpstreamLineageClass)
    assert upstreams is not None
    assert [one.dataset for one in upstreams.upstreams] == [upstream]
    assert [one.upstreams for one in upstreams.fineGrainedLineages or []] == [[source]]
    removal = DatasetPatchBuilder(urn).remove_tag(TAG).remove_owner(owner)
    for proposal in removal.remove_custom_property("k").remove_upstream_lineage(upstream).build():
        graph.emit_mcp(proposal)
    tags, ownership = graph.get_aspect(urn, GlobalTagsClass), graph.get_aspect(urn, OwnershipClass)
    assert tags is not None
    assert ownership is not None
    assert (tags.tags, ownership.owners) == ([], [])


def test_the_sdk_deletes(graph: DataHubGraph, request: pytest.FixtureRequest) -> None:
    urn = _urn(request)
    tags = GlobalTagsClass([TagAssociationClass(f"urn:li:tag:{request.node.name}")])
    graph.emit_mcp(MetadataChangeProposalWrapper(entityUrn=urn, aspect=tags))
    count, _ = graph.delete_references_to_urn(tags.tags[0].tag, dry_run=True)
    assert count == 1
    graph.soft_delete_entity(urn)
    assert graph.exists(urn)
    assert graph.hard_delete_entity(urn)[0] > 0
    assert not graph.exists(urn)


@pytest.mark.slow
def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path) -> None:
    """Writers count what was answered while the hub is killed; every answer is kept."""
    with HubProcess(tmp_path) as hub:
        acknowledged: list[str] = []
        stop = threading.Event()

        def write(name: str) -> None:
            session, number = requests.Session(), 0
            while not stop.is_set():
                urn = f"urn:li:tag:{name}-{number}"
                value = json.dumps({"name": f"{number}"})
                proposal = {
                    "entityType": "tag",
                    "entityUrn": urn,
                    "changeType": "UPSERT",
                    "aspectName": "tagProperties",
                    "aspect": {"value": value, "contentType": "application/json"},
                }
                try:
                    url = f"{hub.url}/aspects?action=ingestProposal"
                    answer = session.post(url, json={"proposal": proposal}, timeout=5)
                except requests.RequestException:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    acknowledged.append(urn)
                    number += 1

        writers = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
        for writer in writers:
            writer.start()
        for _ in range(3):
            before = len(acknowledged)
            while len(acknowledged) < before + 60:
                time.sleep(0.02)
            hub.kill()
            hub.start()
        stop.set()
        for writer in writers:
            writer.join()
        kept = _all_tags(hub.url)
        assert len(acknowledged) >= 180
        assert set(acknowledged) <= kept
        told = _told_tags(hub.url)
        assert set(acknowledged) <= told


def _all_tags(url: str) -> set[str]:
    body = {"entity": "tag", "start": 0, "count": 100_000}
    answer = requests.post(f"{url}/entities?action=listUrns", json=body, timeout=30)
    return set(answer.json()["value"]["entities"])


def _told_tags(url: str) -> set[str]:
    """Whose change logs a consumer gets that reads from the start."""
    found: set[str] = set()
    params: dict[str, Any] = {
        "topic": "MetadataChangeLog_Versioned_v1",
        "offsetId": "0",
        "limit": 5000,
        "pollTimeoutSeconds": 0,
    }
    while True:
        page = requests.get(f"{url}/openapi/v1/events/poll", params=params, timeout=30).json()
        if not page["events"]:
            return found
        for event in page["events"]:
            log = json.loads(event["value"])
            if log["aspectName"] == {"string": "tagProperties"}:
                found.add(log["entityUrn"]["string"])
        params["offsetId"] = page["offsetId"]


def _serve(home: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [script("dataspoke"), "hub", "serve", "--home", str(home / "hub"), *options],
        env=clean_env(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_what_it_is_and_stops_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    process = _serve(tmp_path, "--port", "0")
    assert process.stdout is not None
    first, second = process.stdout.readline(), process.stdout.readline()
    url = next(word for word in first.split() if word.startswith("http://127.0.0.1:"))
    assert "never for production" in second
    deadline = time.monotonic() + 30
    while True:
        try:
            assert requests.get(f"{url}/health", timeout=5).status_code == 200
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    # A client that waits for events must not hold the end up.
    poll = f"{url}/openapi/v1/events/poll?topic=PlatformEvent_v1&pollTimeoutSeconds=10"
    waiting = threading.Thread(target=lambda: requests.get(poll, timeout=20))
    waiting.start()
    time.sleep(0.3)
    started = time.monotonic()
    process.send_signal(stop)
    _, errors = process.communicate(timeout=30)
    waiting.join()
    assert time.monotonic() - started < 8
    assert errors == ""
    assert process.returncode in (0, -stop, 128 + stop)


def test_a_busy_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = _serve(tmp_path, "--port", str(port))
        out, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert out == ""
    assert errors.startswith(f"Error: Cannot listen on 127.0.0.1:{port}:")
    assert "--port" in errors
    assert errors.count("\n") == 1


def test_a_folder_in_use_is_one_clear_sentence(hub: HubProcess, tmp_path: Path) -> None:
    process = _serve(hub.home, "--port", "0")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.startswith("Error: Cannot open the hub's folder")
    assert errors.count("\n") == 1


def test_an_option_that_makes_no_sense_is_one_clear_sentence(tmp_path: Path) -> None:
    process = _serve(tmp_path, "--port", "0", "--pg-queue", "nonsense")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.startswith("Error: Cannot ")
    assert errors.count("\n") == 1
