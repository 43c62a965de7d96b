"""The one place that talks HTTP to DataHub's metadata service (GMS)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from dataspoke.core.errors import (
    AccessDeniedError,
    ConfigError,
    RetriableError,
    SkippableError,
)
from dataspoke.core.hub import codec
from dataspoke.core.settings import Settings

if TYPE_CHECKING:
    from datahub.ingestion.graph.client import DataHubGraph

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
_PROBE = f"/aspects/{quote('urn:li:corpuser:datahub', safe='')}"


class InternalError(RetriableError):
    """DataHub answers 500: it is unwell, or one entity of the request breaks it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where server and token were set, for messages that say what to change."""

    server: str
    token: str


_ENVIRONMENT = Source("DATAHUB_GMS_URL", "DATAHUB_GMS_TOKEN")
_RECIPE = Source("datahub.server", "datahub.token")


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: the parsed body and its size in bytes, decompressed."""

    body: Any
    size: int


@dataclass(frozen=True, slots=True)
class _Access:
    """What each thread's session is built from. Never printed: it holds the token."""

    headers: Mapping[str, str | bytes] = field(repr=False)
    auth: Any = field(default=None, repr=False)
    verify: bool | str | None = True
    cert: Any = field(default=None, repr=False)


class HubConnection:
    """HTTP to one DataHub server; safe to share between threads (a session for each).

    Only hiccups of a connection are retried here, at once; a server that is away or
    overloaded is the caller's to wait for (RetriableError). Because of these retries a POST
    may reach the server twice.
    """

    def __init__(self, server: str, access: _Access, source: Source) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                f"Cannot use {source.server} = {server!r}: it is no http(s) URL. "
                "Set it to DataHub's metadata service, such as http://localhost:8080."
            )
        self.server = server.rstrip("/")
        self._access = access
        self._source = source
        self._local = threading.local()

    @classmethod
    def open(cls, settings: Settings, *, token: str | None = None) -> Self:
        """To the server of the environment, with `token` or that of the environment; sends
        nothing yet."""
        headers = {"X-RestLi-Protocol-Version": "2.0.0", "Content-Type": "application/json"}
        if token := token or settings.gms_token:
            _check_token(token)
            headers["Authorization"] = f"Bearer {token}"
        return cls(settings.gms_url, _Access(headers), _ENVIRONMENT)

    @classmethod
    def from_graph(cls, graph: DataHubGraph) -> Self:
        """To the server of a recipe's `datahub:` block, with its token, headers, certificates.

        The graph's own session is not used: it retries for minutes inside one call.
        """
        session = graph.session
        access = _Access(dict(session.headers), session.auth, session.verify, session.cert)
        return cls(graph._gms_server, access, _RECIPE)

    def get(self, path: str, **params: str | int) -> Any:
        """The parsed answer. `path` begins with a slash; urns in it are already quoted."""
        return self.request("GET", path, params=params).body

    def get_or_none(self, path: str, **params: str | int) -> Any | None:
        """As `get`, but None when DataHub says 404. A 404 of anything else is no answer."""
        answer = self._send("GET", path, params, None)
        if answer.status_code == 404 and _is_json(answer):
            return None
        return self._parsed(answer, path).body

    def post(self, path: str, body: Any, **params: str | int) -> Any:
        return self.request("POST", path, body=body, params=params).body

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Answer:
        """Send one request.

        Raises RetriableError when the server is away or answers 429 or 5xx or no JSON,
        AccessDeniedError for 401 and 403, SkippableError for any other 4xx (but a 404 that is
        not DataHub's own, such as a proxy's page, is RetriableError).
        """
        return self._parsed(self._send(method, path, params, body), path)

    def check(self) -> dict[str, Any]:
        """DataHub's /config, once server and token are known to work; else one clear sentence.

        Raises RetriableError (unreachable), ConfigError (no DataHub), AccessDeniedError.
        """
        answer = self._send("GET", "/config", {}, None)
        if answer.status_code in (401, 403, 429) or answer.status_code >= 500:
            self._parsed(answer, "/config")
        config = _json_or_none(answer) if answer.ok else None
        if not isinstance(config, dict) or "noCode" not in config:
            raise self._no_datahub()
        # /config answers anybody; only a read tells whether the token is good.
        self.get_or_none(_PROBE, aspect="corpUserKey", version=0)
        return config

    def close(self) -> None:
        """Close the calling thread's connections; those of other threads end with them."""
        session = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            del self._local.session

    def __repr__(self) -> str:
        return f"HubConnection({self.server!r})"

    def _send(
        self, method: str, path: str, params: Mapping[str, str | int] | None, body: Any
    ) -> requests.Response:
        data = None if body is None else codec.encode(body)
        try:
            return self._session().request(
                method,
                self.server + path,
                params=params,
                data=data,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            raise RetriableError(
                f"Cannot reach DataHub at {self.server}: {_reason(exc)}. "
                f"Start it, or correct {self._source.server}."
            ) from exc

    def _parsed(self, response: requests.Response, path: str) -> Answer:
        status = response.status_code
        if status in (401, 403):
            found = "it wants a valid token" if status == 401 else "the token lacks a privilege"
            raise AccessDeniedError(
                f"Cannot use DataHub at {self.server}: {found} "
                f"(HTTP {status} for {_short(path)}). Correct {self._source.token}."
            )
        if 400 <= status < 500 and status != 429 and (status != 404 or _is_json(response)):
            raise SkippableError(
                f"Cannot get {_short(path)} from DataHub at {self.server}: "
                f"HTTP {status}, {_message(response)}."
            )
        if not 200 <= status < 300:
            kind = InternalError if status == 500 else RetriableError
            raise kind(
                f"Cannot get {_short(path)} from DataHub at {self.server}: it answers HTTP "
                f"{status}. Wait until it is well, or correct {self._source.server}."
            )
        try:
            return Answer(codec.decode(response.content), len(response.content))
        except ValueError as exc:
            raise RetriableError(
                f"Cannot get {_short(path)} from DataHub at {self.server}: the answer is no "
                f"JSON. See whether something stands before it, or correct {self._source.server}."
            ) from exc

    def _no_datahub(self) -> ConfigError:
        return ConfigError(
            f"Cannot use {self.server}: it answers, but it is no DataHub metadata service. "
            f"Set {self._source.server} to DataHub's GMS (as a rule port 8080, "
            "or <frontend>/api/gms)."
        )

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _new_session(self._access)
        return session


def _check_token(token: str) -> None:
    """What cannot stand in a header is no token; the client's own error would repeat it."""
    if not (token.isascii() and token.isprintable()):
        raise ConfigError(
            f"Cannot use {_ENVIRONMENT.token}: it holds a line break or a character that no token "
            "has. Set it to the token alone, as DataHub shows it."
        )


def _new_session(access: _Access) -> requests.Session:
    session = requests.Session()
    session.headers.update(access.headers)
    session.auth = access.auth
    session.verify = access.verify
    session.cert = access.cert
    retry = Retry(
        total=2,
        connect=2,
        read=1,
        redirect=0,
        status=0,
        other=0,
        backoff_factor=0.1,
        allowed_methods=None,
    )
    adapter = HTTPAdapter(max_retries=retry)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _is_json(response: requests.Response) -> bool:
    return (
        "json" in response.headers.get("Content-Type", "")
        or "X-RestLi-Error-Response" in response.headers
    )


def _json_or_none(response: requests.Response) -> Any:
    try:
        return codec.decode(response.content)
    except ValueError:
        return None


def _message(response: requests.Response) -> str:
    """DataHub's own words, in one line of at most 300 characters."""
    body = _json_or_none(response)
    found = None
    if isinstance(body, dict):
        found = body.get("message") or body.get("error") or body.get("detail")
    text = " ".join(str(found or "without a message").split())
    return text[:300].rstrip(". ")


def _reason(exc: requests.RequestException) -> str:
    if isinstance(exc, requests.exceptions.SSLError):
        return "the TLS connection fails, see its certificate"
    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return f"no connection within {CONNECT_TIMEOUT_S:.0f} s"
    if isinstance(exc, requests.exceptions.ReadTimeout):
        return f"no answer within {READ_TIMEOUT_S:.0f} s"
    text = str(exc)
    for sign, words in (
        ("Name or service not known", "the host name is unknown"),
        ("NameResolutionError", "the host name is unknown"),
        ("Connection refused", "connection refused"),
        ("Read timed out", f"no answer within {READ_TIMEOUT_S:.0f} s"),
        ("timed out", f"no connection within {CONNECT_TIMEOUT_S:.0f} s"),
    ):
        if sign in text:
            return words
    return "the connection broke"


def _short(path: str) -> str:
    return path if len(path) <= 120 else f"{path[:117]}..."
