"""A poll API that misbehaves on demand, and a runner that acks as the pipeline does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from datahub_actions.event.event_envelope import EventEnvelope

from dataspoke.actions.events_source.source import DatabaseStore, EventsSource
from dataspoke.core.errors import RetriableError
from dataspoke.local_hub.transports.avro import MCL_TOPIC, to_avro_json


def mcl(number: int, **changes: Any) -> str:
    """The value of a change log event as DataHub's poll API gives it; `number` is in its urn."""
    record: dict[str, Any] = {
        "entityType": "dataset",
        "entityUrn": f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.t{number},PROD)",
        "changeType": "UPSERT",
        "aspectName": "datasetProperties",
        "aspect": {"value": json.dumps({"name": f"t{number}"}), "contentType": "application/json"},
        "created": {"time": 5, "actor": "urn:li:corpuser:datahub"},
    }
    return to_avro_json(MCL_TOPIC, record | changes)


@dataclass
class FakePollApi:
    """Holds values per topic; an offset is the count of values before it, as a string."""

    topics: dict[str, list[str]] = field(default_factory=dict)
    answers: list[tuple[int, Any]] = field(default_factory=list)
    """Answers to give first instead of the real ones: status and body."""
    refuse: Callable[[dict[str, str]], tuple[int, Any] | None] = lambda params: None
    polls: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, *numbers: int, topic: str = MCL_TOPIC, **changes: Any) -> None:
        self.topics.setdefault(topic, []).extend(mcl(number, **changes) for number in numbers)

    def answer(self, params: dict[str, str]) -> tuple[int, Any]:
        self.polls.append(params)
        if self.answers:
            return self.answers.pop(0)
        refused = self.refuse(params)
        if refused is not None:
            return refused
        values = self.topics.setdefault(params["topic"], [])
        if "offsetId" in params:
            start = int(params["offsetId"])
            if start > len(values):
                return 400, {"message": "offset out of range"}
        else:
            start = 0 if "lookbackWindowDays" in params else len(values)
        deadline = time.monotonic() + min(0.2, float(params["pollTimeoutSeconds"]))
        while len(values) <= start and time.monotonic() < deadline:
            time.sleep(0.01)
        chosen = values[start : start + int(params["limit"])]
        events = [{"contentType": "application/json", "value": value} for value in chosen]
        offset = str(start + len(chosen))
        return 200, {"offsetId": offset, "count": len(events), "events": events}


class FlakyState:
    """A state store whose database can go away."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.away = False

    def get(self, key: str) -> str | None:
        self._look()
        value: str | None = self._inner.get(key)
        return value

    def set(self, key: str, value: str) -> None:
        self._look()
        self._inner.set(key, value)

    def _look(self) -> None:
        if self.away:
            raise RetriableError("Cannot use the database: it is away. Start it.")


class Runner:
    """Runs a source in a thread and treats its events as the pipeline does."""

    def __init__(self, source: EventsSource, store: DatabaseStore) -> None:
        self.source = source
        self.store = store
        self.seen: list[EventEnvelope] = []
        self.failure: Exception | None = None
        self.act: Callable[[EventEnvelope], bool | None] = lambda event: True
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            for envelope in self.source.events():
                self.seen.append(envelope)
                result = self.act(envelope)
                self.source.ack(envelope, processed=result is None or result)
        except Exception as exc:
            self.failure = exc

    def start(self) -> Runner:
        self._thread.start()
        return self

    def join(self, timeout: float = 10) -> None:
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the source did not end"

    def stop(self) -> None:
        self.source.request_stop()
        self.join()

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that were delivered, in order."""
        return [int(e.event.entityUrn.split(".t")[1].split(",")[0]) for e in self.seen]  # type: ignore[attr-defined]

    def offset(self, topic: str = MCL_TOPIC, pipeline: str = "p") -> str | None:
        value: str | None = self.store.state.get(f"offset:{pipeline}:{topic}")
        return value


def eventually(check: Callable[[], Any], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
