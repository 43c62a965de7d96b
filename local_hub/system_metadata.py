"""System metadata: who wrote a version, when, and in which run. All as JSON texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from dataspoke.local_hub.transaction import AspectRow

NO_RUN = "no-run-id-provided"
# What a client says and the hub keeps as it is.
_KEPT = ("pipelineName", "properties", "registryName", "registryVersion")


def new_metadata(
    given: Mapping[str, Any], run: str, row: AspectRow | None, stamp: str, now: int
) -> str:
    """Metadata of a version that follows `row`; `stamp` is the JSON of its actor and time."""
    last_run, created, version = None, stamp, 1
    if row is not None:
        before = orjson.loads(row.meta)
        last_run = before.get("runId")
        version = row.seq + 1
        if "aspectCreated" in before:
            created = orjson.dumps(before["aspectCreated"]).decode()
    text = (
        f'{{"lastObserved":{given.get("lastObserved") or now:d},"version":"{version}",'
        f'"schemaVersion":1,"aspectCreated":{created},"aspectModified":{stamp}'
    )
    if run != NO_RUN:
        text += f',"runId":{orjson.dumps(run).decode()}'
    if last_run:
        text += f',"lastRunId":{orjson.dumps(last_run).decode()}'
    for name in _KEPT:
        if given.get(name):
            text += f',"{name}":{orjson.dumps(given[name]).decode()}'
    return text + "}"


def seen_again(given: Mapping[str, Any], meta: str, now: int) -> str:
    """Metadata of a version that was written once more with the same value."""
    seen = orjson.loads(meta)
    seen["lastObserved"] = given.get("lastObserved") or now
    if given.get("runId"):
        seen["lastRunId"] = given["runId"]
    return orjson.dumps(seen).decode()


def point_metadata(given: Mapping[str, Any], run: str, now: int) -> str:
    """Metadata of a point of a timeseries."""
    meta = {"lastObserved": now, "runId": run, **given}
    return orjson.dumps(meta).decode()
