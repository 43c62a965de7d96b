"""`dataspoke hub serve` as a process of a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import requests
from logged_process import LoggedProcess, clean_env, free_port, script


class HubProcess(LoggedProcess):
    """The local hub on a free port; `restart()` keeps port and data.

    >>> with HubProcess(tmp_path) as hub:  # doctest: +SKIP
    ...     requests.get(f"{hub.url}/config")
    """

    def __init__(
        self,
        home: Path,
        *,
        token: str | None = None,
        kafka: str | None = None,
        pg_queue: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.token = token
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [script("dataspoke"), "hub", "serve", "--port", str(self.port)]
        command += ["--home", str(home / "hub")]
        for option, value in (("--token", token), ("--kafka", kafka), ("--pg-queue", pg_queue)):
            if value is not None:
                command += [option, value]
        super().__init__(command, log_path=home / "hub.log", env=clean_env(home, env))

    def start(self) -> None:
        """Start it and wait until it answers."""
        super().start()
        self.wait_ready(self.healthy, what="GET /health is 200")

    def healthy(self) -> bool:
        try:
            return requests.get(f"{self.url}/health", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def restart(self) -> None:
        """SIGTERM, then the same port and data again."""
        self.stop()
        self.start()

    def __enter__(self) -> HubProcess:
        super().__enter__()
        return self
