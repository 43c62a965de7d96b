"""Editing and reading the catalogue over GraphQL: labels, owners, domains, glossary, browsing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hub_client import Client

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.orders,PROD)"
SALES = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.sales,PROD)"
PII, ADA = "urn:li:tag:pii", "urn:li:corpuser:ada"
REVENUE = "urn:li:glossaryTerm:finance.revenue"
STAMP = {"time": 1, "actor": ADA}


@pytest.fixture
def shop(client: Client) -> Client:
    for urn in (ORDERS, SALES):
        client.must_put(urn, "datasetProperties", {"name": urn.split(",")[1], "description": "d"})
    client.must_put(PII, "tagProperties", {"name": "Personal data", "description": "of people"})
    client.must_put(ADA, "corpUserInfo", {"active": True, "displayName": "Ada"})
    info = {"definition": "Money earned", "termSource": "INTERNAL"}
    client.must_put(REVENUE, "glossaryTermInfo", info)
    return client


@pytest.fixture
def mutate(shop: Client) -> Callable[..., Any]:
    def call(field: str, kind: str, **given: Any) -> Any:
        query = f"mutation m($input: {kind}!) {{ {field}(input: $input) }}"
        answer = shop.graphql(query, input=given)
        assert "errors" not in answer, answer["errors"]
        return answer["data"][field]

    return call


def dataset(shop: Client, fields: str, urn: str = ORDERS) -> Any:
    answer = shop.graphql(
        f"query q($urn: String!) {{ dataset(urn: $urn) {{ {fields} }} }}", urn=urn
    )
    assert "errors" not in answer, answer["errors"]
    return answer["data"]["dataset"]


LABELS = [
    ("Tag", "TagAssociationInput", {"tagUrn": PII}, "globalTags { tags { tag { urn name } } }"),
    (
        "Term",
        "TermAssociationInput",
        {"termUrn": REVENUE},
        "glossaryTerms { terms { term { urn name } } }",
    ),
]


@pytest.mark.parametrize(("label", "kind", "named", "fields"), LABELS)
@pytest.mark.parametrize("column", [None, "id"])
def test_labels_are_put_on_and_taken_off(
    shop: Client,
    mutate: Callable[..., Any],
    label: str,
    kind: str,
    named: dict[str, str],
    fields: str,
    column: str | None,
) -> None:
    aspect, items = fields.split()[0], fields.split()[2]

    def shown() -> Any:
        if column is None:
            return dataset(shop, fields)[aspect]
        found = dataset(
            shop, f"editableSchemaMetadata {{ editableSchemaFieldInfo {{ {fields} }} }}"
        )
        schema = found["editableSchemaMetadata"]
        return schema and schema["editableSchemaFieldInfo"][0][aspect]

    where = {"resourceUrn": ORDERS, **named}
    if column:
        where |= {"subResource": column, "subResourceType": "DATASET_FIELD"}
    assert shown() is None
    assert mutate(f"add{label}", kind, **where) is True
    assert mutate(f"add{label}", kind, **where) is True
    name = {"Tag": "Personal data", "Term": "revenue"}[label]
    assert shown() == {items: [{label.lower(): {"urn": next(iter(named.values())), "name": name}}]}
    assert mutate(f"remove{label}", kind, **where) is True
    assert shown() == {items: []}


def test_a_batch_labels_all_or_none(shop: Client, mutate: Callable[..., Any]) -> None:
    query = "mutation m($input: BatchAddTagsInput!) { batchAddTags(input: $input) }"
    resources = [{"resourceUrn": ORDERS}, {"resourceUrn": SALES.replace("sales", "absent")}]
    refused = shop.graphql(query, input={"tagUrns": [PII], "resources": resources})
    assert refused["data"] == {"batchAddTags": None}
    assert refused["errors"][0]["extensions"]["code"] == 400
    assert shop.get(ORDERS, "globalTags") is None

    resources[1] = {"resourceUrn": SALES}
    assert mutate("batchAddTags", "BatchAddTagsInput", tagUrns=[PII], resources=resources)
    assert [shop.get(urn, "globalTags") for urn in (ORDERS, SALES)] == [
        {"tags": [{"tag": PII}]}
    ] * 2


OWNERS = [
    ({"type": "DATAOWNER"}, "DATAOWNER", "urn:li:ownershipType:__system__dataowner"),
    (
        {"ownershipTypeUrn": "urn:li:ownershipType:__system__technical_owner"},
        "TECHNICAL_OWNER",
        "urn:li:ownershipType:__system__technical_owner",
    ),
    ({"ownershipTypeUrn": "urn:li:ownershipType:ours"}, "CUSTOM", "urn:li:ownershipType:ours"),
    ({}, "NONE", "urn:li:ownershipType:__system__none"),
]


@pytest.mark.parametrize(("given", "kind", "urn"), OWNERS)
def test_an_owner_has_a_type_by_name_and_by_urn(
    shop: Client, mutate: Callable[..., Any], given: dict[str, str], kind: str, urn: str
) -> None:
    who = {"ownerUrn": ADA, "ownerEntityType": "CORP_USER", "resourceUrn": ORDERS}
    assert mutate("addOwner", "AddOwnerInput", **who, **given)
    (owner,) = shop.get(ORDERS, "ownership")["owners"]
    assert (owner["owner"], owner["type"], owner["typeUrn"]) == (ADA, kind, urn)
    assert mutate("removeOwner", "RemoveOwnerInput", ownerUrn=ADA, resourceUrn=ORDERS)
    assert shop.get(ORDERS, "ownership")["owners"] == []


def test_domains_form_a_tree_that_holds_datasets(shop: Client, mutate: Callable[..., Any]) -> None:
    root = mutate("createDomain", "CreateDomainInput", id="root", name="Root")
    leaf = mutate("createDomain", "CreateDomainInput", id="leaf", name="Leaf", parentDomain=root)
    put = "mutation m($e: String!, $d: String!) { setDomain(entityUrn: $e, domainUrn: $d) }"
    assert shop.graphql(put, e=ORDERS, d=leaf)["data"] == {"setDomain": True}
    fields = "domain { domain { urn parentDomains { count domains { urn } } entities { total } } }"
    assert dataset(shop, fields)["domain"]["domain"] == {
        "urn": leaf,
        "parentDomains": {"count": 1, "domains": [{"urn": root}]},
        "entities": {"total": 1},
    }
    delete = "mutation m($urn: String!) { deleteDomain(urn: $urn) }"
    assert "child" in shop.graphql(delete, urn=root)["errors"][0]["message"]
    assert shop.graphql(delete, urn=leaf)["data"] == {"deleteDomain": True}
    assert shop.graphql(delete, urn=root)["data"] == {"deleteDomain": True}
    assert dataset(shop, "domain { domain { urn } }") == {"domain": None}


def test_a_domain_cannot_be_moved_below_itself(shop: Client, mutate: Callable[..., Any]) -> None:
    root = mutate("createDomain", "CreateDomainInput", id="root", name="Root")
    leaf = mutate("createDomain", "CreateDomainInput", id="leaf", name="Leaf", parentDomain=root)
    move = "mutation m($input: MoveDomainInput!) { moveDomain(input: $input) }"
    refused = shop.graphql(move, input={"resourceUrn": root, "parentDomain": leaf})
    assert refused["errors"][0]["extensions"]["type"] == "BAD_REQUEST"
    assert mutate("moveDomain", "MoveDomainInput", resourceUrn=leaf) is True
    assert "parentDomain" not in shop.get(leaf, "domainProperties")


def test_the_glossary_counts_the_children_of_a_node(
    shop: Client, mutate: Callable[..., Any]
) -> None:
    node = mutate("createGlossaryNode", "CreateGlossaryEntityInput", id="n", name="Node")
    term = mutate(
        "createGlossaryTerm", "CreateGlossaryEntityInput", id="t", name="Term", parentNode=node
    )
    query = """query q($urn: String!) { glossaryTerm(urn: $urn) { properties { name termSource }
        parentNodes { nodes { urn childrenCount { termsCount nodesCount } } } } }"""
    assert shop.graphql(query, urn=term)["data"]["glossaryTerm"] == {
        "properties": {"name": "Term", "termSource": "INTERNAL"},
        "parentNodes": {
            "nodes": [{"urn": node, "childrenCount": {"termsCount": 1, "nodesCount": 0}}]
        },
    }


def test_a_deprecation_forgets_what_is_not_said_again(
    shop: Client, mutate: Callable[..., Any]
) -> None:
    fields = "deprecation { deprecated decommissionTime note actor }"
    said = {"urn": ORDERS, "deprecated": True, "note": "old", "decommissionTime": 0}
    assert mutate("updateDeprecation", "UpdateDeprecationInput", **said)
    expected = {
        "deprecated": True,
        "decommissionTime": 0,
        "note": "old",
        "actor": "urn:li:corpuser:datahub",
    }
    assert dataset(shop, fields)["deprecation"] == expected
    assert mutate("updateDeprecation", "UpdateDeprecationInput", urn=ORDERS, deprecated=False)
    assert dataset(shop, fields)["deprecation"] == {
        **expected,
        "deprecated": False,
        "decommissionTime": None,
        "note": "",
    }


def test_links_are_added_changed_and_removed(shop: Client, mutate: Callable[..., Any]) -> None:
    link = {"resourceUrn": ORDERS, "linkUrl": "https://a.example", "label": "A"}
    fields = "institutionalMemory { elements { url label updated { actor } } }"
    assert mutate("addLink", "AddLinkInput", **link)
    again = shop.graphql("mutation m($i: AddLinkInput!) { addLink(input: $i) }", i=link)
    assert "already exists" in again["errors"][0]["message"]
    changed = {**link, "currentUrl": link["linkUrl"], "currentLabel": "A", "label": "B"}
    assert mutate("updateLink", "UpdateLinkInput", **changed)
    (shown,) = dataset(shop, fields)["institutionalMemory"]["elements"]
    assert shown == {
        "url": "https://a.example",
        "label": "B",
        "updated": {"actor": "urn:li:corpuser:datahub"},
    }
    assert mutate("removeLink", "RemoveLinkInput", **{**link, "label": "B"})
    assert dataset(shop, fields)["institutionalMemory"]["elements"] == []


def test_folders_hold_what_names_them_and_count_what_is_deeper(shop: Client) -> None:
    shop.must_put(ORDERS, "browsePaths", {"paths": ["/prod", "/prod/a"]})
    shop.must_put(SALES, "browsePaths", {"paths": ["/prod/a"]})
    query = """query q($input: BrowseInput!) { browse(input: $input) { total entities { urn }
        groups { name count } metadata { totalNumEntities } } }"""
    assert shop.graphql(query, input={"type": "DATASET", "path": ["prod"]})["data"]["browse"] == {
        "total": 1,
        "entities": [{"urn": ORDERS}],
        "groups": [{"name": "a", "count": 2}],
        "metadata": {"totalNumEntities": 2},
    }


def test_lineage_is_stated_and_counted(shop: Client, mutate: Callable[..., Any]) -> None:
    edge = {"downstreamUrn": SALES, "upstreamUrn": ORDERS}
    assert mutate("updateLineage", "UpdateLineageInput", edgesToAdd=[edge], edgesToRemove=[])
    fields = """upstream: lineage(input: {direction: UPSTREAM}) { total }
        downstream: lineage(input: {direction: DOWNSTREAM}) { relationships { entity { urn } } }"""
    assert dataset(shop, fields, SALES)["upstream"] == {"total": 1}
    found = dataset(shop, fields, ORDERS)["downstream"]
    assert found == {"relationships": [{"entity": {"urn": SALES}}]}
    assert mutate("updateLineage", "UpdateLineageInput", edgesToAdd=[], edgesToRemove=[edge])
    assert dataset(shop, fields, SALES)["upstream"] == {"total": 0}


def column(urn: str, name: str) -> str:
    return f"urn:li:schemaField:({urn},{name})"


COUNTS: list[tuple[dict[str, Any], int | None]] = [
    ({"includeGhostEntities": True, "validateSchemaFields": "NONE"}, 2),
    ({"includeGhostEntities": True, "validateSchemaFields": "ALWAYS"}, 1),
    ({"includeGhostEntities": False}, 0),
    (
        {
            "includeGhostEntities": True,
            "validateSchemaFields": "NONE",
            "orFilters": [{"and": [{"field": "parent", "values": [ORDERS], "negated": True}]}],
        },
        0,
    ),
    ({"orFilters": [{"and": [{"field": "description", "values": ["x"]}]}]}, None),
]


@pytest.mark.parametrize(("given", "total"), COUNTS)
def test_columns_are_counted_as_far_as_they_are_asked_for(
    shop: Client, given: dict[str, Any], total: int | None
) -> None:
    field = {
        "fieldPath": "known",
        "nativeDataType": "int",
        "type": {"type": {"com.linkedin.schema.NumberType": {}}},
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
    lineage = {
        "upstreams": [{"dataset": ORDERS, "type": "TRANSFORMED", "auditStamp": STAMP}],
        "fineGrainedLineages": [
            {
                "upstreamType": "FIELD_SET",
                "downstreamType": "FIELD",
                "upstreams": [column(ORDERS, "known"), column(ORDERS, "unknown")],
                "downstreams": [column(SALES, "sum")],
            }
        ],
    }
    shop.must_put(SALES, "upstreamLineage", lineage)
    query = """query q($input: SearchAcrossLineageCountsInput!) {
        searchAcrossLineageCounts(input: $input) { total } }"""
    asked = {"urn": column(SALES, "sum"), "direction": "UPSTREAM", "types": ["SCHEMA_FIELD"]}
    answer = shop.graphql(query, input=asked | given)
    if total is None:
        assert answer["errors"][0]["extensions"]["code"] == 400
    else:
        assert answer["data"]["searchAcrossLineageCounts"] == {"total": total}


def test_the_timeline_tells_who_owned_a_dataset(shop: Client) -> None:
    owner = {"owner": ADA, "type": "TECHNICAL_OWNER"}
    shop.must_put(ORDERS, "ownership", {"owners": [owner], "lastModified": STAMP})
    query = """query q($input: GetTimelineInput!) { getTimeline(input: $input) {
        changeTransactions { actor changes { category operation } } } }"""
    found = shop.graphql(query, input={"urn": ORDERS, "changeCategories": ["OWNERSHIP"]})
    (moment,) = found["data"]["getTimeline"]["changeTransactions"]
    assert moment["changes"] == [{"category": "OWNERSHIP", "operation": "ADD"}]


def test_the_frontend_s_path_answers_as_well(shop: Client) -> None:
    reply = shop.http.post("/api/v2/graphql", json={"query": "{ me { corpUser { urn } } }"})
    assert reply.json() == {"data": {"me": {"corpUser": {"urn": "urn:li:corpuser:datahub"}}}}


def test_an_unknown_field_is_a_validation_error_without_data(shop: Client) -> None:
    answer = shop.graphql("{ me { noSuchField } }")
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["classification"] == "ValidationError"
