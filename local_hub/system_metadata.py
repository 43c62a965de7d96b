"""System metadata: who wrote a version, when, and in which run. All as JSON texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from dataspoke.local_hub.transaction import AspectRow

NO_RUN = "no-run-id-provided"
# The property that names the request which wrote a version.
TRACE_PROPERTY = "telemetryTraceId"
# What a client says and the hub keeps as it is.
_KEPT = ("pipelineName", "registryName", "registryVersion")


def new_metadata(
    given: Mapping[str, Any], run: str, row: AspectRow | None, stamp: str, now: int, properties: str
) -> str:
    """Metadata of a version that follows `row`.

    `stamp` is the JSON of its actor and time, `properties` a member with a comma before it.
    """
    last_run, created, version = None, stamp, 1
    if row is not None:
        before = orjson.loads(row.meta)
        last_run = before.get("runId")
        version = row.seq + 1
        if "aspectCreated" in before:
            created = orjson.dumps(before["aspectCreated"]).decode()
    text = (
        f'{{"lastObserved":{given.get("lastObserved") or now:d},"version":"{version}",'
        f'"schemaVersion":1,"aspectCreated":{created},"aspectModified":{stamp}{properties}'
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
    """Metadata of a version that was written once more with the same value.

    Version and trace stay, the run is the new one.
    """
    seen = orjson.loads(meta)
    seen["lastObserved"] = given.get("lastObserved") or now
    last_run, run = seen.pop("runId", None), given.get("runId")
    seen.pop("lastRunId", None)
    if last_run:
        seen["lastRunId"] = last_run
    if run:
        seen["runId"] = run
    return orjson.dumps(seen).decode()


def request_metadata(given: Mapping[str, Any], now: int, properties: str) -> str:
    """Metadata as they are before anything is stored: of a point, and of an accepted write."""
    kept = {name: value for name, value in given.items() if name != "properties"}
    return f"{orjson.dumps({'lastObserved': now, **kept}).decode()[:-1]}{properties}}}"


def properties_member(given: Mapping[str, Any], trace: str | None) -> str:
    """The member `properties`, with a comma before it: what the client gave, and the trace."""
    properties = given.get("properties") or {}
    if trace is not None:
        properties = {**properties, TRACE_PROPERTY: trace}
    return f',"properties":{orjson.dumps(properties).decode()}' if properties else ""
