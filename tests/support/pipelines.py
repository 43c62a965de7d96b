"""Pipelines of the stock `datahub actions` over every source, into a recording action."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import yaml
from datahub_cli import ActionsProcess
from hub_process import HubProcess
from mock_kafka import MockKafka
from postgres_server import PostgresServer

from dataspoke.core.store.database import Database
from dataspoke.core.store.state import StateStore

PLUGINS = Path(__file__).parent / "plugins"
MCL_TOPIC = "MetadataChangeLog_Versioned_v1"
FIRST_WORDS = "café"


class Recorder:
    """What the recording action of one pipeline has got so far."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def lines(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        # A killed process may leave half a line; the event comes again.
        return [json.loads(line) for line in self.path.read_text().splitlines() if line[-1:] == "}"]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the datasets whose description came, in order, repeats included."""
        return [
            int(line["urn"].split(".t")[1].split(",")[0])
            for line in self.lines
            if line.get("aspect") == "editableDatasetProperties" and not line["refused"]
        ]


def describe(hub: HubProcess, *numbers: int) -> None:
    """Give each dataset `t<number>` a description, in one request: one event each and more."""
    proposals = [
        {
            "entityType": "dataset",
            "entityUrn": f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.t{number},PROD)",
            "changeType": "UPSERT",
            "aspectName": "editableDatasetProperties",
            "aspect": {
                "value": json.dumps({"description": f"{FIRST_WORDS} {number}"}, ensure_ascii=False),
                "contentType": "application/json",
            },
        }
        for number in numbers
    ]
    headers = {"Authorization": f"Bearer {hub.token}"} if hub.token else {}
    answer = requests.post(
        f"{hub.url}/aspects?action=ingestProposalBatch",
        json={"proposals": proposals, "async": "false"},
        headers=headers,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


class Stage:
    """A hub and the transports beside it, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hub = HubProcess(folder / "hub")
        self.kafka: MockKafka | None = None
        self.postgres: PostgresServer | None = None
        self._pipelines: list[ActionsProcess] = []

    def source(self, kind: str, **config: Any) -> dict[str, Any]:
        """The `source:` block of a recipe that follows the versioned change log."""
        registry = f"{self.hub.url}/schema-registry/api/"
        blocks: dict[str, Callable[[], dict[str, Any]]] = {
            "dataspoke-events": lambda: {"topics": [MCL_TOPIC], "poll_timeout_seconds": 1},
            "datahub-cloud": lambda: {"topics": [MCL_TOPIC]},
            "kafka": lambda: {
                "connection": {
                    "bootstrap": self.kafka and self.kafka.bootstrap,
                    "schema_registry_url": registry,
                    "consumer_config": {"auto.offset.reset": "earliest"},
                },
                "topic_routes": {"mcl": MCL_TOPIC},
                "async_commit_interval": 500,
            },
            "pg_queue": lambda: {
                "queue": {
                    "host_port": self.postgres and self.postgres.host_port,
                    "database": "postgres",
                    "username": "postgres",
                    "password": self.postgres and self.postgres.password,
                },
                "schema_registry_url": registry,
                "topic_routes": {"mcl": MCL_TOPIC},
                "visibility_timeout_seconds": 5,
                "empty_poll_sleep_min_millis": 100,
                "empty_poll_sleep_max_millis": 300,
            },
        }
        return {"type": kind, "config": blocks[kind]() | config}

    def pipeline(
        self,
        name: str,
        source: dict[str, Any],
        *,
        action: dict[str, Any] | None = None,
        action_type: str = "recording_action:RecordingAction",
        env: dict[str, str] | None = None,
        **recipe: Any,
    ) -> tuple[ActionsProcess, Recorder]:
        """An actions process, not yet started, and what it will record."""
        recorder = Recorder(self.folder / f"{name}.jsonl")
        config = {"path": str(recorder.path)} | (action or {})
        content = {
            "name": name,
            "datahub": {"server": self.hub.url},
            "source": source,
            "action": {"type": action_type, "config": config},
            "options": {"failed_events_dir": str(self.folder / "failed")},
        }
        path = self.folder / f"{name}.yml"
        path.write_text(yaml.safe_dump(content | recipe))
        process = ActionsProcess(path, {"PYTHONPATH": str(PLUGINS)} | (env or {}))
        self._pipelines.append(process)
        return process, recorder

    def wait_joined(self, process: ActionsProcess, *topics: str) -> None:
        """Wait until a `dataspoke-events` pipeline has a durable position in its topics."""
        url = f"sqlite:///{self.folder / 'dataspoke' / 'dataspoke.db'}"
        keys = [f"offset:{process.name}:{topic}" for topic in topics or (MCL_TOPIC,)]

        def joined() -> bool:
            database = Database.open(url)
            try:
                return all(StateStore(database).get(key) for key in keys)
            finally:
                database.close()

        process.wait_ready(joined, what="a position in the stream")

    def close(self) -> None:
        for process in self._pipelines:
            process.kill()
        self.hub.kill()
        if self.kafka is not None:
            self.kafka.kill()
        if self.postgres is not None:
            self.postgres.stop(immediate=True)
