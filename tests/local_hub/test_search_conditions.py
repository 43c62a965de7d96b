"""What filters, texts and orders find, through the scroll of the OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_client import Client

KINDS = ("Alpha", "beta", "gamma_ray")
PARENT, CHILD = "urn:li:domain:parent", "urn:li:domain:child"
SCROLL = "/openapi/v3/entity/scroll"


def _urn(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:hive,shop.{name},PROD)"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    from starlette.testclient import TestClient

    from dataspoke.local_hub.app import create_app

    home: Path = tmp_path_factory.mktemp("hub")
    with TestClient(create_app(home)) as http:
        client = Client(http)
        client.must_put(PARENT, "domainProperties", {"name": "Parent"})
        client.must_put(CHILD, "domainProperties", {"name": "Child", "parentDomain": PARENT})
        for number, name in enumerate(KINDS):
            more = {"lastModified": {"time": 10**number}} if number else {}
            properties = {"name": name, "qualifiedName": f"shop.{name}", **more}
            properties["customProperties"] = {"team": name.lower()}
            client.must_put(_urn(name), "datasetProperties", properties)
        client.must_put(_urn("Alpha"), "domains", {"domains": [CHILD]})
        yield client


def _found(shop: Client, body: dict[str, Any], **params: Any) -> list[str]:
    """Names of the datasets in the order of the answer, two at a time."""
    found: list[str] = []
    params = {"count": 2, **params}
    while True:
        page = shop.http.post(SCROLL, params=params, json={"entities": ["dataset"], **body}).json()
        found += [one["urn"].split("shop.")[1].split(",")[0] for one in page["entities"]]
        if "scrollId" not in page:
            assert page["totalCount"] == len(found)
            return found
        params["scrollId"] = page["scrollId"]


CONDITIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({"field": "name", "values": ["alpha"]}, ["Alpha"]),
    ({"field": "name.keyword", "condition": "CONTAIN", "values": ["ET"]}, ["beta"]),
    ({"field": "name", "condition": "START_WITH", "values": ["gam", "al"]}, ["Alpha", "gamma_ray"]),
    ({"field": "name", "condition": "END_WITH", "values": ["a"], "negated": True}, ["gamma_ray"]),
    ({"field": "domains", "condition": "EXISTS"}, ["Alpha"]),
    ({"field": "domains", "condition": "IS_NULL"}, ["beta", "gamma_ray"]),
    ({"field": "domains", "condition": "DESCENDANTS_INCL", "values": [PARENT]}, ["Alpha"]),
    ({"field": "domains", "condition": "ANCESTORS_INCL", "values": [CHILD]}, ["Alpha"]),
    ({"field": "domains", "values": [PARENT]}, []),
    ({"field": "lastModifiedAt", "condition": "GREATER_THAN", "values": ["10"]}, ["gamma_ray"]),
    ({"field": "customProperties", "values": ["team=beta"]}, ["beta"]),
    ({"field": "_entityType", "values": ["DATASET"]}, list(KINDS)),
    ({"field": "urn", "condition": "IN", "values": [_urn("beta")]}, ["beta"]),
    ({"field": "env", "values": ["PROD"]}, list(KINDS)),
]


@pytest.mark.parametrize(("criterion", "names"), CONDITIONS)
def test_a_condition_finds(shop: Client, criterion: dict[str, Any], names: list[str]) -> None:
    assert _found(shop, {"filter": {"and": [{"criteria": [criterion]}]}}) == names


def test_the_groups_of_a_filter_are_alternatives(shop: Client) -> None:
    groups = [{"criteria": [{"field": "name", "values": [name]}]} for name in ("beta", "Alpha")]
    assert _found(shop, {"filter": {"and": groups}}) == ["Alpha", "beta"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (r"qualifiedName:shop\.b*", ["beta"]),
        ("alpha OR ray", ["Alpha", "gamma_ray"]),
        ("NOT name:beta", ["Alpha", "gamma_ray"]),
        ("gamma AND (ray OR beta)", ["gamma_ray"]),
        ('"gamma ray"', ["gamma_ray"]),
        ("_exists_:domains", ["Alpha"]),
        ("lastModifiedAt:[10 TO 50]", ["beta"]),
        (_urn("beta"), ["beta"]),
    ],
)
def test_a_query_finds(shop: Client, query: str, names: list[str]) -> None:
    assert _found(shop, {}, query=query) == names


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        ([{"field": "name", "order": "DESCENDING"}], ["gamma_ray", "beta", "Alpha"]),
        ([{"field": "lastModifiedAt"}], ["beta", "gamma_ray", "Alpha"]),
        ([{"field": "lastModifiedAt", "missingValue": "FIRST"}], ["Alpha", "beta", "gamma_ray"]),
        ([{"field": "origin"}, {"field": "urn", "order": "DESCENDING"}], [*KINDS][::-1]),
    ],
)
def test_pages_keep_the_order(shop: Client, criteria: Any, names: list[str]) -> None:
    assert _found(shop, {"sortCriteria": criteria}) == names


@pytest.mark.parametrize(
    ("kind", "values", "names"),
    [
        ("number", [{"double": 100}, {"double": 20.5}, {"double": 3}], ["c", "b", "a"]),
        (
            "string",
            [{"string": "100 kg"}, {"string": "20 kg"}, {"string": "3 kg"}],
            ["a", "b", "c"],
        ),
    ],
)
def test_values_of_a_structured_property_are_sorted_as_what_they_are(
    client: Client, kind: str, values: list[dict[str, Any]], names: list[str]
) -> None:
    definition = {
        "qualifiedName": "io.weight",
        "valueType": f"urn:li:dataType:datahub.{kind}",
        "entityTypes": ["urn:li:entityType:datahub.dataset"],
    }
    client.must_put("urn:li:structuredProperty:io.weight", "propertyDefinition", definition)
    for name, value in zip("abc", values, strict=True):
        given = {"propertyUrn": "urn:li:structuredProperty:io.weight", "values": [value]}
        client.must_put(_urn(name), "structuredProperties", {"properties": [given]})
    order = [{"field": "structuredProperties.io.weight", "order": "ASCENDING"}]
    first = client.http.post(
        "/openapi/v3/entity/scroll?count=2", json={"entities": ["dataset"], "sortCriteria": order}
    ).json()
    rest = client.http.post(
        f"/openapi/v3/entity/scroll?count=2&scrollId={first['scrollId']}",
        json={"entities": ["dataset"], "sortCriteria": order},
    ).json()
    found = [entity["urn"] for page in (first, rest) for entity in page["entities"]]
    assert found == [_urn(name) for name in names]


def test_a_field_that_no_entity_has_orders_nothing(client: Client) -> None:
    client.must_put(_urn("a"), "status", {"removed": False})
    answer = client.http.post("/openapi/v3/entity/scroll?sort=%00", json={"entities": ["dataset"]})
    assert [entity["urn"] for entity in answer.json()["entities"]] == [_urn("a")]
