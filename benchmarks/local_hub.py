"""How fast the local hub writes and reads, how much memory it takes, and whether it loses anything.

    python benchmarks/local_hub.py [rates] [--entities 4000]
    python benchmarks/local_hub.py memory [--entities 100000]
    python benchmarks/local_hub.py soak [--seconds 60]

Each entity is a dataset with five aspects, one of them a schema of 20 described columns; with the
key and the defaults that makes 9 rows and some 55 events. The hub runs as a process of its own,
called over four connections where it says so, else over one; rates are wall clock, CPU is that of
the process that is measured.

"Bare SQLite" inserts the same rows (entities, aspects with their system metadata, and events) into
the same tables, 100 proposals per transaction, in this process, from tuples that are in memory:
nothing is parsed, checked, compared or encoded, nothing is read and nobody is answered. The
requests to the hub are encoded before the clock starts too. The hub's share is its rate by that.

`memory` samples the resident size of the hub while it takes entities, over the first search, and
until its index has caught up. `soak` writes, reads, searches and polls from eight clients; halfway
the hub is killed with SIGKILL and started again. At the end every write that was acknowledged must
be there.
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

import psutil
from hub_process import HubProcess
from hub_soak import soak

from dataspoke.local_hub.schema import SCHEMA

BATCH = 100
CONNECTIONS = 4  # the stock sink may use 15
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


def at_once(hub: HubProcess, proposals: list[dict[str, Any]]) -> Callable[[], None]:
    """Over several connections, as the stock sink sends."""
    share = -(-len(proposals) // CONNECTIONS)
    parts = [proposals[at : at + share] for at in range(0, len(proposals), share)]
    works = [Bench(hub).send(part) for part in parts]

    def work() -> None:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for done in [pool.submit(one) for one in works]:
                done.result()

    return work


def last_rows(database: Path) -> dict[str, int]:
    """The last row of each table that writes fill, so that boot data are not counted."""
    source = sqlite3.connect(database)
    return {
        table: source.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()[0]
        for table, key in (("entity", "id"), ("aspect", "id"), ("events", "offset"))
    }


def bare_sqlite(
    database: Path, folder: Path, transactions: int, behind: dict[str, int]
) -> tuple[float, float]:
    """Seconds, of the clock and of CPU, to insert the rows behind those into an empty one."""
    source = sqlite3.connect(database)
    rows = {
        table: source.execute(f"SELECT * FROM {table} WHERE rowid > ?", (last,)).fetchall()
        for table, last in behind.items()
    }
    target = sqlite3.connect(folder / "bare.db", isolation_level=None)
    target.execute("PRAGMA journal_mode = WAL")
    target.execute("PRAGMA synchronous = NORMAL")
    target.executescript(SCHEMA)
    started, cpu = time.perf_counter(), time.process_time()
    for number in range(transactions):
        target.execute("BEGIN IMMEDIATE")
        for table, content in rows.items():
            part = content[
                number * len(content) // transactions : (number + 1) * len(content) // transactions
            ]
            marks = ", ".join("?" * len(content[0]))
            target.executemany(f"INSERT INTO {table} VALUES ({marks})", part)
        target.execute("COMMIT")
    return time.perf_counter() - started, time.process_time() - cpu


def openapi(bench: Bench, entities: int) -> Callable[[], None]:
    """As many entities as before, under other names."""
    bodies = [
        json.dumps(
            [
                {"urn": urn_of(number), **{n: {"value": v} for n, v in aspects_of(number)}}
                for number in range(at, at + BATCH // 5)
            ]
        ).encode()
        for at in range(entities, 2 * entities, BATCH // 5)
    ]

    def work() -> None:
        for body in bodies:
            bench.call("POST", "/openapi/v3/entity/dataset?async=false", body)

    return work


def measure(hub: HubProcess, bench: Bench, entities: int, folder: Path) -> None:
    proposals = [
        proposal(number, name, value)
        for number in range(entities)
        for name, value in aspects_of(number)
    ]
    time.sleep(4)  # the index takes in the boot data
    database = hub.home / "hub" / "hub.db"
    behind = last_rows(database)
    rate = bench.run(
        f"new proposals, 100 a request, {CONNECTIONS} at once",
        len(proposals),
        at_once(hub, proposals),
    )
    seconds, cpu = bare_sqlite(database, folder, len(proposals) // BATCH, behind)
    bare = len(proposals) / seconds
    print(
        f"{'the same rows, bare SQLite':<38}{bare:>9,.0f}/s "
        f"{cpu / len(proposals) * 1e6:>8,.0f} µs CPU; the hub's share: {rate / bare:.2f}"
    )
    bench.run("the same, OpenAPI v3, 1 at once", len(proposals), openapi(bench, entities))
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


def measure_memory(hub: HubProcess, bench: Bench, entities: int) -> None:
    peak = 0.0
    for first in range(0, entities, 1000):
        proposals = [
            proposal(number, name, value)
            for number in range(first, min(first + 1000, entities))
            for name, value in aspects_of(number)
        ]
        bench.send(proposals)()
        peak = max(peak, bench.memory())
    print(f"{entities:,} entities written: {bench.memory():.0f} MiB, {peak:.0f} at most")
    query = '{ searchAcrossEntities(input: {query: "table 7", count: 10}) { total } }'
    started = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(bench.call, "POST", "/api/graphql", {"query": query})
        while not answered.done():
            time.sleep(0.2)
            peak = max(peak, bench.memory())
        answered.result()
    print(
        f"first search after {time.perf_counter() - started:.0f} s: "
        f"{bench.memory():.0f} MiB, {peak:.0f} at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mode", nargs="?", choices=("rates", "memory", "soak"), default="rates")
    parser.add_argument("--entities", type=int, help="at least 2000; by default 4000, or 100000")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        with HubProcess(folder) as hub:
            print(f"ready after {time.perf_counter() - started:.1f} s", flush=True)
            if options.mode == "soak":
                soak(hub, options.seconds)
            elif options.mode == "memory":
                measure_memory(hub, Bench(hub), options.entities or 100_000)
            else:
                measure(hub, Bench(hub), max(2000, options.entities or 4000), folder)


if __name__ == "__main__":
    main()
