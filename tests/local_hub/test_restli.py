"""The older resources of rest.li: snapshots, lists of urns, searches, operations."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest
from hub_client import Client
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.local_hub.restli_text import read_list

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
OTHER = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.clients,PROD)"
SNAPSHOT = "com.linkedin.metadata.snapshot.DatasetSnapshot"


def _entity(urn: str, **aspects: Any) -> dict[str, Any]:
    names = {"status": "common.Status", "properties": "dataset.DatasetProperties"}
    listed = [{f"com.linkedin.{names[name]}": value} for name, value in aspects.items()]
    return {"value": {SNAPSHOT: {"urn": urn, "aspects": listed}}}


def _act(client: Client, resource: str, action: str, **body: Any) -> Any:
    response = client.http.post(f"/{resource}?action={action}", json=body)
    assert response.status_code == 200, response.text
    return response.json()["value"] if response.content else None


def test_a_snapshot_comes_out_as_it_went_in(client: Client) -> None:
    given = _entity(URN, properties={"description": "d"}, status={"removed": False})
    _act(client, "entities", "ingest", entity=given, systemMetadata={"runId": "r"})
    found = client.http.get(f"/entities/{quote(URN, safe='')}").json()["value"][SNAPSHOT]
    assert found["urn"] == URN
    records = {name: value for aspect in found["aspects"] for name, value in aspect.items()}
    assert records["com.linkedin.common.Status"] == {"removed": False}
    assert records["com.linkedin.dataset.DatasetProperties"]["description"] == "d"
    assert records["com.linkedin.metadata.key.DatasetKey"]["name"] == "shop.orders"
    assert [run["runId"] for run in _act(client, "runs", "list")] == ["r"]


def test_several_snapshots_are_written_together_or_not_at_all(client: Client) -> None:
    good, bad = _entity(URN, status={"removed": False}), _entity(OTHER, status={"removed": 3})
    body = {"entities": [good, bad]}
    refused = client.http.post("/entities?action=batchIngest", json=body)
    assert refused.status_code in (400, 422)
    assert _act(client, "entities", "exists", urn=URN) is False
    _act(client, "entities", "batchIngest", entities=[good])
    assert _act(client, "entities", "exists", urn=URN) is True


def test_entities_are_read_in_batches_by_their_urns(client: Client) -> None:
    client.must_put(URN, "datasetProperties", {"description": "d"})
    ids = ",".join(quote(urn, safe="") for urn in (URN, OTHER))
    query = f"ids=List({ids})&aspects=List(datasetProperties,ownership)"
    found = client.http.get(f"/entitiesV2?{query}").json()["results"]
    assert found[URN]["aspects"].keys() == {"datasetProperties"}
    assert found[OTHER]["aspects"].keys() == {"datasetKey"}
    assert SNAPSHOT in client.http.get(f"/entities?{query}").json()["results"][URN]["value"]


@pytest.mark.parametrize(
    "entity",
    [
        None,
        {"value": {}},
        {"value": {SNAPSHOT: {"aspects": []}}},
        {"value": {SNAPSHOT: {"urn": URN, "aspects": [{}]}}},
        {"value": {SNAPSHOT: {"urn": URN, "aspects": [{"com.linkedin.x.Y": {}}]}}},
    ],
)
def test_what_is_no_snapshot_is_refused(client: Client, entity: Any) -> None:
    response = client.http.post("/entities?action=ingest", json={"entity": entity})
    assert response.status_code in (400, 422)


def test_types_without_a_snapshot_are_refused(client: Client) -> None:
    urn = quote("urn:li:dataProduct:x", safe="")
    assert client.http.get(f"/entities/{urn}").status_code == 400


def test_searches_of_the_older_clients_find_entities(client: Client) -> None:
    client.must_put(URN, "datasetProperties", {"name": "orders", "description": "what we sold"})
    deadline = time.monotonic() + 10
    while not _act(client, "entities", "filter", entity="dataset", filter={})["numEntities"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    across = _act(client, "entities", "searchAcrossEntities", input="sold", entities=[])
    assert [hit["entity"] for hit in across["entities"]] == [URN]
    one = _act(client, "entities", "search", input="orders", entity="dataset", start=0, count=5)
    assert (one["numEntities"], one["pageSize"]) == (1, 5)
    listed = _act(client, "entities", "list", entity="dataset", start=0, count=5)
    assert (listed["entities"], listed["total"]) == ([URN], 1)
    scrolled = _act(client, "entities", "scrollAcrossEntities", input="*", entities=["dataset"])
    assert [hit["entity"] for hit in scrolled["entities"]] == [URN]
    completed = _act(client, "entities", "autocomplete", entity="dataset", query="ord", limit=5)
    assert completed["entities"] == [{"urn": URN}]
    assert _act(client, "entities", "getTotalEntityCount", entity="dataset") == 1


def test_neighbours_are_found_from_both_ends(client: Client) -> None:
    stamp = {"time": 0, "actor": "urn:li:corpuser:x"}
    upstream = {"dataset": OTHER, "type": "VIEW", "auditStamp": stamp}
    client.must_put(URN, "upstreamLineage", {"upstreams": [upstream]})
    for urn, direction, other in ((URN, "OUTGOING", OTHER), (OTHER, "INCOMING", URN)):
        query = f"urn={quote(urn)}&direction={direction}&types=List(DownstreamOf)"
        found = client.http.get(f"/relationships?{query}").json()
        assert found["relationships"] == [{"entity": other, "type": "DownstreamOf"}]
        assert (found["start"], found["count"], found["total"]) == (0, 1, 1)
    assert client.http.get(f"/relationships?urn={quote(URN)}").status_code == 400


@pytest.mark.parametrize("queue", ["mcp", "mcl", "mcl-timeseries", "usage-events"])
def test_consumers_have_read_what_was_written(client: Client, queue: str) -> None:
    client.must_put(URN, "status", {"removed": False})
    envelope = client.http.get(f"/openapi/operations/messaging/{queue}/consumer/lag").json()
    assert (
        envelope["transport"]
        == client.http.get("/openapi/operations/messaging/transport").json()["transport"]
    )
    (topics,) = envelope["consumerGroups"].values()
    ((_, topic),) = topics.items()
    assert topic["metrics"]["totalLag"] == 0
    assert topic["partitions"]["0"] == {"offset": client.last_offset(), "metadata": "", "lag": 0}
    older = client.http.get(f"/openapi/operations/kafka/{queue}/consumer/offsets").json()
    assert older == envelope["consumerGroups"]


def test_a_platform_event_reaches_its_topic(client: Client) -> None:
    start = client.last_offset()
    payload = {"value": "{}", "contentType": "application/json"}
    _act(client, "platform", "producePlatformEvent", name="mine", event={"payload": payload})
    (event,) = client.events("PlatformEvent_v1", start)
    assert (event["name"], event["payload"]) == ("mine", payload)


def test_operators_are_told_about_sizes_and_tasks(client: Client) -> None:
    client.must_put(URN, "datasetProfile", {"timestampMillis": 1})
    (size,) = _act(client, "operations", "getIndexSizes")["indexSizes"]
    assert (size["entityName"], size["aspectName"]) == ("dataset", "datasetProfile")
    (again,) = client.http.get("/openapi/operations/elasticSearch/getIndexSizes").json()["sizes"]
    assert again["sizeMb"] == size["sizeInMb"]
    assert "Could not get" in _act(client, "operations", "getEsTaskStatus", task="a:1")


def test_the_system_says_what_it_is(client: Client) -> None:
    whole = client.http.get("/openapi/v1/system-info").json()
    parts = client.http.get("/openapi/v1/system-info/spring-components").json()
    assert whole == {"springComponents": parts}
    assert (parts["gms"]["name"], parts["gms"]["status"]) == ("GMS", "AVAILABLE")
    detailed = client.http.get("/openapi/v1/system-info/properties").json()
    simple = client.http.get("/openapi/v1/system-info/properties/simple").json()
    assert detailed["totalProperties"] == len(simple) > 0
    assert client.http.post("/openapi/v1/tracking/track", json={"type": "x"}).status_code == 200


@given(st.lists(st.text("abc:(),%+ é", min_size=1), max_size=4))
def test_a_list_is_read_as_it_was_written(members: list[str]) -> None:
    text = "List(" + ",".join(quote(member, safe="") for member in members) + ")"
    assert read_list(text) == members
