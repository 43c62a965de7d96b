"""Search, relationships, lineage and GraphQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_client import Client
from starlette.testclient import TestClient

from dataspoke.local_hub.app import create_app

DATASET = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.{},PROD)"
ORDERS, CUSTOMERS, REPORT = (DATASET.format(name) for name in ("orders", "customers", "report"))
USER, TAG, DOMAIN = "urn:li:corpuser:ada", "urn:li:tag:pii", "urn:li:domain:sales"


@pytest.fixture
def shop(client: Client) -> Client:
    """Three tables: a tag, an owner, a domain, a chain of lineage, columns."""
    for urn, name, text in (
        (ORDERS, "Orders", "What customers bought"),
        (CUSTOMERS, "Customers", "People with e-mail addresses"),
        (REPORT, "Monthly report", "Sums per month"),
    ):
        client.must_put(urn, "datasetProperties", {"name": name, "description": text})
    client.must_put(CUSTOMERS, "globalTags", {"tags": [{"tag": TAG}]})
    client.must_put(ORDERS, "ownership", {"owners": [{"owner": USER, "type": "DATAOWNER"}]})
    client.must_put(ORDERS, "domains", {"domains": [DOMAIN]})
    client.must_put(DOMAIN, "domainProperties", {"name": "Sales"})
    client.must_put(USER, "corpUserInfo", {"active": True, "displayName": "Ada"})
    stamp = {"time": 0, "actor": USER}
    for downstream, upstream in ((ORDERS, CUSTOMERS), (REPORT, ORDERS)):
        lineage = {"dataset": upstream, "type": "TRANSFORMED", "auditStamp": stamp}
        client.must_put(downstream, "upstreamLineage", {"upstreams": [lineage]})
    return client


SEARCH = """
query search($input: SearchAcrossEntitiesInput!) {
  searchAcrossEntities(input: $input) { total searchResults { entity { urn } } }
}"""


def _find(client: Client, query: str = "*", *criteria: dict[str, Any], **more: Any) -> list[str]:
    given = {"query": query, "count": 50, "types": ["DATASET"], **more}
    if criteria:
        given["orFilters"] = [{"and": list(criteria)}]
    found = client.graphql(SEARCH, input=given)
    assert "errors" not in found, found
    results = found["data"]["searchAcrossEntities"]
    urns = [result["entity"]["urn"] for result in results["searchResults"]]
    assert results["total"] >= len(urns)
    return urns


@pytest.mark.parametrize(
    ("query", "urns"),
    [
        ("*", {ORDERS, CUSTOMERS, REPORT}),
        ("", {ORDERS, CUSTOMERS, REPORT}),
        ("customers", {ORDERS, CUSTOMERS}),
        ("custom", {ORDERS, CUSTOMERS}),
        ("e-mail", {CUSTOMERS}),
        ("people AND addresses", {CUSTOMERS}),
        ("people bought", set()),
        ("people OR bought", {ORDERS, CUSTOMERS}),
        ("name:report", {REPORT}),
        ('"; DROP TABLE doc; --', set()),
        ("'\"*()", {ORDERS, CUSTOMERS, REPORT}),
    ],
)
def test_words_are_found(shop: Client, query: str, urns: set[str]) -> None:
    assert set(_find(shop, query)) == urns


def test_a_name_weighs_more_than_a_description(shop: Client) -> None:
    assert _find(shop, "customers")[0] == CUSTOMERS


@pytest.mark.parametrize(
    ("criterion", "urns"),
    [
        ({"field": "tags", "values": [TAG]}, {CUSTOMERS}),
        ({"field": "tags.keyword", "values": [TAG], "negated": True}, {ORDERS, REPORT}),
        ({"field": "owners", "values": [USER, "urn:li:corpuser:x"]}, {ORDERS}),
        ({"field": "domains", "condition": "EXISTS"}, {ORDERS}),
        ({"field": "domains", "condition": "EXISTS", "negated": True}, {CUSTOMERS, REPORT}),
        (
            {"field": "platform", "values": ["urn:li:dataPlatform:postgres"]},
            {ORDERS, CUSTOMERS, REPORT},
        ),
        ({"field": "origin", "values": ["DEV"]}, set()),
        ({"field": "env", "values": ["PROD"]}, {ORDERS, CUSTOMERS, REPORT}),
        ({"field": "urn", "values": [ORDERS]}, {ORDERS}),
        ({"field": "urn", "values": ["report"], "condition": "CONTAIN"}, {REPORT}),
        ({"field": "name", "values": ["mon"], "condition": "START_WITH"}, {REPORT}),
        ({"field": "name", "values": ["100%"], "condition": "CONTAIN"}, set()),
        ({"field": "name", "values": ["ORDERS"], "condition": "IEQUAL"}, {ORDERS}),
        ({"field": "description", "values": ["bought"], "condition": "END_WITH"}, {ORDERS}),
        ({"field": "_entityType", "values": ["DATASET"]}, {ORDERS, CUSTOMERS, REPORT}),
        ({"field": "notAField", "values": ["x"]}, set()),
        ({"field": 'odd" field', "values": ["x"]}, set()),
    ],
)
def test_filters_choose(shop: Client, criterion: dict[str, Any], urns: set[str]) -> None:
    criterion = {"condition": "EQUAL", **criterion}
    assert set(_find(shop, "*", criterion)) == urns


def test_what_is_soft_deleted_is_found_only_when_asked_for(shop: Client) -> None:
    shop.must_put(ORDERS, "status", {"removed": True})
    assert set(_find(shop)) == {CUSTOMERS, REPORT}
    removed = {"field": "removed", "condition": "EQUAL", "values": ["true"]}
    assert _find(shop, "*", removed) == [ORDERS]
    assert ORDERS in _find(shop, searchFlags={"includeSoftDeleted": True})
    shop.must_put(ORDERS, "status", {"removed": False})
    assert ORDERS in _find(shop)


def test_a_change_is_found_at_once(shop: Client) -> None:
    assert _find(shop, "unheard") == []
    shop.must_put(REPORT, "datasetProperties", {"name": "Unheard of"})
    assert _find(shop, "unheard") == [REPORT]
    assert _find(shop, "monthly") == []
    shop.http.post("/entities?action=delete", json={"urn": REPORT})
    assert _find(shop, "unheard") == []


def test_order_and_pages(shop: Client) -> None:
    def sort(order: str) -> dict[str, Any]:
        return {"sortCriteria": [{"field": "name", "sortOrder": order}]}

    assert _find(shop, sortInput=sort("ASCENDING")) == [CUSTOMERS, REPORT, ORDERS]
    assert _find(shop, sortInput=sort("DESCENDING")) == [ORDERS, REPORT, CUSTOMERS]
    assert _find(shop, sortInput=sort("ASCENDING"), start=1, count=1) == [REPORT]


def test_values_are_counted(shop: Client) -> None:
    query = """{ searchAcrossEntities(input: {query: "*", types: [DATASET], count: 0}) {
        facets { field aggregations { value count } } } }"""
    facets = shop.graphql(query)["data"]["searchAcrossEntities"]["facets"]
    counted = {
        facet["field"]: {item["value"]: item["count"] for item in facet["aggregations"]}
        for facet in facets
    }
    assert counted["tags"] == {TAG: 1}
    assert counted["platform"] == {"urn:li:dataPlatform:postgres": 3}
    assert counted["_entityType"] == {"DATASET": 3}


def test_rest_li_searches_one_type(shop: Client) -> None:
    body = {"input": "customers", "entity": "dataset", "start": 0, "count": 10}
    found = shop.http.post("/entities?action=search", json=body).json()["value"]
    assert found["numEntities"] == 2
    assert found["entities"][0]["entity"] == CUSTOMERS


def _related(client: Client, urn: str, direction: str, **more: Any) -> Any:
    params = {"urn": urn, "direction": direction, **more}
    return client.http.get("/openapi/relationships/v1/", params=params).json()


def test_relationships_are_read_from_both_ends_in_pages(shop: Client) -> None:
    assert _related(shop, ORDERS, "OUTGOING", relationshipTypes="OwnedBy") == {
        "start": 0,
        "count": 1,
        "total": 1,
        "entities": [{"urn": USER, "relationshipType": "OwnedBy"}],
    }
    incoming = _related(shop, ORDERS, "INCOMING")
    assert incoming["entities"] == [{"urn": REPORT, "relationshipType": "DownstreamOf"}]
    assert _related(shop, ORDERS, "INCOMING", start=1)["count"] == 0


def test_relationships_of_what_is_soft_deleted_are_hidden(shop: Client) -> None:
    shop.must_put(REPORT, "status", {"removed": True})
    assert _related(shop, ORDERS, "INCOMING")["total"] == 0


def test_relationships_are_scrolled(shop: Client) -> None:
    path = "/openapi/v3/relationship/scroll"
    body = {"sourceFilter": {"or": [{"and": [{"field": "urn", "values": [ORDERS]}]}]}}
    found, scroll = [], None
    while True:
        params = {"count": 1} | ({"scrollId": scroll} if scroll else {})
        page = shop.http.post(path, params=params, json=body).json()
        found += [(r["relationshipType"], r["destination"]["urn"]) for r in page["results"]]
        scroll = page.get("scrollId")
        if scroll is None:
            break
    assert {("OwnedBy", USER), ("DownstreamOf", CUSTOMERS), ("AssociatedWith", DOMAIN)} <= set(
        found
    )
    assert len(found) == len(set(found))


def test_lineage_is_scrolled_with_its_direction(shop: Client) -> None:
    answer = shop.http.post("/openapi/v3/lineage/scroll", json={"urns": [ORDERS]}).json()
    pairs = {(r["upstream"], r["downstream"]) for r in answer["results"]}
    assert pairs == {(CUSTOMERS, ORDERS), (ORDERS, REPORT)}


@pytest.mark.parametrize(
    ("direction", "filters", "found"),
    [
        ("UPSTREAM", None, [(ORDERS, 1), (CUSTOMERS, 2)]),
        ("DOWNSTREAM", None, []),
        (
            "UPSTREAM",
            [{"and": [{"field": "degree", "condition": "EQUAL", "values": ["1"]}]}],
            [(ORDERS, 1)],
        ),
    ],
)
def test_lineage_is_walked(shop: Client, direction: str, filters: Any, found: Any) -> None:
    query = """query x($input: ScrollAcrossLineageInput!) { scrollAcrossLineage(input: $input) {
        nextScrollId searchResults { degree entity { urn type } paths { path { urn } } } } }"""
    given = {"urn": REPORT, "direction": direction, "query": "*", "count": 10}
    if filters is not None:
        given["orFilters"] = filters
    answer = shop.graphql(query, input=given)["data"]["scrollAcrossLineage"]
    results = answer["searchResults"]
    assert [(result["entity"]["urn"], result["degree"]) for result in results] == found
    for result in results:
        path = [step["urn"] for step in result["paths"][0]["path"]]
        assert (path[0], path[-1]) == (REPORT, result["entity"]["urn"])


def test_references_are_counted_and_removed(shop: Client) -> None:
    def references(*, dry: bool) -> Any:
        body = {"urn": TAG, "dryRun": dry}
        return shop.http.post("/entities?action=deleteReferences", json=body).json()["value"]

    expected = {"entity": CUSTOMERS, "relationship": "TaggedWith", "aspect": "globalTags"}
    assert references(dry=True) == {"total": 1, "relatedAspects": [expected]}
    assert shop.get(CUSTOMERS, "globalTags") == {"tags": [{"tag": TAG}]}
    assert references(dry=False)["total"] == 1
    assert shop.get(CUSTOMERS, "globalTags") == {"tags": []}
    assert references(dry=True)["total"] == 0


def test_an_entity_is_shown_with_its_neighbours(shop: Client) -> None:
    query = """query x($urn: String!) { dataset(urn: $urn) {
        urn type name origin properties { name description }
        platform { name properties { displayName } }
        ownership { owners { owner { ... on CorpUser { username properties { displayName } } } } }
        domain { domain { properties { name } } }
        tags { tags { tag { urn } } } } }"""
    assert shop.graphql(query, urn=ORDERS) == {
        "data": {
            "dataset": {
                "urn": ORDERS,
                "type": "DATASET",
                "name": "shop.orders",
                "origin": "PROD",
                "properties": {"name": "Orders", "description": "What customers bought"},
                "platform": {"name": "postgres", "properties": {"displayName": "PostgreSQL"}},
                "ownership": {
                    "owners": [{"owner": {"username": "ada", "properties": {"displayName": "Ada"}}}]
                },
                "domain": {"domain": {"properties": {"name": "Sales"}}},
                "tags": None,
            }
        }
    }


def test_an_absent_entity_says_that_it_does_not_exist(shop: Client) -> None:
    query = "query x($urn: String!) { dataset(urn: $urn) { exists properties { name } } }"
    assert shop.graphql(query, urn=DATASET.format("absent")) == {
        "data": {"dataset": {"exists": False, "properties": None}}
    }


def test_columns_are_shown_with_their_types(shop: Client) -> None:
    field = {
        "fieldPath": "id",
        "nativeDataType": "int8",
        "type": {"type": {"com.linkedin.schema.NumberType": {}}},
        "globalTags": {"tags": [{"tag": TAG}]},
    }
    schema = {
        "schemaName": "s",
        "platform": "urn:li:dataPlatform:postgres",
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": [field],
    }
    shop.must_put(ORDERS, "schemaMetadata", schema)
    query = """query x($urn: String!) { dataset(urn: $urn) { schemaMetadata(version: 0) {
        fields { fieldPath type nativeDataType tags { tags { tag { urn } } } } } } }"""
    assert shop.graphql(query, urn=ORDERS)["data"]["dataset"]["schemaMetadata"]["fields"] == [
        {
            "fieldPath": "id",
            "type": "NUMBER",
            "nativeDataType": "int8",
            "tags": {"tags": [{"tag": {"urn": TAG}}]},
        }
    ]


@pytest.mark.parametrize(
    "query",
    [
        "{ nonsense }",
        "{ dataset(urn: 1) { urn } }",
        '{ dataset(urn: "x") { notAField } }',
        "{ dataset { urn } }",
        "{",
        "",
        '{ dataset(urn: "nonsense") { urn } }',
        "mutation { createTag(input: {name: 1}) }",
    ],
)
def test_a_question_that_makes_no_sense_gets_errors_and_no_failure(
    client: Client, query: str
) -> None:
    found = client.graphql(query)
    assert found["errors"]
    assert all(error["message"] for error in found["errors"])


def test_introspection_answers(client: Client) -> None:
    found = client.graphql('{ __type(name: "SearchFlags") { inputFields { name } } }')
    names = {field["name"] for field in found["data"]["__type"]["inputFields"]}
    assert {"skipCache", "fetchExtraFields"} <= names


def test_the_client_is_told_who_it_is(client: Client) -> None:
    found = client.graphql("{ me { corpUser { username } } appConfig { appVersion } }")
    assert found["data"]["me"]["corpUser"]["username"] == "datahub"


def test_tags_are_made_put_on_and_taken_off(shop: Client) -> None:
    make = 'mutation { createTag(input: {id: "new", name: "New"}) }'
    assert shop.graphql(make)["data"] == {"createTag": "urn:li:tag:new"}
    assert "errors" in shop.graphql(make)
    for field, tags in (("addTag", [{"tag": "urn:li:tag:new"}]), ("removeTag", [])):
        change = f"""mutation x($urn: String!) {{
            {field}(input: {{tagUrn: "urn:li:tag:new", resourceUrn: $urn}}) }}"""
        assert shop.graphql(change, urn=ORDERS)["data"] == {field: True}
        assert shop.get(ORDERS, "globalTags") == {"tags": tags}


def test_assertions_are_made_and_their_results_reported(shop: Client) -> None:
    make = """mutation x($urn: String!) { upsertCustomAssertion(input: {entityUrn: $urn,
        type: "volume", description: "rows", platform: {name: "spoke"}}) { urn } }"""
    urn = shop.graphql(make, urn=ORDERS)["data"]["upsertCustomAssertion"]["urn"]
    report = """mutation x($urn: String!) { reportAssertionResult(urn: $urn,
        result: {timestampMillis: 5, type: FAILURE, properties: [{key: "k", value: "v"}]}) }"""
    assert shop.graphql(report, urn=urn)["data"] == {"reportAssertionResult": True}
    query = """query x($urn: String!) { assertion(urn: $urn) { runEvents {
        total failed runEvents { result { type nativeResults { key value } } } } } }"""
    events = shop.graphql(query, urn=urn)["data"]["assertion"]["runEvents"]
    assert (events["total"], events["failed"]) == (1, 1)
    assert events["runEvents"][0]["result"]["nativeResults"] == [{"key": "k", "value": "v"}]


@pytest.mark.parametrize("damage", ["lost", "damaged", "ahead"])
def test_an_index_that_cannot_be_used_is_built_anew(
    tmp_path: Path, damage: str, make_client: Callable[..., Client]
) -> None:
    home = tmp_path / "home"
    with TestClient(create_app(home)) as http:
        Client(http).must_put(ORDERS, "datasetProperties", {"name": "Orders"})
        assert _find(Client(http), "orders") == [ORDERS]
    index = home / "index.db"
    for suffix in ("-wal", "-shm"):
        (home / f"index.db{suffix}").unlink(missing_ok=True)
    if damage == "lost":
        index.unlink()
    elif damage == "damaged":
        index.write_bytes(b"no database" * 1000)
    else:
        connection = sqlite3.connect(index)
        connection.execute("UPDATE state SET cursor = 999999")
        connection.commit()
        connection.close()
    with TestClient(create_app(home)) as http:
        assert _find(Client(http), "orders") == [ORDERS]


def test_answers_are_json(client: Client) -> None:
    answer = client.http.post("/api/graphql", content=json.dumps({"query": "{ __typename }"}))
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {"data": {"__typename": "Query"}}
