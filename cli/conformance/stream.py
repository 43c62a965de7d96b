"""A reader of the events API for one check: it waits for what the check has written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect_status
from dataspoke.cli.conformance.model import Skip, Unmet

VERSIONED = "MetadataChangeLog_Versioned_v1"
TIMESERIES = "MetadataChangeLog_Timeseries_v1"
ECE = "PlatformEvent_v1"

_PATH = "/openapi/v1/events/poll"


class Stream:
    """Events of a topic from now on, or from `position`.

    "Now" is where the last stream of this run over the topic has come to: events of others
    come along. With `settle`, events of that urn that are under way are passed first.
    """

    def __init__(
        self,
        c: Context,
        topic: str,
        *,
        position: str | None = None,
        limit: int = 500,
        settle: str | None = None,
    ) -> None:
        self._c = c
        self._topic = topic
        self._limit = limit
        self.largest = 0
        self.position = position or c.target.positions.get(topic) or self.begin()["offsetId"]
        if settle is not None:
            self._settle(settle)

    def begin(self) -> dict[str, Any]:
        """What a poll without a position answers; the stream goes on from there."""
        page = self._poll({})
        self.position = page["offsetId"]
        return page

    def until(
        self, tried: str, enough: Callable[[list[dict[str, Any]]], object]
    ) -> list[dict[str, Any]]:
        """All events from the beginning until `enough` says so. Raises Unmet."""
        events: list[dict[str, Any]] = []
        patience = self._c.target.patience
        deadline = time.monotonic() + patience
        while not enough(events):
            if time.monotonic() > deadline:
                raise Unmet(
                    f"{tried} and polled {self._topic} for {patience:g} s; the event did not "
                    f"come, found {len(events)} others. Raise --patience if the server is busy."
                )
            page = self._poll({"offsetId": self.position})
            self.largest = max(self.largest, len(page["events"]))
            events += [json.loads(event["value"]) for event in page["events"]]
            self.position = page["offsetId"]
        self._c.target.positions[self._topic] = self.position
        return events

    def _settle(self, urn: str) -> None:
        """Write to the urn once more and pass that event: all before it are passed as well."""
        c, fence = self._c, f"{self._c.target.run_id}-{time.time_ns()}"
        note = {"deprecated": False, "note": fence, "actor": "urn:li:corpuser:datahub"}
        c.put(urn, "deprecation", note)
        self.until("Wrote a fence", lambda events: any(fence in str(event) for event in events))

    def _poll(self, start: Mapping[str, str]) -> dict[str, Any]:
        reply = self._c.http.get(
            _PATH, topic=self._topic, limit=self._limit, pollTimeoutSeconds=1, **start
        )
        self._c.older_may_lack(reply, "events API")
        if reply.status == 429:
            raise Skip("the server's consumers of the events API are all busy (HTTP 429)")
        expect_status(f"Polled {self._topic}", reply.status, (200,), reply.body)
        body: dict[str, Any] = reply.body
        return body


def unwrapped(value: Any) -> Any:
    """The value inside a union of Avro JSON: `{"string": "x"}` is "x"."""
    if isinstance(value, Mapping) and len(value) == 1:
        name, inner = next(iter(value.items()))
        if name in ("string", "long", "int", "boolean", "bytes", "map") or "." in name:
            return inner
    return value
