"""Plain HTTP to the server under test: every answer as it is, refusals too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import requests

from dataspoke.cli.conformance.expect import message_of, shown
from dataspoke.cli.conformance.model import NotPermitted, ServerGone
from dataspoke.cli.conformance.permissions import privilege_for

_TIMEOUT_S = (5.0, 60.0)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` is parsed JSON, or the text of what is none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Http:
    """Requests to one server. Nothing is retried: a check sees what a plugin would see."""

    def __init__(self, server: str, token: str | None) -> None:
        self.server = server
        self._session = requests.Session()
        self._session.headers["X-RestLi-Protocol-Version"] = "2.0.0"
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str | int] | None = None,
    ) -> Reply:
        """Send one request; `path` begins with a slash, urns in it are already quoted.

        Raises NotPermitted for 401 and 403, ServerGone when nothing answers.
        """
        if params:
            path = f"{path}?{urlencode(params)}"
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._session.request(
                method,
                self.server + path,
                data=data,
                headers={} if data is None else {"Content-Type": "application/json"},
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            raise ServerGone(
                f"{self.server} does not answer {method} {path[:120]}: {type(exc).__name__}."
            ) from exc
        reply = Reply(answer.status_code, _parsed(answer), answer.headers)
        if reply.status in (401, 403):
            asked = f"{method} {path} {data.decode() if data and 'graphql' in path else ''}"
            raise NotPermitted(
                f"{method} {path[:120]} is answered with HTTP {reply.status}, "
                f"{shown(message_of(reply.body))}",
                privilege_for(asked),
            )
        return reply

    def get(self, path: str, **params: str | int) -> Reply:
        return self.send("GET", path, params=params)

    def post(self, path: str, body: Any, **params: str | int) -> Reply:
        return self.send("POST", path, body, params=params)

    def close(self) -> None:
        self._session.close()


def quoted(urn: str) -> str:
    """A urn as one part of a path: slashes and colons encoded, as the stock client does."""
    return quote(urn, safe="")


def _parsed(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text
