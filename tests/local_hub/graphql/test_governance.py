"""Structured properties, data products, ownership types, versions, forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub.graphql.rooms.versions import next_sort_id

Ask = Callable[..., Any]
TABLE = "urn:li:dataset:(urn:li:dataPlatform:postgres,{},PROD)"


def _table(hub: Client, name: str) -> str:
    urn = TABLE.format(name)
    hub.must_put(urn, "datasetProperties", {"name": name})
    return urn


PROPERTY = """mutation x($input: CreateStructuredPropertyInput!) {
  createStructuredProperty(input: $input) { urn definition { cardinality immutable filterStatus
    valueType { info { type } } entityTypes { info { type } } } } }"""
SET = """mutation x($input: UpsertStructuredPropertiesInput!) {
  upsertStructuredProperties(input: $input) { properties { associatedUrn
    structuredProperty { urn } values { ... on StringValue { stringValue } } } } }"""


def _property(ask: Ask, name: str, **given: Any) -> Any:
    common = {
        "id": name,
        "valueType": "urn:li:dataType:datahub.string",
        "entityTypes": ["urn:li:entityType:datahub.dataset"],
    }
    return ask(PROPERTY, input={**common, **given})


def test_a_property_is_made_with_gms_defaults(ask: Ask) -> None:
    assert _property(ask, "team.keep") == {
        "urn": "urn:li:structuredProperty:team.keep",
        "definition": {
            "cardinality": "SINGLE",
            "immutable": False,
            "filterStatus": "DISABLED",
            "valueType": {"info": {"type": "STRING"}},
            "entityTypes": [{"info": {"type": "DATASET"}}],
        },
    }
    assert "already exists" in _property(ask, "team.keep")
    assert "must match" in _property(ask, "team.a", qualifiedName="team.b")


def test_values_are_set_one_property_at_a_time(hub: Client, ask: Ask) -> None:
    table = _table(hub, "valued")
    first, second = (_property(ask, name)["urn"] for name in ("team.one", "team.two"))
    for urn, text in ((first, "x"), (second, "y"), (first, "z")):
        item = {"structuredPropertyUrn": urn, "values": [{"stringValue": text}]}
        given = {"assetUrn": table, "structuredPropertyInputParams": [item]}
        found = ask(SET, input=given)["properties"]
    assert [one["values"] for one in found] == [[{"stringValue": "z"}], [{"stringValue": "y"}]]
    assert {one["associatedUrn"] for one in found} == {table}
    remove = """mutation x($input: RemoveStructuredPropertiesInput!) {
      removeStructuredProperties(input: $input) { properties { structuredProperty { urn } } } }"""
    left = ask(remove, input={"assetUrn": table, "structuredPropertyUrns": [first]})
    assert left["properties"] == [{"structuredProperty": {"urn": second}}]


@pytest.mark.parametrize("value", [{}, {"stringValue": "a", "numberValue": 1.0}])
def test_a_value_is_a_text_or_a_number(hub: Client, ask: Ask, value: Any) -> None:
    item = {"structuredPropertyUrn": "urn:li:structuredProperty:x", "values": [value]}
    given = {"assetUrn": _table(hub, "odd"), "structuredPropertyInputParams": [item]}
    assert "exactly one of" in ask(SET, input=given)


def test_an_asset_moves_from_product_to_product(hub: Client, ask: Ask) -> None:
    table, domain = _table(hub, "moved"), "urn:li:domain:sales"
    hub.must_put(domain, "domainProperties", {"name": "Sales"})
    create = """mutation x($input: CreateDataProductInput!) {
      createDataProduct(input: $input) { urn } }"""
    fill = "mutation x($input: BatchSetDataProductInput!) { batchSetDataProduct(input: $input) }"
    listed = """query x($urn: String!) {
      listDataProductAssets(urn: $urn, input: {query: "*"}) {
        searchResults { entity { urn } } } }"""
    first, second = (
        ask(create, input={"properties": {"name": name}, "domainUrn": domain})["urn"]
        for name in ("one", "two")
    )
    owner = hub.get(first, "ownership")["owners"][0]
    assert (owner["owner"], owner["type"]) == ("urn:li:corpuser:datahub", "TECHNICAL_OWNER")
    for product, other in ((first, second), (second, first)):
        assert ask(fill, input={"dataProductUrn": product, "resourceUrns": [table]}) is True
        results = {urn: ask(listed, urn=urn)["searchResults"] for urn in (product, other)}
        assert results == {product: [{"entity": {"urn": table}}], other: []}
    assert ask(fill, input={"resourceUrns": [table]}) is True
    assert ask(listed, urn=second)["searchResults"] == []
    nowhere = {"properties": {"name": "three"}, "domainUrn": "urn:li:domain:none"}
    assert "does not exist" in ask(create, input=nowhere)


def test_the_system_s_ownership_types_stay(ask: Ask) -> None:
    delete = "mutation x($urn: String!) { deleteOwnershipType(urn: $urn) }"
    system = "urn:li:ownershipType:__system__technical_owner"
    assert "cannot be deleted" in ask(delete, urn=system)
    create = """mutation { createOwnershipType(input: {name: "Steward", description: "d"}) {
      urn type info { name created { actor } } } }"""
    made = ask(create)
    assert made["info"] == {"name": "Steward", "created": {"actor": "urn:li:corpuser:datahub"}}
    assert ask(delete, urn=made["urn"]) is True


@pytest.mark.parametrize(
    ("current", "following"),
    [("AAAAAAAA", "AAAAAAAB"), ("AAAAAZZZ", "AAAABAAA"), ("ZZZZZZZZ", "AAAAAAAA")],
)
def test_sort_ids_count_up(current: str, following: str) -> None:
    assert next_sort_id(current) == following


def test_the_version_before_the_latest_takes_its_place(hub: Client, ask: Ask) -> None:
    group = "urn:li:versionSet:(shop,dataset)"
    tables = [_table(hub, f"version{number}") for number in range(3)]
    link = "mutation x($input: LinkVersionInput!) { linkAssetVersion(input: $input) { urn } }"
    unlink = """mutation x($input: UnlinkVersionInput!) {
      unlinkAssetVersion(input: $input) { latestVersion { urn } } }"""
    for number, table in enumerate(tables):
        given = {"versionSet": group, "linkedEntity": table, "version": f"v{number}"}
        assert ask(link, input=given) == {"urn": group}
    assert hub.get(tables[2], "versionProperties")["sortId"] == "AAAAAAAC"
    for table, latest in ((tables[2], tables[1]), (tables[0], tables[1])):
        found = ask(unlink, input={"versionSet": group, "unlinkedEntity": table})
        assert found == {"latestVersion": {"urn": latest}}
    wrong = {"versionSet": "urn:li:versionSet:(x,chart)", "linkedEntity": tables[0], "version": "1"}
    assert "must match Version Set's specified type" in ask(link, input=wrong)


def test_a_form_is_complete_when_its_required_prompts_are(hub: Client, ask: Ask) -> None:
    table, answer = _table(hub, "formed"), _property(ask, "team.answer")["urn"]
    create = "mutation x($input: CreateFormInput!) { createForm(input: $input) { urn } }"
    prompts = [
        {
            "id": name,
            "title": name,
            "type": "STRUCTURED_PROPERTY",
            "structuredPropertyParams": {"urn": answer},
            "required": name == "needed",
        }
        for name in ("needed", "nice")
    ]
    form = ask(create, input={"name": "f", "type": "VERIFICATION", "prompts": prompts})["urn"]
    named = {"formUrn": form, "entityUrns": [table]}
    assign = "mutation x($input: BatchAssignFormInput!) { batchAssignForm(input: $input) }"
    assert ask(assign, input=named) is True
    verify = "mutation x($input: VerifyFormInput!) { verifyForm(input: $input) }"
    target = {"formUrn": form, "entityUrn": table}
    assert "not in the list of completed forms" in ask(verify, input=target)
    submit = """mutation x($urn: String!, $input: SubmitFormPromptInput!) {
      submitFormPrompt(urn: $urn, input: $input) }"""
    value = {"structuredPropertyUrn": answer, "values": [{"stringValue": "yes"}]}
    given = {
        "promptId": "needed",
        "formUrn": form,
        "type": "STRUCTURED_PROPERTY",
        "structuredPropertyParams": value,
    }
    assert ask(submit, urn=table, input=given) is True
    assert ask(verify, input=target) is True
    forms = hub.get(table, "forms")
    assert forms["incompleteForms"] == []
    assert [item["urn"] for item in forms["completedForms"]] == [form]
    assert [item["form"] for item in forms["verifications"]] == [form]
    missing = [TABLE.format(name) for name in ("gone", "lost")]
    refusal = ask(assign, input={"formUrn": form, "entityUrns": [table, *missing]})
    assert all(urn in refusal for urn in missing)
    delete = "mutation x($input: DeleteFormInput!) { deleteForm(input: $input) }"
    assert ask(delete, input={"urn": form}) is True
    assert hub.get(table, "forms")["completedForms"] == []
