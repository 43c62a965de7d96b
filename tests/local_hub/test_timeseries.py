"""Timeseries over all entities: pages, and taking old points away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hub_client import Client

PATH = "/openapi/v2/timeseries/dataset/datasetProfile"


def _urn(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:hive,{name},PROD)"


def _put(client: Client, name: str, *times: int) -> None:
    for at in times:
        profile = {"timestampMillis": at, "rowCount": at, "messageId": f"{name}{at}"}
        client.must_put(_urn(name), "datasetProfile", profile)


def _scroll(client: Client, **query: Any) -> list[list[str]]:
    """All pages, each as the ids of its messages."""
    pages = []
    scroll = None
    while True:
        more = {} if scroll is None else {"scrollId": scroll}
        body = client.http.get(PATH, params={**query, **more}).json()
        pages.append([item["messageId"] for item in body["results"]])
        scroll = body.get("scrollId")
        if scroll is None:
            return pages


def test_pages_go_through_all_entities_from_the_newest_on(client: Client) -> None:
    _put(client, "a", 10, 30)
    _put(client, "b", 20, 30)
    assert _scroll(client, count=3) == [["b30", "a30", "b20"], ["a10"]]


def test_the_last_page_has_no_scroll_id_even_when_it_is_full(client: Client) -> None:
    _put(client, "a", 1, 2, 3, 4)
    assert _scroll(client, count=2) == [["a4", "a3"], ["a2", "a1"]]


def test_a_point_that_comes_between_two_pages_hides_none(client: Client) -> None:
    _put(client, "a", 1, 2, 3)
    first = client.http.get(PATH, params={"count": 2}).json()
    _put(client, "a", 9)
    rest = client.http.get(PATH, params={"count": 2, "scrollId": first["scrollId"]}).json()
    assert [item["messageId"] for item in rest["results"]] == ["a1"]


def test_both_ends_of_a_range_belong_to_it(client: Client) -> None:
    _put(client, "a", 1, 2, 3, 4)
    assert _scroll(client, startTimeMillis=2, endTimeMillis=3) == [["a3", "a2"]]


def test_a_point_comes_with_its_metadata_when_asked_for(client: Client) -> None:
    _put(client, "a", 5)
    (item,) = client.http.get(PATH, params={"systemMetadata": "true"}).json()["results"]
    assert item["event"] == {"timestampMillis": 5, "rowCount": 5, "messageId": "a5"}
    assert (item["urn"], item["timestampMillis"]) == (_urn("a"), 5)
    assert "lastObserved" in item["systemMetadata"]


@pytest.mark.parametrize(
    "path", ["/openapi/v2/timeseries/dataset/status", f"{PATH}?scrollId=nonsense"]
)
def test_what_cannot_be_scrolled_is_refused(client: Client, path: str) -> None:
    assert client.http.get(path).status_code == 400


def test_a_page_is_one_range_of_an_index(client: Client) -> None:
    hub = client.http.app.state.hub  # type: ignore[attr-defined]
    plan = hub.store.reader().execute(
        "EXPLAIN QUERY PLAN SELECT t.id FROM timeseries t CROSS JOIN entity e "
        "ON e.id = t.aspect / 4096 WHERE t.aspect % 4096 = 1 AND t.at BETWEEN 1 AND 2 "
        "AND (t.at < 2 OR t.id < 9) AND e.type = 'dataset' ORDER BY t.at DESC, t.id DESC LIMIT 3"
    )
    steps = " / ".join(row[3] for row in plan)
    assert "timeseries_by_kind" in steps
    assert "TEMP B-TREE" not in steps


def test_old_points_are_counted_first_and_taken_away_then(client: Client) -> None:
    _put(client, "a", 1, 2, 3)
    _put(client, "b", 2)
    body = {"entityType": "dataset", "aspect": "datasetProfile", "endTimeMillis": 2}
    url = "/operations?action=truncateTimeseriesAspect"
    told = client.http.post(url, json=body).json()["value"]
    assert told == "Delete 3 out of 4 rows (75.00%)."
    client.http.post(url, json={**body, "dryRun": False})
    assert _scroll(client) == [["a3"]]


@pytest.mark.parametrize(
    ("sort", "times"),
    [
        (None, [3, 2, 1]),
        ({"field": "timestampMillis", "order": "ASCENDING"}, [1, 2]),
        ({"field": "rowCount", "order": "DESCENDING"}, [2, 3, 1]),
        ({"field": "rowCount", "order": "ASCENDING"}, [3, 2]),
    ],
)
def test_points_of_an_entity_come_in_the_order_asked_for(
    client: Client, sort: Any, times: list[int]
) -> None:
    for at, rows in ((1, None), (2, 9), (3, 5)):
        profile = {"timestampMillis": at, **({} if rows is None else {"rowCount": rows})}
        client.must_put(_urn("a"), "datasetProfile", profile)
    body = {"urn": _urn("a"), "entity": "dataset", "aspect": "datasetProfile", "limit": len(times)}
    url = "/aspects?action=getTimeseriesAspectValues"
    values = client.http.post(url, json={**body, "sort": sort}).json()["value"]["values"]
    found = [json.loads(value["aspect"]["value"])["timestampMillis"] for value in values]
    assert found == times
