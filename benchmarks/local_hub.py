"""How fast the local hub writes and reads, and how much memory it takes.

    python benchmarks/local_hub.py [--entities 4000]

Each entity is a dataset with five aspects, one of them a schema of 20 described columns; with the
key and the defaults that makes 8 rows and some 50 events. The hub runs as a process of its own,
called over one connection; rates are wall clock, CPU is that of the hub. "Bare SQLite" inserts
the same rows into the same tables, 100 proposals per transaction, in this process.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

import psutil
from hub_process import HubProcess

from dataspoke.local_hub.schema import SCHEMA

BATCH = 100
COLUMNS = 20
JSON = {"Content-Type": "application/json"}
ASKED = (
    *("datasetKey", "datasetProperties", "schemaMetadata", "globalTags", "ownership", "status"),
    *("dataPlatformInstance", "browsePathsV2", "editableDatasetProperties", "glossaryTerms"),
    *("editableSchemaMetadata", "domains", "container", "deprecation", "structuredProperties"),
)


def urn_of(number: int) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:hive,db.s{number % 50}.t{number},PROD)"


def aspects_of(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    columns = [
        {
            "fieldPath": f"column_{column}",
            "nativeDataType": "varchar",
            "description": f"Column {column} of table {number}",
            "type": {"type": {"com.linkedin.schema.StringType": {}}},
        }
        for column in range(COLUMNS)
    ]
    yield "datasetProperties", {"name": f"t{number}", "description": f"Table number {number}"}
    yield (
        "schemaMetadata",
        {
            "schemaName": "s",
            "platform": "urn:li:dataPlatform:hive",
            "version": 0,
            "hash": "",
            "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
            "fields": columns,
        },
    )
    yield "globalTags", {"tags": [{"tag": f"urn:li:tag:t{number % 10}"}]}
    yield "ownership", {"owners": [{"owner": f"urn:li:corpuser:u{number % 9}", "type": "NONE"}]}
    yield "status", {"removed": False}


def proposal(number: int, name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "entityType": "dataset",
        "entityUrn": urn_of(number),
        "changeType": "UPSERT",
        "aspectName": name,
        "aspect": {"value": json.dumps(value), "contentType": "application/json"},
        "systemMetadata": {"lastObserved": 1_790_000_000_000, "runId": "benchmark"},
    }


class Bench:
    """One connection to the hub, and a watch on its process."""

    def __init__(self, hub: HubProcess) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=300)
        self._process = psutil.Process(hub.pid)

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        content = body if isinstance(body, bytes) else body and json.dumps(body).encode()
        self._connection.request(method, path, content, JSON)
        response = self._connection.getresponse()
        answer = response.read()
        assert response.status < 300, (response.status, answer[:300])
        return answer

    def run(self, what: str, count: int, work: Callable[[], None]) -> float:
        """Do it, say it; the result is things per second."""
        before, started = self._process.cpu_times(), time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        after = self._process.cpu_times()
        cpu = after.user + after.system - before.user - before.system
        print(f"{what:<38}{count / seconds:>9,.0f}/s {cpu / count * 1e6:>8,.0f} µs CPU", flush=True)
        return count / seconds

    def send(self, proposals: list[dict[str, Any]]) -> Callable[[], None]:
        bodies = [
            json.dumps({"proposals": proposals[at : at + BATCH]}).encode()
            for at in range(0, len(proposals), BATCH)
        ]

        def work() -> None:
            for body in bodies:
                self.call("POST", "/aspects?action=ingestProposalBatch", body)

        return work

    def memory(self) -> float:
        return float(self._process.memory_info().rss) / 2**20


def bare_sqlite(database: Path, folder: Path, transactions: int) -> float:
    """Seconds to insert the rows of `database` into an empty one of the same form."""
    source = sqlite3.connect(database)
    rows = {
        table: source.execute(f"SELECT * FROM {table}").fetchall()
        for table in ("entity", "aspect", "events")
    }
    target = sqlite3.connect(folder / "bare.db", isolation_level=None)
    target.execute("PRAGMA journal_mode = WAL")
    target.execute("PRAGMA synchronous = NORMAL")
    target.executescript(SCHEMA)
    started = time.perf_counter()
    for number in range(transactions):
        target.execute("BEGIN IMMEDIATE")
        for table, content in rows.items():
            part = content[
                number * len(content) // transactions : (number + 1) * len(content) // transactions
            ]
            marks = ", ".join("?" * len(content[0]))
            target.executemany(f"INSERT INTO {table} VALUES ({marks})", part)
        target.execute("COMMIT")
    return time.perf_counter() - started


def measure(hub: HubProcess, bench: Bench, entities: int, folder: Path) -> None:
    proposals = [
        proposal(number, name, value)
        for number in range(entities)
        for name, value in aspects_of(number)
    ]
    rate = bench.run("new proposals, 100 a request", len(proposals), bench.send(proposals))
    seconds = bare_sqlite(hub.home / "hub" / "hub.db", folder, len(proposals) // BATCH)
    bare = len(proposals) / seconds
    print(f"{'the same rows, bare SQLite':<38}{bare:>9,.0f}/s   the hub's share: {rate / bare:.2f}")
    bench.run("unchanged proposals, 100 a request", len(proposals), bench.send(proposals))
    changed = [
        proposal(number, "globalTags", {"tags": [{"tag": "urn:li:tag:new"}]})
        for number in range(entities)
    ]
    bench.run("changed proposals, 100 a request", len(changed), bench.send(changed))
    started = time.perf_counter()
    query = '{ searchAcrossEntities(input: {query: "table %d", count: 10}) { total } }'
    bench.call("POST", "/api/graphql", {"query": query % 1})
    print(f"the index caught up in {time.perf_counter() - started:.1f} s")

    def single() -> None:
        for number in range(500):
            value = {"tags": [{"tag": f"urn:li:tag:single{number}"}]}
            body = {"proposal": proposal(number, "globalTags", value)}
            bench.call("POST", "/aspects?action=ingestProposal", body)

    def batch_get() -> None:
        for start in range(0, 2000, 200):
            asked = [
                {"urn": urn_of(number), **{name: {} for name in ASKED}}
                for number in range(start, start + 200)
            ]
            bench.call("POST", "/openapi/v3/entity/dataset/batchGet?systemMetadata=true", asked)

    def get() -> None:
        for number in range(1000):
            path = f"/aspects/{quote(urn_of(number), safe='')}?aspect=datasetProperties&version=0"
            bench.call("GET", path)

    def search() -> None:
        for number in range(100):
            bench.call("POST", "/api/graphql", {"query": query % number})

    bench.run("single proposals", 500, single)
    time.sleep(5)  # the index follows
    bench.run("batchGet, 200 entities x 15 aspects", 2000, batch_get)
    bench.run("one aspect", 1000, get)
    bench.run("searches of two words", 100, search)
    print(f"memory {bench.memory():.0f} MiB with {entities:,} entities")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=4000, help="at least 2000")
    entities = max(2000, parser.parse_args().entities)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        with HubProcess(folder) as hub:
            print(f"ready after {time.perf_counter() - started:.1f} s")
            measure(hub, Bench(hub), entities, folder)


if __name__ == "__main__":
    main()
