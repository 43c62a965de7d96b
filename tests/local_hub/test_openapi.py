from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hub_client import Client

URN = "urn:li:dataset:(urn:li:dataPlatform:test,dataset/EntityV3,PROD)"
SECOND = "urn:li:dataset:(urn:li:dataPlatform:test,second,PROD)"
PROPERTIES = {"name": "dataset/EntityV3", "customProperties": {}, "tags": []}
STATUS = {"removed": False}
BASE = "/openapi/v3/entity/dataset"


def _create(client: Client, *urns: str, **params: str) -> Any:
    body = [
        {"urn": urn, "datasetProperties": {"value": PROPERTIES}, "status": {"value": STATUS}}
        for urn in urns
    ]
    return client.http.post(BASE, params={"async": "false", **params}, json=body)


def test_a_new_entity_is_answered_with_its_defaults(client: Client) -> None:
    answer = _create(client, URN)
    assert answer.status_code == 200
    assert answer.headers["traceparent"].startswith("00-")
    assert answer.json() == [
        {
            "urn": URN,
            "datasetKey": {
                "value": {
                    "platform": "urn:li:dataPlatform:test",
                    "name": "dataset/EntityV3",
                    "origin": "PROD",
                }
            },
            "dataPlatformInstance": {"value": {"platform": "urn:li:dataPlatform:test"}},
            "browsePathsV2": {"value": {"path": [{"id": "Default"}]}},
            "aliases": {"value": {"lowercasedUrn": URN.replace("EntityV3", "entityv3")}},
            "datasetProperties": {"value": PROPERTIES},
            "status": {"value": STATUS},
        }
    ]
    assert _create(client, URN, **{"async": "true"}).status_code == 202


def test_a_urn_with_a_slash_is_one_part_of_the_path(client: Client) -> None:
    _create(client, URN)
    path = f"{BASE}/{quote(URN, safe='')}"
    found = client.http.get(path).json()
    assert found["urn"] == URN
    assert set(found) == {
        "urn",
        "datasetKey",
        "dataPlatformInstance",
        "browsePathsV2",
        "aliases",
        "datasetProperties",
        "status",
    }
    only = client.http.get(path, params={"aspects": "status"}).json()
    assert only == {"urn": URN, "status": {"value": STATUS}}
    both = client.http.get(f"{path}?aspects=status&aspects=datasetProperties").json()
    assert set(both) == {"urn", "status", "datasetProperties"}


def test_system_metadata_come_when_asked_for(client: Client) -> None:
    _create(client, URN)
    path = f"{BASE}/{quote(URN, safe='')}/status"
    assert client.http.get(path).json() == {"value": STATUS}
    full = client.http.get(path, params={"systemMetadata": "true"}).json()
    assert full["systemMetadata"]["version"] == "1"
    assert full["systemMetadata"]["aspectCreated"]["actor"] == "urn:li:corpuser:datahub"
    assert set(full) == {"value", "systemMetadata", "auditStamp"}


def test_existence_is_asked_with_head(client: Client) -> None:
    path = f"{BASE}/{quote(URN, safe='')}"
    assert client.http.head(path).status_code == 404
    _create(client, URN)
    assert client.http.head(path).status_code == 204
    assert client.http.head(f"{path}/status").status_code == 204
    assert client.http.head(f"{path}/globalTags").status_code == 404
    client.must_put(URN, "status", {"removed": True})
    assert client.http.head(path).status_code == 404
    assert client.http.head(path, params={"includeSoftDelete": "true"}).status_code == 204


def test_a_batch_is_read_as_it_was_asked_for(client: Client) -> None:
    _create(client, URN, SECOND)
    absent = URN.replace("EntityV3", "absent")
    body = [
        {"urn": URN, "status": {}, "globalTags": {}},
        {"urn": absent, "status": {}},
        {"urn": SECOND, "datasetProperties": {}},
    ]
    assert client.http.post(f"{BASE}/batchGet", json=body).json() == [
        {"urn": URN, "status": {"value": STATUS}},
        {"urn": SECOND, "datasetProperties": {"value": PROPERTIES}},
    ]
    everything = client.http.post(f"{BASE}/batchGet", json=[{"urn": URN}]).json()
    assert len(everything[0]) == 7


def test_a_patch_of_a_new_entity_starts_from_the_empty_aspect(client: Client) -> None:
    def patch(*operations: dict[str, Any]) -> Any:
        body = [{"urn": SECOND, "datasetProperties": {"value": {"patch": list(operations)}}}]
        return client.http.patch(BASE, params={"async": "false"}, json=body).json()[0]

    first = patch({"op": "add", "path": "/description", "value": "Test description"})
    assert first["datasetProperties"]["value"] == {
        "customProperties": {},
        "tags": [],
        "description": "Test description",
    }
    assert first["datasetKey"]["value"]["name"] == "second"
    second = patch({"op": "remove", "path": "/description"})
    assert second == {
        "urn": SECOND,
        "datasetProperties": {"value": {"customProperties": {}, "tags": []}},
    }


def test_one_aspect_is_written_by_its_path(client: Client) -> None:
    path = f"{BASE}/{quote(URN, safe='')}/status"
    answer = client.http.post(path, json={"value": {"removed": True}})
    assert answer.status_code == 200
    assert client.get(URN, "status") == {"removed": True}
    again = client.http.post(path, params={"createIfNotExists": "true"}, json={"value": STATUS})
    assert again.status_code == 400
    operations = [{"op": "replace", "path": "/removed", "value": False}]
    client.http.patch(path, json={"value": {"patch": operations}})
    assert client.get(URN, "status") == STATUS


def test_entities_are_deleted_whole_or_by_aspect(client: Client) -> None:
    _create(client, URN, SECOND)
    path = f"{BASE}/{quote(URN, safe='')}"
    assert client.http.delete(f"{path}?aspects=status").status_code == 200
    assert (client.get(URN, "status"), client.get(URN, "datasetProperties")) == (None, PROPERTIES)
    assert client.http.request("DELETE", path, json=[]).status_code == 200
    assert client.http.get(path).status_code == 404
    assert client.http.delete(f"{BASE}/{quote(SECOND, safe='')}/datasetKey").status_code == 200
    assert client.get(SECOND, "status") is None


def test_a_scroll_pages_through_everything(client: Client) -> None:
    urns = sorted(SECOND.replace("second", f"page{number}") for number in range(5))
    _create(client, *urns)
    found, scroll = [], None
    while True:
        params = {"count": "2", "query": "*"} | ({"scrollId": scroll} if scroll else {})
        body = {"entities": ["dataset"], "aspects": ["status"]}
        page = client.http.post("/openapi/v3/entity/scroll", params=params, json=body).json()
        assert page["totalCount"] == 5
        assert all(entity["status"] == {"value": STATUS} for entity in page["entities"])
        found += [entity["urn"] for entity in page["entities"]]
        scroll = page.get("scrollId")
        if scroll is None:
            break
    assert found == urns


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"and": [{"criteria": [{"field": "name", "values": ["postgres"]}]}]}, 1),
        (
            {
                "and": [
                    {"criteria": [{"field": "name", "values": ["data"], "condition": "START_WITH"}]}
                ]
            },
            3,
        ),
        ({"or": [{"and": [{"field": "name", "values": ["nope"]}]}]}, 0),
    ],
)
def test_a_scroll_takes_filters(client: Client, filters: Any, count: int) -> None:
    body = {"entities": ["dataPlatform"], "aspects": [], "filter": filters}
    page = client.http.post(
        "/openapi/v3/entity/scroll", params={"count": "99999"}, json=body
    ).json()
    assert page["totalCount"] == len(page["entities"]) == count


def test_the_list_of_a_type_hides_what_is_soft_deleted(client: Client) -> None:
    _create(client, URN, SECOND)
    client.must_put(SECOND, "status", {"removed": True})
    listed = client.http.get(BASE).json()
    assert [entity["urn"] for entity in listed["entities"]] == [URN]
    everything = client.http.get(BASE, params={"includeSoftDelete": "true"}).json()
    assert everything["totalCount"] == 2
    empty = client.http.get("/openapi/v3/entity/platformresource", params={"query": "*"})
    assert empty.json() == {"entities": [], "totalCount": 0, "facets": []}


def test_the_registry_is_told(client: Client) -> None:
    path = "/openapi/v1/registry/models/entity/specifications"
    page = client.http.get(path, params={"start": 0, "count": 1000}).json()
    assert page["total"] == len(page["elements"]) >= 72
    dataset = next(element for element in page["elements"] if element["name"] == "dataset")
    assert dataset["keyAspectName"] == "datasetKey"
    assert "status" in {spec["aspectAnnotation"]["name"] for spec in dataset["aspectSpecs"]}


def test_custom_aspects_are_written_read_and_searched(
    make_client: Callable[..., Client], tmp_path: Any
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "score.avsc").write_text(
        """{"type": "record", "name": "MyScore", "namespace": "com.mycompany",
            "Aspect": {"name": "myScore"},
            "fields": [{"name": "grade", "type": "string",
                        "Searchable": {"fieldType": "KEYWORD", "fieldName": "myGrade"}}]}"""
    )
    (models / "entity-registry.yaml").write_text(
        "entities:\n  - name: dataset\n    aspects: [myScore]\n"
    )
    client = make_client(models=[models])
    client.must_put(URN, "myScore", {"grade": "good"})
    assert client.get(URN, "myScore") == {"grade": "good"}
    filters = {"or": [{"and": [{"field": "myGrade", "values": ["good"]}]}]}
    page = client.http.post("/openapi/v3/entity/scroll", json={"filter": filters}).json()
    assert [entity["urn"] for entity in page["entities"]] == [URN]
