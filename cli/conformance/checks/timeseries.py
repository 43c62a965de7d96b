"""Timeseries aspects: profiles, operations, checkpoints."""

from __future__ import annotations

import json
import time
from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect_equal, expect_status
from dataspoke.cli.conformance.model import check

_BY = "quality plugins: profiles are the history that they judge"
_HOUR = 3_600_000


@check(by=_BY, each_mode=True)
def points_come_newest_first(c: Context) -> None:
    """The points of an entity come newest first, at most as many as asked for."""
    urn, _ = _profiled(c, 3)
    c.eventually("Wrote three profiles", lambda: _rows(c, urn), want=[2, 1, 0])
    expect_equal("Asked for two of three", _rows(c, urn, limit=2), [2, 1])


@check(by=_BY)
def time_range_is_kept_to(c: Context) -> None:
    """A start and an end in milliseconds limit the points.

    GMS: AspectResource.java, getTimeseriesAspectValues.
    """
    urn, start = _profiled(c, 4)
    c.eventually("Wrote four profiles", lambda: _rows(c, urn), want=[3, 2, 1, 0])
    found = _rows(c, urn, startTimeMillis=start + _HOUR, endTimeMillis=start + 2 * _HOUR + 1)
    expect_equal("Asked for the second and third hour", found, [2, 1])


@check(by="every source with stateful ingestion")
def points_are_filtered_by_a_field(c: Context) -> None:
    """A filter finds the checkpoint of one pipeline among those of others."""
    flow = c.own(f"urn:li:dataFlow:({c.target.marker},{c.name('flow')},PROD)")
    job = c.own(f"urn:li:dataJob:({flow},stale)")
    now = int(time.time() * 1000)
    for number, pipeline in enumerate(("mine", "other")):
        checkpoint = {
            "timestampMillis": now + number,
            "pipelineName": pipeline,
            "platformInstanceId": "",
            "config": "",
            "state": {"formatVersion": "1.0", "serde": "utf-8", "payload": "{}"},
            "runId": c.target.run_id,
        }
        c.put(job, "datahubIngestionCheckpoint", checkpoint)
    criterion = {"field": "pipelineName", "values": ["mine"], "condition": "EQUAL"}

    def pipelines() -> list[str]:
        values = _values(
            c, job, "datahubIngestionCheckpoint", filter={"or": [{"and": [criterion]}]}
        )
        return [value["pipelineName"] for value in values]

    c.eventually("Asked for the checkpoint of one pipeline", pipelines, want=["mine"])


@check(by="dataspoke-query-log, which may report an hour twice")
def point_sent_twice_is_one(c: Context) -> None:
    """A point with the same time and the same parts replaces the earlier one.

    GMS: ElasticSearchTimeseriesAspectService.java, the document id.
    """
    urn = c.dataset()
    now = int(time.time() * 1000)
    for rows in (1, 2):
        c.put(urn, "datasetProfile", {"timestampMillis": now, "rowCount": rows})
    c.eventually("Wrote two profiles of one moment", lambda: _rows(c, urn), want=[2])


@check(by=_BY)
def stock_client_reads_the_latest(c: Context) -> None:
    """The stock client reads the latest point, typed."""
    from datahub.metadata.schema_classes import DatasetProfileClass

    urn, _ = _profiled(c, 2)

    def latest() -> int | None:
        found = c.graph.get_latest_timeseries_value(
            entity_urn=urn, aspect_type=DatasetProfileClass, filter_criteria_map={}
        )
        return found.rowCount if found else None

    c.eventually("Asked for the latest of two profiles", latest, want=1)


@check(by="dataspoke-quality-scan, which reads the history of all datasets at once")
def points_of_all_entities_are_scrolled(c: Context) -> None:
    """The points of all entities of a type come in one scroll, within a time range.

    GMS: smoke test openapi/v2/test_timeseries_scroll.py.
    """
    urns = [c.dataset("first"), c.dataset("second")]
    # Long ago, so that on a busy server the range holds few points of others.
    start = 946_684_800_000 + int(c.target.run, 16)
    for number, urn in enumerate(urns):
        profile = {"timestampMillis": start + number * 1000, "rowCount": number}
        c.put(urn, "datasetProfile", profile)

    def scrolled() -> dict[str, int]:
        found: dict[str, int] = {}
        params: dict[str, str | int] = {}
        for _ in range(20):
            reply = c.http.get(
                "/openapi/v2/timeseries/dataset/datasetProfile",
                count=1,
                startTimeMillis=start,
                endTimeMillis=start + 2000,
                **params,
            )
            c.older_may_lack(reply, "scroll over timeseries")
            expect_status("Scrolled over profiles", reply.status, (200,), reply.body)
            for result in reply.body["results"]:
                if result["urn"] in urns:
                    found[result["urn"]] = result["event"]["rowCount"]
            if not reply.body.get("scrollId"):
                break
            params = {"scrollId": reply.body["scrollId"]}
        return found

    c.eventually(
        "Scrolled over the profiles of two datasets", scrolled, want={urns[0]: 0, urns[1]: 1}
    )


@check(by="dataspoke-query-log")
def operations_keep_their_numbers(c: Context) -> None:
    """An operation is read back with its type, rows and own properties."""
    urn = c.dataset()
    now = int(time.time() * 1000)
    value = {
        "timestampMillis": now,
        "lastUpdatedTimestamp": now,
        "operationType": "INSERT",
        "numAffectedRows": 42,
        "customProperties": {"statement": "INSERT INTO t"},
    }
    c.put(urn, "operation", value)
    found = c.eventually("Wrote an operation", lambda: _values(c, urn, "operation"))
    kept = {name: found[0].get(name) for name in value}
    expect_equal("Read the operation", kept, value)


def _profiled(c: Context, count: int) -> tuple[str, int]:
    """A dataset with a profile per hour; the time of the first."""
    urn = c.dataset()
    start = int(time.time() * 1000) - count * _HOUR
    for number in range(count):
        profile = {"timestampMillis": start + number * _HOUR, "rowCount": number}
        c.put(urn, "datasetProfile", profile)
    return urn, start


def _rows(c: Context, urn: str, **options: Any) -> list[int]:
    return [value["rowCount"] for value in _values(c, urn, "datasetProfile", **options)]


def _values(c: Context, urn: str, aspect: str, **options: Any) -> list[dict[str, Any]]:
    body = {"urn": urn, "entity": urn.split(":")[2], "aspect": aspect, "limit": 10, **options}
    reply = c.http.post("/aspects", body, action="getTimeseriesAspectValues")
    expect_status(f"Asked for {aspect}", reply.status, (200,), reply.body)
    return [json.loads(item["aspect"]["value"]) for item in reply.body["value"]["values"]]
