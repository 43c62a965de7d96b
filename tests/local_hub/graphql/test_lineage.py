"""Lineage through what makes it: the queries and jobs between datasets and between columns."""

from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

JOB = "urn:li:dataJob:(urn:li:dataFlow:(airflow,nightly,PROD),load)"
QUERY = "urn:li:query:nightly"
ACROSS = """query across($input: SearchAcrossLineageInput!) { searchAcrossLineage(input: $input) {
    searchResults { entity { urn } degree paths { path { urn } } } } }"""


def table(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,lineage.{name},PROD)"


def column(name: str) -> str:
    return f"urn:li:schemaField:({table(name)},id)"


@pytest.fixture(scope="module", autouse=True)
def written(hub: Client) -> None:
    """raw → (query) → clean → (job) → report, of the tables and of their columns."""
    for name in ("raw", "clean", "report"):
        hub.must_put(table(name), "status", {"removed": False})

    def columns(up: str, down: str) -> dict[str, Any]:
        return {
            "upstreamType": "FIELD_SET",
            "upstreams": [column(up)],
            "downstreamType": "FIELD",
            "downstreams": [column(down)],
        }

    upstream = {"dataset": table("raw"), "type": "TRANSFORMED", "query": QUERY}
    lineage = {
        "upstreams": [upstream],
        "fineGrainedLineages": [{**columns("raw", "clean"), "query": QUERY}],
    }
    hub.must_put(table("clean"), "upstreamLineage", lineage)
    stated = {
        "inputDatasets": [table("clean")],
        "outputDatasets": [table("report")],
        "fineGrainedLineages": [columns("clean", "report")],
    }
    hub.must_put(JOB, "dataJobInputOutput", stated)


CASES: list[tuple[str, str, dict[str, tuple[int, list[str]]]]] = [
    (
        table("raw"),
        "DOWNSTREAM",
        {
            table("clean"): (1, [table("raw"), QUERY, table("clean")]),
            JOB: (2, [table("raw"), QUERY, table("clean"), JOB]),
            table("report"): (3, [table("raw"), QUERY, table("clean"), JOB, table("report")]),
        },
    ),
    (
        column("raw"),
        "DOWNSTREAM",
        {
            table("clean"): (1, [column("raw"), QUERY, column("clean")]),
            JOB: (2, [column("raw"), QUERY, column("clean"), JOB]),
            table("report"): (2, [column("raw"), QUERY, column("clean"), JOB, column("report")]),
        },
    ),
    (
        column("report"),
        "UPSTREAM",
        {
            JOB: (1, [column("report"), JOB]),
            table("clean"): (1, [column("report"), JOB, column("clean")]),
            table("raw"): (2, [column("report"), JOB, column("clean"), QUERY, column("raw")]),
        },
    ),
]


@pytest.mark.parametrize(("urn", "direction", "expected"), CASES)
def test_paths_name_what_they_lead_through(
    hub: Client, urn: str, direction: str, expected: dict[str, tuple[int, list[str]]]
) -> None:
    given = {"urn": urn, "direction": direction, "query": "*"}
    found = hub.graphql(ACROSS, input=given)["data"]["searchAcrossLineage"]["searchResults"]
    assert {
        one["entity"]["urn"]: (
            one["degree"],
            *([step["urn"] for step in path["path"]] for path in one["paths"]),
        )
        for one in found
    } == expected


def test_a_query_is_found_when_its_type_is_named(hub: Client) -> None:
    given = {"urn": table("raw"), "direction": "DOWNSTREAM", "query": "*", "types": ["QUERY"]}
    found = hub.graphql(ACROSS, input=given)["data"]["searchAcrossLineage"]["searchResults"]
    assert [one["entity"]["urn"] for one in found] == [QUERY]


def test_no_tags_to_add_change_nothing(hub: Client) -> None:
    mutation = "mutation x($input: AddTagsInput!) { addTags(input: $input) }"
    given = {"tagUrns": [], "resourceUrn": table("raw")}
    assert hub.graphql(mutation, input=given) == {"data": {"addTags": True}}
