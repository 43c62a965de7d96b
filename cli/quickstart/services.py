"""HTTP to our own services on the loopback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import requests

_SECONDS = 10


class LocalService:
    """A service at `url`; no proxy of the environment comes in between."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def answers(self, path: str) -> bool:
        """Whether GET is answered with 200."""
        try:
            return self._session.get(self.url + path, timeout=_SECONDS).status_code == 200
        except requests.RequestException:
            return False

    def get(self, path: str, **params: str | int) -> dict[str, Any]:
        """The JSON answer; raises requests.RequestException."""
        response = self._session.get(self.url + path, params=params, timeout=_SECONDS)
        response.raise_for_status()
        body: dict[str, Any] = response.json()
        return body

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON answer; raises requests.RequestException."""
        response = self._session.post(self.url + path, json=body, timeout=_SECONDS)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


def entity_counts(hub: LocalService, types: Sequence[str]) -> dict[str, int]:
    """How many entities of each type the hub has; types without any are left out."""
    counts = {}
    for entity_type in types:
        asked = {"entity": entity_type, "start": 0, "count": 0}
        total = int(hub.post("/entities?action=listUrns", asked)["value"]["total"])
        if total:
            counts[entity_type] = total
    return counts
