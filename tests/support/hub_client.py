"""A hub in the process of the test, and short forms of the calls that tests make most."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.testclient import TestClient

from dataspoke.local_hub.hub import Hub


@dataclass(frozen=True)
class Client:
    """Calls a hub as the stock clients do."""

    http: TestClient

    def put(self, urn: str, aspect: str, value: Any, change: str = "UPSERT", **more: Any) -> Any:
        """Write one aspect over rest.li; the answer is the response."""
        kind = "application/json-patch+json" if change == "PATCH" else "application/json"
        proposal = {
            "entityType": urn.split(":")[2],
            "entityUrn": urn,
            "changeType": change,
            "aspectName": aspect,
            "aspect": {"value": json.dumps(value), "contentType": kind},
            **more,
        }
        body = {"proposal": proposal, "async": "false"}
        return self.http.post("/aspects?action=ingestProposal", json=body)

    def must_put(
        self, urn: str, aspect: str, value: Any, change: str = "UPSERT", **more: Any
    ) -> None:
        response = self.put(urn, aspect, value, change, **more)
        assert response.status_code == 200, response.text

    def get(self, urn: str, aspect: str) -> Any:
        """The value of an aspect, None if there is none."""
        path = f"/openapi/v3/entity/{urn.split(':')[2]}/{quote(urn, safe='')}/{aspect}"
        response = self.http.get(path)
        return response.json()["value"] if response.status_code == 200 else None

    def events(self, topic: str, after: int = 0) -> list[dict[str, Any]]:
        """All events of a topic behind an offset, in their plain form."""
        hub: Hub = self.http.app.state.hub  # type: ignore[attr-defined]
        return [json.loads(event.body) for event in hub.store.read_events(topic, after, 10_000)]

    def last_offset(self) -> int:
        hub: Hub = self.http.app.state.hub  # type: ignore[attr-defined]
        return hub.store.last_offset()

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self.http.post("/api/graphql", json={"query": query, "variables": variables})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
