"""The server under test, as all checks of a run share it."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataspoke.cli.conformance.http import Http
from dataspoke.cli.conformance.journal import MARKER, Journal
from dataspoke.cli.conformance.model import Mode
from dataspoke.core.errors import ConfigError

if TYPE_CHECKING:
    from datahub.ingestion.graph.client import DataHubGraph

# The release that our plugins are written against: what an older one lacks is no fault.
EXPECTED = (1, 7, 0)


def new_run() -> str:
    """A run id that no other run has."""
    return secrets.token_hex(4)


@dataclass(slots=True)
class Target:
    """A server, the clients to it, and the run that looks at it.

    `journal` is None when nothing may be written; `patience` is in seconds.
    """

    http: Http
    token: str | None = field(repr=False)
    config: Mapping[str, Any]
    run: str
    journal: Journal | None
    patience: float = 30.0
    _graphs: dict[Mode, DataHubGraph] = field(default_factory=dict)
    lags: list[float] = field(default_factory=list)
    # Where the streams of change events have come to, by topic.
    positions: dict[str, str] = field(default_factory=dict)

    @property
    def marker(self) -> str:
        """In the name of everything that this run writes."""
        return f"{MARKER}_{self.run}"

    @property
    def run_id(self) -> str:
        """The run id in the system metadata of everything that this run writes."""
        return f"dataspoke-conformance-{self.run}"

    @property
    def version(self) -> str:
        versions = self.config.get("versions") or {}
        return str((versions.get("acryldata/datahub") or {}).get("version") or "unknown")

    @property
    def older(self) -> bool:
        """Whether the server is older than the release that our plugins are written against."""
        numbers = version_numbers(self.version)
        return bool(numbers) and numbers < EXPECTED

    def graph(self, mode: Mode) -> DataHubGraph:
        """The stock client, writing with the protocol of `mode`. Raises ConfigError."""
        if mode not in self._graphs:
            from datahub.configuration.common import ConfigurationError
            from datahub.ingestion.graph.client import DatahubClientConfig, DataHubGraph

            try:
                graph = DataHubGraph(
                    DatahubClientConfig(
                        server=self.http.server,
                        token=self.token,
                        openapi_ingestion=mode is Mode.OPENAPI,
                        retry_max_times=1,
                    )
                )
                graph.test_connection()
            except ConfigurationError as exc:
                raise ConfigError(
                    f"Cannot connect the stock client to {self.http.server}: {exc}."
                ) from exc
            self._graphs[mode] = graph
        return self._graphs[mode]

    def close(self) -> None:
        for graph in self._graphs.values():
            graph.close()
        self.http.close()


def version_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version, empty for one that has none.

    >>> version_numbers("v1.7.0rc2")
    (1, 7, 0)
    >>> version_numbers("unknown")
    ()
    """
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(number) for number in found[0].split(".")) if found else ()


def now_millis() -> int:
    return int(time.time() * 1000)
