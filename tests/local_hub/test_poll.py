from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub.routes.events import MOST_CONSUMERS

TAG = "urn:li:tag:{}"
TOPIC = "MetadataChangeLog_Versioned_v1"


def _poll(client: Client, **params: Any) -> dict[str, Any]:
    params = {"topic": TOPIC, "pollTimeoutSeconds": 0, **params}
    answer = client.http.get("/openapi/v1/events/poll", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert isinstance(found["offsetId"], str)
    assert found["count"] == len(found["events"])
    return found


def _urns(found: dict[str, Any]) -> list[str]:
    return [json.loads(event["value"])["entityUrn"]["string"] for event in found["events"]]


def _write(client: Client, name: str) -> str:
    urn = TAG.format(name)
    client.must_put(urn, "tagProperties", {"name": name})
    return urn


def test_without_an_offset_it_starts_at_the_end(client: Client) -> None:
    _write(client, "before")
    start = _poll(client)
    assert start["events"] == []
    urn = _write(client, "after")
    found = _poll(client, offsetId=start["offsetId"])
    assert set(_urns(found)) == {urn}
    assert _poll(client, offsetId=found["offsetId"])["events"] == []


def test_an_offset_of_zero_reads_everything_in_pages(client: Client) -> None:
    names = [_write(client, f"n{number}") for number in range(3)]
    offset, urns = "0", []
    while True:
        page = _poll(client, offsetId=offset, limit=7)
        if not page["events"]:
            break
        assert page["count"] <= 7
        urns += _urns(page)
        offset = page["offsetId"]
    assert [urn for urn in dict.fromkeys(urns) if urn in names] == names


def test_topics_are_kept_apart(client: Client) -> None:
    start = _poll(client)["offsetId"]
    urn = "urn:li:dataset:(urn:li:dataPlatform:x,y,PROD)"
    client.must_put(urn, "datasetProfile", {"timestampMillis": 1})
    found = _poll(client, offsetId=start, topic="MetadataChangeLog_Timeseries_v1")
    assert _urns(found) == [urn]
    events = _poll(client, offsetId=start, topic="PlatformEvent_v1")["events"]
    names = [json.loads(event["value"])["name"] for event in events]
    assert names == ["entityChangeEvent"]


def test_a_long_poll_answers_as_soon_as_there_is_an_event(client: Client) -> None:
    offset = _poll(client)["offsetId"]
    timer = threading.Timer(0.3, _write, (client, "late"))
    timer.start()
    started = time.monotonic()
    found = _poll(client, offsetId=offset, pollTimeoutSeconds=10)
    assert found["count"] > 0
    assert time.monotonic() - started < 8
    timer.join()


def test_a_long_poll_without_events_ends_in_time(client: Client) -> None:
    offset = _poll(client)["offsetId"]
    started = time.monotonic()
    assert _poll(client, offsetId=offset, pollTimeoutSeconds=0.2)["events"] == []
    assert 0.15 < time.monotonic() - started < 5


def test_a_look_back_starts_in_the_past(client: Client) -> None:
    urn = _write(client, "recent")
    assert urn in _urns(_poll(client, lookbackWindowDays=1, limit=5000))


@pytest.mark.parametrize(
    "params",
    [
        {"topic": "Nonsense_v1"},
        {"topic": ""},
        {"offsetId": "nonsense"},
        {"limit": "x"},
        {"limit": "-1"},
        {"pollTimeoutSeconds": "soon"},
        {"lookbackWindowDays": "x"},
    ],
)
def test_a_poll_that_makes_no_sense_is_refused(client: Client, params: dict[str, str]) -> None:
    answer = client.http.get("/openapi/v1/events/poll", params={"topic": TOPIC, **params})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "message"}


def test_text_arrives_in_the_form_of_the_java_encoder(client: Client) -> None:
    offset = _poll(client)["offsetId"]
    client.must_put(TAG.format("x"), "tagProperties", {"name": "café"})
    values = [json.loads(event["value"]) for event in _poll(client, offsetId=offset)["events"]]
    aspect = values[-1]["aspect"]["com.linkedin.pegasus2avro.mxe.GenericAspect"]["value"]
    assert json.loads(aspect.encode("latin-1")) == {"name": "café"}


def test_a_poll_beyond_the_pool_of_consumers_is_told_to_come_again(client: Client) -> None:
    waiting = [
        threading.Thread(target=_poll, args=(client,), kwargs={"pollTimeoutSeconds": 3})
        for _ in range(MOST_CONSUMERS)
    ]
    for thread in waiting:
        thread.start()
    time.sleep(0.5)
    params: dict[str, Any] = {"topic": TOPIC, "pollTimeoutSeconds": 0}
    refused = client.http.get("/openapi/v1/events/poll", params=params)
    assert refused.status_code == 429
    assert "Try again later" in refused.text
    _write(client, "news")
    for thread in waiting:
        thread.join()
    assert _poll(client)["events"] == []
