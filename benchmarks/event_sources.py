"""How many events per second each event source brings to an action that does nothing.

    python benchmarks/event_sources.py [--events 20000] [--pg-events 1000] [--repeat 1]
                                       [--sources dataspoke-events,datahub-cloud,kafka,pg_queue]

One local hub with `--events` change log events (an aspect of about 1 kB each), a broker (the mock
cluster of librdkafka, 16 partitions) and a PostgreSQL, all as real processes; then the stock
`datahub actions` over each source, from the first event on, one after the other. Measured inside
the action, from the first to the last event: wall clock, and the CPU time of the whole process.
On a busy machine trust the CPU time.

`dropped early` has an `event_type` filter that keeps one event in a hundred: what a pipeline
costs that wants few of the events. There the rate is that of the stream, not of the action.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

import requests
from hub_process import HubProcess
from logged_process import wait_until
from mock_kafka import MockKafka
from pipelines import MCL_TOPIC, Stage
from postgres_server import PostgresServer

PER_REQUEST = 500
ONE_IN = 100
SOURCES = ("dataspoke-events", "datahub-cloud", "kafka", "pg_queue")
FROM_THE_BEGINNING: dict[str, dict[str, Any]] = {
    "dataspoke-events": {"start": "lookback", "lookback_days": 1},
    "datahub-cloud": {"lookback_days": 1},
}
_WORDS = "One row per order line with its price, tax, discount and state of delivery. "


@dataclass(frozen=True)
class Result:
    """`events` reached the clock's end after `wall_s`, with `cpu_s` of CPU in the process."""

    name: str
    events: int
    wall_s: float
    cpu_s: float

    def row(self) -> str:
        rate, cpu = self.events / self.wall_s, self.cpu_s / self.events * 1000
        return f"{self.name:<34} {self.events:>8} {rate:>12,.0f} {cpu:>14.3f}"


def proposals(count: int) -> Iterator[list[dict[str, Any]]]:
    """Batches of descriptions; one in a hundred is a chart's."""
    for start in range(0, count, PER_REQUEST):
        batch = []
        for number in range(start, min(start + PER_REQUEST, count)):
            aspect, kind = "editableDatasetProperties", "dataset"
            urn = f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.sales.t{number},PROD)"
            if number % ONE_IN == 0:
                aspect, kind = "editableChartProperties", "chart"
                urn = f"urn:li:chart:(looker,{number})"
            value = json.dumps({"description": f"{_WORDS * 12}{number}"})
            batch.append(
                {
                    "entityType": kind,
                    "entityUrn": urn,
                    "changeType": "UPSERT",
                    "aspectName": aspect,
                    "aspect": {"value": value, "contentType": "application/json"},
                }
            )
        yield batch


def fill(hub: HubProcess, count: int) -> int:
    """Write until the change log holds `count` events or more; how many there are."""
    for batch in proposals(count):
        answer = requests.post(
            f"{hub.url}/aspects?action=ingestProposalBatch",
            json={"proposals": batch, "async": "false"},
            timeout=120,
        )
        answer.raise_for_status()
        if logged(hub) >= count:
            break
    return logged(hub)


def query(hub: HubProcess, sql: str, *params: str) -> int:
    connection = sqlite3.connect(f"file:{hub.home / 'hub' / 'hub.db'}?mode=ro", uri=True)
    try:
        row = connection.execute(sql, params).fetchone()
        return int(row[0]) if row else 0
    finally:
        connection.close()


def logged(hub: HubProcess) -> int:
    return query(hub, "SELECT COUNT(*) FROM events WHERE topic = ?", MCL_TOPIC)


def published(hub: HubProcess, cursor: str) -> bool:
    last = query(hub, "SELECT MAX(offset) FROM events")
    return query(hub, "SELECT offset FROM cursor WHERE name = ?", cursor) >= last


def measure(stage: Stage, label: str, source: str, count: int, **recipe: Any) -> Result:
    """Run a pipeline over `source` until its action has had `count` events."""
    name = label.replace(" ", "_").replace(",", "")
    path = stage.folder / f"{name}.json"
    process, _ = stage.pipeline(
        name,
        stage.source(source, **FROM_THE_BEGINNING.get(source, {})),
        action={"path": str(path), "count": count},
        action_type="counting_action:CountingAction",
        **recipe,
    )
    process.start()
    process.wait_ready(path.exists, what=f"{count} events", timeout=1800, pause=0.5)
    process.kill()
    found = json.loads(path.read_text())
    return Result(label, found["events"], found["wall_s"], found["cpu_s"])


def run(folder: Path, options: argparse.Namespace) -> Iterator[Result]:
    chosen = options.sources.split(",")
    stage = Stage(folder)
    try:
        if "kafka" in chosen:
            stage.kafka = MockKafka(folder / "kafka", partitions=16)
            stage.kafka.start()
        if "pg_queue" in chosen:
            stage.postgres = PostgresServer(folder / "postgres")
            stage.postgres.start()
        stage.hub = HubProcess(folder / "hub")
        stage.hub.start()
        total = fill(stage.hub, options.events)
        stage.hub.stop()
        stage.hub = HubProcess(
            folder / "hub",
            kafka=stage.kafka and stage.kafka.bootstrap,
            pg_queue=stage.postgres and stage.postgres.url,
        )
        stage.hub.start()
        for source in ("kafka", "pg_queue"):
            if source in chosen:
                began = time.monotonic()
                wait_until(
                    lambda source=source: published(stage.hub, source),
                    what=f"all events on {source}",
                    timeout=1800,
                    pause=0.5,
                )
                print(f"(published to {source} after {time.monotonic() - began:.0f} s)", flush=True)
        few = {"MetadataChangeLogEvent_v1": {"event": [{"aspectName": "editableChartProperties"}]}}
        filters = [{"type": "event_type", "config": {"filter": few}}]
        charts = query(
            stage.hub,
            "SELECT COUNT(*) FROM events WHERE topic = ? AND body LIKE '%editableChartProperties%'",
            MCL_TOPIC,
        )
        for turn in range(options.repeat):
            suffix = f" run {turn + 1}" if options.repeat > 1 else ""
            for source in chosen:
                count = options.pg_events if source == "pg_queue" else total
                yield measure(stage, f"{source}{suffix}", source, count)
            for source in chosen:
                if source == "pg_queue":
                    continue
                found = measure(
                    stage, f"{source}, dropped early{suffix}", source, charts, filters=filters
                )
                yield Result(found.name, total, found.wall_s, found.cpu_s)
    finally:
        stage.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--pg-events", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--sources", default=",".join(SOURCES))
    options = parser.parse_args()
    print(f"{'source':<34} {'events':>8} {'events/s':>12} {'CPU ms/event':>14}")
    with tempfile.TemporaryDirectory() as folder:
        for result in run(Path(folder), options):
            print(result.row(), flush=True)


if __name__ == "__main__":
    main()
