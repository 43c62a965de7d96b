"""`datahub search | lineage | graphql | timeline`: what people find, and how they look for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.ingestion.graph.client import DataHubGraph
from datahub.metadata.schema_classes import (
    ChangeAuditStampsClass,
    ChartInfoClass,
    DatasetPropertiesClass,
    FineGrainedLineageClass,
    GlobalTagsClass,
    TagAssociationClass,
    UpstreamClass,
    UpstreamLineageClass,
)
from datahub_shell import DatahubShell

RAW, DAILY = (
    f"urn:li:dataset:(urn:li:dataPlatform:findable,otter.{name},PROD)" for name in ("raw", "daily")
)
REPORT = "urn:li:dataset:(urn:li:dataPlatform:findtoo,otter.report,DEV)"
CHART = "urn:li:chart:(findchart,otter)"


def column(urn: str, name: str) -> str:
    return f"urn:li:schemaField:({urn},{name})"


def reads(urn: str, upstream: str) -> UpstreamLineageClass:
    """That a dataset is made of another one, and its column `n` of the other's."""
    columns = FineGrainedLineageClass(
        upstreamType="FIELD_SET",
        upstreams=[column(upstream, "n")],
        downstreamType="FIELD",
        downstreams=[column(urn, "n")],
    )
    return UpstreamLineageClass([UpstreamClass(upstream, "TRANSFORMED")], [columns])


@pytest.fixture(scope="module", autouse=True)
def otters(reader: DataHubGraph) -> None:
    aspects: list[tuple[str, Any]] = [
        (RAW, DatasetPropertiesClass(name="raw", description="otters as counted")),
        (RAW, GlobalTagsClass([TagAssociationClass("urn:li:tag:river")])),
        (DAILY, DatasetPropertiesClass(name="daily")),
        (DAILY, reads(DAILY, RAW)),
        (REPORT, reads(REPORT, DAILY)),
        (CHART, ChartInfoClass("otter", "seen", ChangeAuditStampsClass(), inputs=[REPORT])),
    ]
    for urn, aspect in aspects:
        reader.emit_mcp(MetadataChangeProposalWrapper(entityUrn=urn, aspect=aspect))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("counted",), {RAW}),
        (("*", "--filter", "platform=findable"), {RAW, DAILY}),
        (("*", "--filter", "platform=findable,findtoo"), {RAW, DAILY, REPORT}),
        (("otter", "--filter", "entity_type=chart"), {CHART}),
        (("otter", "--filter", "entity_type=dataset", "--filter", "env=DEV"), {REPORT}),
        (("otter", "--where", "platform = findable AND NOT tag IS NOT NULL"), {DAILY}),
        (("*", "--where", "tag IN (urn:li:tag:river)"), {RAW}),
        (
            ("otter", "--filters", '{"or": [{"env": ["DEV"]}, {"tag": ["urn:li:tag:river"]}]}'),
            {RAW, REPORT},
        ),
        (("otter", "--filters", '{"not": {"entity_type": ["dataset"]}}'), {CHART}),
    ],
)
def test_search_finds_what_the_filters_say(
    datahub: DatahubShell, options: tuple[str, ...], expected: set[str]
) -> None:
    assert set(datahub("search", *options, "--urns-only").split()) == expected


def test_a_search_for_everything_shows_what_people_browse(datahub: DatahubShell) -> None:
    found = datahub.json("search", "*", "--limit", "50")
    types = {result["entity"]["type"] for result in found["searchResults"]}
    assert {"DATASET", "CHART", "CORP_USER"} <= types
    assert not types & {"INGESTION_SOURCE", "EXECUTION_REQUEST", "DATAHUB_POLICY", "DATA_PLATFORM"}


def test_pages_do_not_overlap_and_agree_on_the_total(datahub: DatahubShell) -> None:
    pages = [
        datahub.json("search", "otter", "--limit", "2", "--offset", str(start)) for start in (0, 2)
    ]
    urns = [{one["entity"]["urn"] for one in page["searchResults"]} for page in pages]
    assert [page["total"] for page in pages] == [4, 4]
    assert (len(urns[0]), len(urns[1]), urns[0] & urns[1]) == (2, 2, set())


def test_formats_of_a_search(datahub: DatahubShell) -> None:
    table = datahub("search", "counted", "--table")
    assert "otters as counted" in table
    assert "Showing 1-1 of 1 results" in table
    facets = datahub.json("search", "otter", "--facets-only")["facets"]
    counted = {facet["field"]: facet["aggregations"] for facet in facets}
    platforms = {one["value"]: one["count"] for one in counted["platform"]}
    assert platforms["urn:li:dataPlatform:findable"] == 2
    only = datahub.json("search", "counted", "--projection", "urn")["searchResults"]
    assert [set(one["entity"]) - {"__typename"} for one in only] == [{"urn"}]


def test_the_diagnosis_says_what_works(datahub: DatahubShell) -> None:
    told = datahub.json("search", "diagnose", "--format", "json")
    assert (told["keyword"]["connected"], told["keyword"]["search_works"]) == (True, True)
    assert told["semantic"]["semantic_enabled"] is False


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--urn", RAW, "--direction", "downstream"), {DAILY: 1, REPORT: 2, CHART: 3}),
        (("--urn", RAW, "--direction", "downstream", "--hops", "1"), {DAILY: 1}),
        (("--urn", CHART, "--direction", "upstream"), {REPORT: 1, DAILY: 2, RAW: 3}),
        (("--urn", RAW, "--column", "n", "--direction", "downstream"), {DAILY: 1, REPORT: 2}),
        (("--urn", REPORT, "--column", "n", "--direction", "upstream"), {DAILY: 1, RAW: 2}),
        (("--urn", RAW, "--column", "m", "--direction", "downstream"), {}),
    ],
)
def test_lineage_is_walked(
    datahub: DatahubShell, options: tuple[str, ...], expected: dict[str, int]
) -> None:
    told = datahub.json("lineage", *options, "--format", "json")
    entities = told["entities"] if "entities" in told else told["results"]
    assert {one["urn"]: one["hops"] for one in entities} == expected


@pytest.mark.parametrize("columns", [(), ("--from-column", "n", "--to-column", "n")])
def test_a_path_is_found(datahub: DatahubShell, columns: tuple[str, ...]) -> None:
    told = datahub("lineage", "path", "--from", RAW, "--to", REPORT, *columns)
    assert "Path found (2 hops):" in told
    assert "No path found" in datahub("lineage", "path", "--from", RAW, "--to", RAW)


def test_graphql_is_asked_in_every_way(datahub: DatahubShell) -> None:
    query = "query d($urn: String!) { dataset(urn: $urn) { properties { name } } }"
    asked = ("--query", query, "--variables", json.dumps({"urn": RAW}), "--format", "json")
    assert datahub.json("graphql", *asked) == {"dataset": {"properties": {"name": "raw"}}}
    by_name = ("--operation", "dataset", "--variables", json.dumps({"urn": RAW}))
    assert datahub.json("graphql", *by_name) == {"dataset": {"urn": RAW}}
    me = datahub.json("graphql", "--operation", "me")["me"]["corpUser"]
    assert me["urn"] == "urn:li:corpuser:datahub"
    schema = datahub.json("graphql", "--list-operations", "--format", "json")["schema"]
    assert {"search", "me", "dataset"} <= {one["name"] for one in schema["queries"]}
    assert "addTag" in {one["name"] for one in schema["mutations"]}
    described = datahub.json("graphql", "--describe", "searchAcrossEntities", "--format", "json")
    taken = described["operation"]["arguments"][0]["type"]
    assert (taken["kind"], taken["ofType"]["name"]) == ("NON_NULL", "SearchAcrossEntitiesInput")
    assert "orFilters" in datahub("graphql", "--describe", "SearchAcrossEntitiesInput", "--recurse")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("{ nothing { here } }", "Cannot query field"),
        ("{ me ", "Syntax Error"),
        ('{ dataset(urn: "x") { nope } }', "nope"),
    ],
)
def test_a_wrong_query_is_explained(datahub: DatahubShell, query: str, told: str) -> None:
    done = datahub.run("graphql", "--query", query)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_timeline_tells_who_was_tagged(datahub: DatahubShell) -> None:
    told = datahub("timeline", "--urn", RAW, "-c", "TAG")
    assert "ADD TAG" in told
    assert "river" in told


@pytest.mark.parametrize(
    "usage",
    [
        lambda: ("search", "*", "--limit", "0"),
        lambda: ("search", "*", "--filter", "a=b", "--filters", "{}"),
        lambda: ("graphql",),
    ],
)
def test_usage_errors_are_the_tools_own(
    datahub: DatahubShell, usage: Callable[[], tuple[str, ...]]
) -> None:
    assert datahub.run(*usage()).returncode == 2


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"scenario": "HOME"}, {"Platforms"}),
        ({"scenario": "HOME", "modules": ["PLATFORMS"]}, {"Platforms"}),
        ({"scenario": "HOME", "modules": ["DOMAINS"]}, set()),
        ({"scenario": "SEARCH_RESULTS"}, set()),
    ],
)
def test_the_home_page_recommends_platforms(
    datahub: DatahubShell, context: dict[str, Any], expected: set[str]
) -> None:
    query = (
        "query r($input: ListRecommendationsInput!) { listRecommendations(input: $input) "
        "{ modules { moduleId title content { value entity { urn } } } } }"
    )
    given = {"userUrn": "urn:li:corpuser:datahub", "limit": 100, "requestContext": context}
    variables = json.dumps({"input": given})
    found = datahub.json("graphql", "--query", query, "--variables", variables, "--format", "json")
    modules = found["listRecommendations"]["modules"]
    assert {one["moduleId"] for one in modules} - {"Domains"} == expected
    if expected:
        assert "urn:li:dataPlatform:findable" in {one["value"] for one in modules[0]["content"]}
