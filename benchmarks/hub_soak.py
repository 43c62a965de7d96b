"""Eight clients that write, read, search and poll while the hub is killed and started again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
from hub_process import HubProcess

CLIENTS = 8
_AWAY = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.Timeout)


@dataclass
class _Client:
    """One client; `wrote` has the last acknowledged number by urn, `doubtful` the one after it."""

    hub: HubProcess
    number: int
    stop: threading.Event
    wrote: dict[str, int] = field(default_factory=dict)
    doubtful: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    calls: int = 0
    errors: list[str] = field(default_factory=list)
    offset: int | None = None

    def run(self) -> None:
        session = requests.Session()
        steps: tuple[Callable[[requests.Session, int], None], ...] = (
            self._restli,
            self._openapi,
            self._batch,
            self._read,
            self._search,
            self._poll,
        )
        turn = 0
        while not self.stop.is_set():
            try:
                steps[turn % len(steps)](session, turn)
                self.calls += 1
            except _AWAY:
                time.sleep(0.2)  # it was killed; the step is not repeated
            turn += 1

    def _urn(self, turn: int) -> str:
        name = f"soak.c{self.number}.t{turn % 40}"
        return f"urn:li:dataset:(urn:li:dataPlatform:hive,{name},PROD)"

    def _call(self, session: requests.Session, method: str, path: str, body: Any = None) -> Any:
        response = session.request(method, f"{self.hub.url}{path}", json=body, timeout=60)
        if response.status_code >= 300:
            self.errors.append(f"{method} {path}: {response.status_code} {response.text[:200]}")
        return response.json()

    def _write(self, urns: list[str], number: int, call: Callable[[], None]) -> None:
        for urn in urns:
            self.doubtful[urn] = number
        call()
        for urn in urns:
            self.wrote[urn] = number
            self.acknowledged += 1

    def _value(self, number: int) -> dict[str, Any]:
        return {"name": str(number), "description": f"Table of client {self.number}"}

    def _proposal(self, urn: str, number: int) -> dict[str, Any]:
        return {
            "entityType": "dataset",
            "entityUrn": urn,
            "changeType": "UPSERT",
            "aspectName": "datasetProperties",
            "aspect": {
                "value": json.dumps(self._value(number)),
                "contentType": "application/json",
            },
        }

    def _restli(self, session: requests.Session, turn: int) -> None:
        urn = self._urn(turn)
        body = {"proposal": self._proposal(urn, turn)}
        path = "/aspects?action=ingestProposal"
        self._write([urn], turn, lambda: self._call(session, "POST", path, body))

    def _openapi(self, session: requests.Session, turn: int) -> None:
        urn = self._urn(turn)
        body = [{"urn": urn, "datasetProperties": {"value": self._value(turn)}}]
        path = "/openapi/v3/entity/dataset?async=false"
        self._write([urn], turn, lambda: self._call(session, "POST", path, body))

    def _batch(self, session: requests.Session, turn: int) -> None:
        urns = list(dict.fromkeys(self._urn(turn + step) for step in range(20)))
        body = {"proposals": [self._proposal(urn, turn) for urn in urns]}
        path = "/aspects?action=ingestProposalBatch"
        self._write(urns, turn, lambda: self._call(session, "POST", path, body))

    def _read(self, session: requests.Session, turn: int) -> None:
        for urn, number in list(self.wrote.items())[:5]:
            path = f"/openapi/v3/entity/dataset/{quote(urn, safe='')}/datasetProperties"
            found = int(self._call(session, "GET", path)["value"]["name"])
            if found not in (number, self.doubtful[urn]):
                self.errors.append(f"{urn} has {found}, expected {number}")

    def _search(self, session: requests.Session, turn: int) -> None:
        query = '{ searchAcrossEntities(input: {query: "soak", count: 5}) { total } }'
        answer = self._call(session, "POST", "/api/graphql", {"query": query})
        if answer.get("errors"):
            self.errors.append(f"search: {answer['errors']}")

    def _poll(self, session: requests.Session, turn: int) -> None:
        path = "/openapi/v1/events/poll?topic=PlatformEvent_v1&pollTimeoutSeconds=0&limit=500"
        path += "&lookbackWindowDays=1" if self.offset is None else f"&offsetId={self.offset}"
        self.offset = int(self._call(session, "GET", path)["offsetId"])


def soak(hub: HubProcess, seconds: float) -> None:
    """Run for so long and report; raises AssertionError for an error or a lost write."""
    stop = threading.Event()
    clients = [_Client(hub, number, stop) for number in range(CLIENTS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 2)
    hub.kill()
    away = time.perf_counter()
    hub.start()
    print(f"killed; ready again after {time.perf_counter() - away:.1f} s", flush=True)
    time.sleep(seconds / 2)
    stop.set()
    for thread in threads:
        thread.join()
    errors = [error for client in clients for error in client.errors]
    lost = [problem for client in clients for problem in _lost(hub, client)]
    calls = sum(client.calls for client in clients)
    acknowledged = sum(client.acknowledged for client in clients)
    print(
        f"{CLIENTS} clients, {seconds:.0f} s: {calls:,} calls, {acknowledged:,} writes "
        f"acknowledged, {len(errors)} errors, {len(lost)} lost"
    )
    assert not errors, errors[:5]
    assert not lost, lost[:5]


def _lost(hub: HubProcess, client: _Client) -> list[str]:
    """Acknowledged writes that are not there; a write in doubt may or may not have come later."""
    asked = [{"urn": urn, "datasetProperties": {}} for urn in client.wrote]
    path = f"{hub.url}/openapi/v3/entity/dataset/batchGet"
    answer = requests.post(path, json=asked, timeout=60).json()
    found = {entity["urn"]: int(entity["datasetProperties"]["value"]["name"]) for entity in answer}
    return [
        f"{urn}: {found.get(urn)} instead of {number}"
        for urn, number in client.wrote.items()
        if found.get(urn) not in (number, client.doubtful[urn])
    ]
