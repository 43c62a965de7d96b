"""Effects as clients meet them, through the protocols."""

from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

TABLE = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
PROPERTY, OTHER = (f"urn:li:structuredProperty:shop.{name}" for name in ("retention", "steward"))
SET = "urn:li:versionSet:(orders,dataset)"


@pytest.fixture
def assigned(client: Client) -> Client:
    """A table with a value for each of two properties."""
    for urn in (PROPERTY, OTHER):
        definition = {
            "qualifiedName": urn.rpartition(":")[2],
            "valueType": "urn:li:dataType:datahub.string",
            "entityTypes": ["urn:li:entityType:datahub.dataset"],
        }
        client.must_put(urn, "propertyDefinition", definition)
    values = [{"propertyUrn": urn, "values": [{"string": "a"}]} for urn in (PROPERTY, OTHER)]
    client.must_put(TABLE, "structuredProperties", {"properties": values})
    return client


def properties(value: Any) -> list[str]:
    return [assignment["propertyUrn"] for assignment in value["properties"]]


def test_a_deleted_property_leaves_its_entities_and_the_change_log_says_so(
    assigned: Client,
) -> None:
    offset = assigned.last_offset()
    assigned.http.post("/entities?action=delete", json={"urn": PROPERTY})
    assert properties(assigned.get(TABLE, "structuredProperties")) == [OTHER]
    assert assigned.last_offset() > offset


def test_every_protocol_hides_a_soft_deleted_property(assigned: Client) -> None:
    assigned.must_put(PROPERTY, "status", {"removed": True})
    http, name = assigned.http, "structuredProperties"
    rest = http.get(f"/aspects/{TABLE}", params={"aspect": name}).json()["aspect"]
    (rest_value,) = rest.values()
    batch = http.post("/openapi/v3/entity/dataset/batchGet", json=[{"urn": TABLE, name: {}}])
    readings = [
        rest_value,
        http.get(f"/entitiesV2/{TABLE}").json()["aspects"][name]["value"],
        http.get(f"/openapi/v3/entity/dataset/{TABLE}").json()[name]["value"],
        batch.json()[0][name]["value"],
    ]
    assert [properties(value) for value in readings] == [[OTHER]] * len(readings)
    assigned.must_put(PROPERTY, "status", {"removed": False})
    assert properties(assigned.get(TABLE, name)) == [PROPERTY, OTHER]


def test_a_filter_on_a_soft_deleted_property_is_refused(assigned: Client) -> None:
    field = "structuredProperties.shop.retention"
    criterion = {"field": field, "condition": "EXISTS"}
    body = {"entities": ["dataset"], "filter": {"and": [{"criteria": [criterion]}]}}
    found = assigned.http.post("/openapi/v3/entity/scroll", json=body)
    assert [entity["urn"] for entity in found.json()["entities"]] == [TABLE]
    assigned.must_put(PROPERTY, "status", {"removed": True})
    refused = assigned.http.post("/openapi/v3/entity/scroll", json=body)
    assert refused.status_code == 400
    assert "Cannot filter on deleted Structured Property" in refused.text


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_versions_that_arrive_in_one_batch_agree_on_the_latest(
    client: Client, order: tuple[int, ...]
) -> None:
    urns = [TABLE.replace("orders", f"orders_{number}") for number in range(3)]
    body = [
        {
            "urn": urns[number],
            "versionProperties": {
                "value": {
                    "versionSet": SET,
                    "version": {"versionTag": f"v{number}"},
                    "sortId": f"{number:03}",
                    "versioningScheme": "LEXICOGRAPHIC_STRING",
                }
            },
        }
        for number in order
    ]
    answer = client.http.post("/openapi/v3/entity/dataset", params={"async": "false"}, json=body)
    assert answer.status_code == 200, answer.text
    assert client.get(SET, "versionSetProperties")["latest"] == urns[2]
    flags = [client.get(urn, "versionProperties").get("isLatest") for urn in urns]
    assert [bool(flag) for flag in flags] == [False, False, True]


def test_a_rule_refuses_in_the_words_of_gms(client: Client) -> None:
    fields = [
        {
            "fieldPath": "id",
            "nativeDataType": "int",
            "type": {"type": {"com.linkedin.schema.NumberType": {}}},
        }
    ] * 2
    schema = {
        "schemaName": "orders",
        "platform": "urn:li:dataPlatform:hive",
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": fields,
    }
    message = (
        "Cannot perform UPSERT action on proposal. SchemaMetadata aspect has duplicated field paths"
    )
    refused = client.put(TABLE, "schemaMetadata", schema)
    assert (refused.status_code, refused.json()["message"]) == (422, message)
    url = f"/openapi/v3/entity/dataset/{TABLE}/schemaMetadata?async=false&createIfNotExists=false"
    refused = client.http.post(url, json={"value": schema})
    assert (refused.status_code, refused.json()) == (
        400,
        {"error": "Validation Error", "message": message},
    )


def test_siblings_are_found_from_the_side_that_does_not_name_them(client: Client) -> None:
    model = "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.orders,PROD)"
    client.must_put(model, "datasetProperties", {"name": "orders"})
    client.must_put(TABLE, "siblings", {"siblings": [model], "primary": True})
    found = client.graphql(
        'query($urn: String!) { dataset(urn: $urn) { siblingsSearch(input: {query: "*"}) '
        "{ total count searchResults { entity { urn } } } } }",
        urn=model,
    )["data"]
    assert found["dataset"]["siblingsSearch"] == {
        "total": 1,
        "count": 1,
        "searchResults": [{"entity": {"urn": TABLE}}],
    }


def test_an_input_of_a_chart_leads_to_the_column_of_its_dataset(client: Client) -> None:
    chart, column = "urn:li:chart:(looker,orders)", f"urn:li:schemaField:({TABLE},id)"
    kind = {"type": {"com.linkedin.schema.NumberType": {}}}
    field = {"fieldPath": "id", "nativeDataType": "int", "type": kind}
    inputs = {"fields": [{"schemaFieldUrn": column, "schemaField": field}]}
    client.must_put(chart, "inputFields", inputs)
    found = client.graphql(
        "query($urn: String!) { chart(urn: $urn) { inputFields { fields { schemaFieldUrn "
        "schemaField { schemaFieldEntity { urn } } } } } }",
        urn=chart,
    )["data"]
    assert found["chart"]["inputFields"]["fields"] == [
        {"schemaFieldUrn": column, "schemaField": {"schemaFieldEntity": {"urn": column}}}
    ]


@pytest.mark.parametrize("text", ["nightly-4711", "4711"])
def test_an_entity_is_found_by_the_words_of_its_id(client: Client, text: str) -> None:
    urn = "urn:li:dataProcessInstance:nightly-4711"
    created = {"time": 1, "actor": "urn:li:corpuser:ann"}
    client.must_put(urn, "dataProcessInstanceProperties", {"name": "Load", "created": created})
    body = {"entities": ["dataProcessInstance"]}
    page = client.http.post("/openapi/v3/entity/scroll", params={"query": text}, json=body)
    assert [entity["urn"] for entity in page.json()["entities"]] == [urn]
