"""The hub's event log in memory, with the methods that publishers use."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

MCL_TOPIC = "MetadataChangeLog_Versioned_v1"


@dataclass(frozen=True)
class LoggedEvent:
    offset: int
    topic: str
    key: str
    created_at: int
    body: str


def change_log_record(number: int, text: str = "café") -> dict[str, Any]:
    """A change of the description of dataset `t<number>`."""
    aspect = json.dumps({"description": f"{text} {number}"}, ensure_ascii=False)
    return {
        "entityType": "dataset",
        "entityUrn": f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.t{number},PROD)",
        "changeType": "UPSERT",
        "aspectName": "editableDatasetProperties",
        "aspect": {"value": aspect, "contentType": "application/json"},
        "systemMetadata": {"lastObserved": 1, "runId": "run", "properties": {"a": "b"}},
        "created": {"time": 5, "actor": "urn:li:corpuser:datahub"},
    }


class MemoryEventLog:
    """`events` in order; `cursors` are what publishers have stored."""

    def __init__(self) -> None:
        self.events: list[LoggedEvent] = []
        self.cursors: dict[str, int] = {}
        self._news = threading.Condition()

    def add(self, *numbers: int) -> None:
        for number in numbers:
            record = change_log_record(number)
            self.append(MCL_TOPIC, record["entityUrn"], json.dumps(record))

    def append(self, topic: str, key: str, body: str) -> None:
        with self._news:
            offset = len(self.events) + 1
            self.events.append(LoggedEvent(offset, topic, key, 1_700_000_000_000 + offset, body))
            self._news.notify_all()

    def read_events(self, topic: str | None, after: int, limit: int) -> list[LoggedEvent]:
        found = [e for e in self.events[after:] if topic is None or e.topic == topic]
        return found[:limit]

    def wait_for_events(self, after: int, timeout: float) -> bool:
        with self._news:
            return self._news.wait_for(lambda: len(self.events) > after, timeout)

    def cursor(self, name: str) -> int | None:
        return self.cursors.get(name)

    def set_cursor(self, name: str, offset: int) -> None:
        self.cursors[name] = offset
