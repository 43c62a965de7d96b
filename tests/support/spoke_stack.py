"""The whole way as processes: hub, transport, `datahub actions`, search service, and an editor.

Used by the soak tests and by `benchmarks/soak.py`.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests
import yaml
from datahub_cli import ActionsProcess
from hub_process import HubProcess
from logged_process import LoggedProcess, clean_env, free_port, script, wait_until
from mock_kafka import MockKafka
from postgres_server import PostgresServer

from dataspoke.recipes import recipe_path

RECIPES = {
    "dataspoke-events": "actions/vector_sync.yml",
    "kafka": "actions/vector_sync.kafka.yml",
    "pg_queue": "actions/vector_sync.pg_queue.yml",
    "datahub-cloud": "actions/vector_sync.datahub_cloud.yml",
}
PARTITIONS = 16


class SearchProcess(LoggedProcess):
    """`dataspoke search serve` on a free port."""

    def __init__(self, home: Path, env: Mapping[str, str]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            [script("dataspoke"), "search", "serve", "--port", str(port)],
            log_path=home / "search.log",
            env=clean_env(home, env),
        )

    def start(self) -> None:
        super().start()
        self.wait_ready(self.ready, what="GET /readyz is 200")

    def ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def find(self, query: str, **params: Any) -> list[dict[str, Any]]:
        """The results of a question."""
        answer = requests.get(
            f"{self.url}/search/semantic", params={"q": query, **params}, timeout=10
        )
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results


class Stack:
    """Hub, transport, action and search service over one event source.

    The action never reconciles by itself here: a reconcile would hide what the stream lost.
    """

    def __init__(
        self,
        home: Path,
        source: str,
        *,
        postgres_store: bool = False,
        qdrant_url: str | None = None,
        model: str = "hash",
    ) -> None:
        self.home = home
        self.source = source
        self._stack = ExitStack()
        self.postgres: PostgresServer | None = None
        self.store_server: PostgresServer | None = None
        self.broker: MockKafka | None = None
        self.env = {"DATASPOKE_MODEL": model, "DATASPOKE_HOME": str(home / "dataspoke")}
        if qdrant_url:
            self.env["DATASPOKE_QDRANT_URL"] = qdrant_url
        self._postgres_store = postgres_store
        self.health_url = f"http://127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        enter = self._stack.enter_context
        if self._postgres_store:
            self.store_server = enter(PostgresServer(self.home / "store"))
            self.env["DATASPOKE_DATABASE_URL"] = self.store_server.url
        hub_options = {}
        if self.source == "kafka":
            self.broker = enter(MockKafka(self.home, partitions=PARTITIONS))
            self.env["KAFKA_BOOTSTRAP_SERVER"] = hub_options["kafka"] = self.broker.bootstrap
        if self.source == "pg_queue":
            self.postgres = enter(PostgresServer(self.home / "queue", fsync=False))
            hub_options["pg_queue"] = self.postgres.url
            url = urlsplit(self.postgres.url)
            self.env |= {
                "DATASPOKE_PGQUEUE_HOST_PORT": self.postgres.host_port,
                "DATASPOKE_PGQUEUE_DATABASE": url.path.strip("/"),
                "DATASPOKE_PGQUEUE_USERNAME": url.username or "",
                "DATASPOKE_PGQUEUE_PASSWORD": url.password or "",
            }
        self.hub = enter(HubProcess(self.home, **hub_options))
        self.env["DATAHUB_GMS_URL"] = self.hub.url
        self.search = enter(SearchProcess(self.home, self.env))
        self.action = enter(ActionsProcess(self._recipe(), self.env, home=self.home))
        self.editor = Editor(self.hub.url)
        self._wait_joined()

    def _recipe(self) -> Path:
        recipe = yaml.safe_load(recipe_path(RECIPES[self.source]).read_text())
        recipe["action"]["config"] |= {
            "reconcile_on_start": False,
            "health_port": urlsplit(self.health_url).port,
        }
        path = self.home / "action.yml"
        path.write_text(yaml.safe_dump(recipe))
        return path

    def _wait_joined(self) -> None:
        """An edit made now is seen: the action has joined the stream."""

        def seen() -> bool:
            if not self.action.alive:
                raise AssertionError(self.action.failure("ended while it joined the stream"))
            self.editor.probe()
            time.sleep(0.5)
            return bool(self.search.find("joining probe"))

        wait_until(seen, what="the action joins the stream", timeout=60)

    def readiness(self) -> tuple[int, str]:
        """Status and body of the action's /readyz; (0, "") when it does not answer."""
        try:
            answer = requests.get(f"{self.health_url}/readyz", timeout=2)
        except requests.RequestException:
            return 0, ""
        return answer.status_code, answer.text

    def dataspoke(self, *args: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run `dataspoke ARGS` beside the stack."""
        return subprocess.run(
            [script("dataspoke"), *args],
            env=clean_env(self.home, self.env),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def work_status(self) -> dict[str, Any]:
        done = self.dataspoke("work", "status", "--json")
        assert done.returncode == 0, done.stderr
        status: dict[str, Any] = json.loads(done.stdout)
        return status

    def difference(self) -> str:
        """What `reconcile --check` reports; empty when index and hub are equal."""
        done = self.dataspoke("index", "reconcile", "--check")
        if done.returncode == 0:
            return ""
        assert done.returncode == 3, done.stdout + done.stderr
        return done.stdout

    def wait_equal(self, *, timeout: float) -> float:
        """Wait until index and hub are equal; returns the seconds it took."""
        began = time.monotonic()
        shown = self.difference()
        while shown:
            assert time.monotonic() - began < timeout, shown + self.action.log_text()[-4_000:]
            time.sleep(1)
            shown = self.difference()
        return time.monotonic() - began


def dataset_urn(number: int) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,soak.public.table_{number:05d},PROD)"


@dataclass
class Editor:
    """Edits a catalogue as people and connectors do; the same seed edits the same way.

    `proposals` counts the aspects that were changed and acknowledged, each of them an event.
    """

    url: str
    seed: int = 7
    proposals: int = 0
    _known: list[int] = field(default_factory=list)
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._serial = 0

    def probe(self) -> None:
        """Touch one dataset that the other edits leave alone."""
        self._serial += 1
        self._ingest([self._properties(99_999, f"joining probe {self._serial}")])

    def edit(self, count: int, *, batch: int = 25) -> Iterator[int]:
        """Make at least `count` changes; yields how many are done after each request."""
        target = self.proposals + count
        while self.proposals < target:
            yield self._step(min(batch, target - self.proposals))

    def _step(self, size: int) -> int:
        if self._known and self._random.random() < 0.05:
            self._delete(self._random.choice(self._known))
        self._ingest([proposal for _ in range(size) for proposal in [self._change()]])
        return self.proposals

    def _change(self) -> dict[str, Any]:
        self._serial += 1
        kind = self._random.random()
        if not self._known or kind < 0.3:
            number = len(self._known)
            self._known.append(number)
            return self._properties(number, f"table number {number}")
        number = self._random.choice(self._known)
        if kind < 0.6:
            return self._properties(number, f"edited {self._serial} times on purpose")
        if kind < 0.75:
            tag = f"urn:li:tag:soak{self._random.randrange(5)}"
            tags = [{"tag": tag}, {"tag": f"urn:li:tag:serial{self._serial}"}]
            return self._proposal("dataset", dataset_urn(number), "globalTags", {"tags": tags})
        if kind < 0.85:
            return self._proposal(
                "dataset", dataset_urn(number), "status", {"removed": self._serial % 2 == 0}
            )
        tag = f"soak{self._random.randrange(5)}"
        return self._proposal(
            "tag",
            f"urn:li:tag:{tag}",
            "tagProperties",
            {"name": f"{tag} renamed {self._serial}", "description": ""},
        )

    def _properties(self, number: int, description: str) -> dict[str, Any]:
        value = {
            "name": f"table_{number:05d}",
            "description": description,
            "customProperties": {},
            "tags": [],
        }
        return self._proposal("dataset", dataset_urn(number), "datasetProperties", value)

    @staticmethod
    def _proposal(
        entity_type: str, urn: str, aspect: str, value: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "entityType": entity_type,
            "entityUrn": urn,
            "changeType": "UPSERT",
            "aspectName": aspect,
            "aspect": {"value": json.dumps(value), "contentType": "application/json"},
        }

    def _ingest(self, proposals: list[dict[str, Any]]) -> None:
        self._post(
            "/aspects?action=ingestProposalBatch", {"proposals": proposals, "async": "false"}
        )
        self.proposals += len(proposals)

    def _delete(self, number: int) -> None:
        self._post("/entities?action=delete", {"urn": dataset_urn(number)})
        self.proposals += 1

    def _post(self, path: str, body: Mapping[str, Any]) -> None:
        answer = self._session.post(f"{self.url}{path}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
