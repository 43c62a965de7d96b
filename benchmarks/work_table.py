"""How long the work table and the ledger of the embedded index take, per engine.

    python benchmarks/work_table.py [--rows 3000] [--delayed 0] [--postgres]

The database lies in the system's folder for temporary files (TMPDIR). Single puts, then claim,
heartbeat and completion in batches of 200, then 200 points with 384 dimensions, 60 words and 8
references each through the ledger. SQLite runs with both settings of `synchronous`; `--postgres`
adds a real server. Wall clock is the median, and the CPU time that of this process alone.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

import numpy as np
from postgres_server import PostgresServer

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.index.model import Hashes, IndexSpec, SetPayload, UpsertPoint
from dataspoke.core.index.outbox import Outbox, OutboxIndex
from dataspoke.core.store.database import Database
from dataspoke.core.work.model import Work
from dataspoke.core.work.table import SqlWorkTable

BATCH = 200
_T = TypeVar("_T")


class Watch:
    """Wall and CPU time of each call by name."""

    def __init__(self) -> None:
        self._wall: dict[str, list[float]] = defaultdict(list)
        self._cpu: dict[str, list[float]] = defaultdict(list)

    def time(self, name: str, call: Callable[[], _T]) -> _T:
        wall, cpu = time.perf_counter(), time.process_time()
        result = call()
        self._wall[name].append(time.perf_counter() - wall)
        self._cpu[name].append(time.process_time() - cpu)
        return result

    def show(self, title: str) -> None:
        print(f"\n{title}")
        for name, walls in self._wall.items():
            wall, cpu = statistics.median(walls), statistics.mean(self._cpu[name])
            print(f"  {name:<34} {wall * 1e3:9.3f} ms wall {cpu * 1e3:9.3f} ms CPU")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def urn(number: int) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.sales.t{number * 7919 % 10**6},PROD)"


def measure_table(database: Database, watch: Watch, rows: int, delayed: int) -> None:
    table = SqlWorkTable(database)
    later = [Work("sync", f"later {n}", priority=1, not_before=2**50) for n in range(delayed)]
    for start in range(0, delayed, 10_000):
        table.put(later[start : start + 10_000], now=now_ms())
    for number in range(rows):
        item = [Work("sync", urn(number))]
        watch.time("put of one row", lambda item=item: table.put(item, now=now_ms()))  # type: ignore[misc]
    kinds = ["sync", "fanout"]
    while claims := watch.time(
        f"claim of {BATCH}",
        lambda: table.claim(kinds, limit=BATCH, lease_ms=30_000, worker="w", now=now_ms()),
    ):
        held = claims
        watch.time("heartbeat", lambda: table.heartbeat(held, lease_ms=30_000, now=now_ms()))  # noqa: B023
        watch.time("completion", lambda: table.complete(held, now=now_ms()))  # noqa: B023


def measure_ledger(database: Database, watch: Watch, rows: int) -> None:
    spec = IndexSpec("benchmark", {"meaning": 384}, ("words",))
    index, outbox = OutboxIndex(database, spec), Outbox(database, spec)
    words = SparseVector(tuple(range(60)), (1.0,) * 60)
    column = {"name": "order_id", "type": "int", "description": "What the order is called."}
    for start in range(0, rows, BATCH):
        points, payloads = [], []
        for number in range(start, start + BATCH):
            refs = [urn((number + step) % 500) for step in range(8)]
            payload = {"urn": urn(number), "columns": [column] * 20, "refs": refs}
            hashes = Hashes("c" * 40, "p" * 40)
            dense = {"meaning": np.full(384, 0.05, np.float32)}
            points.append(UpsertPoint(urn(number), hashes, dense, {"words": words}, payload, 1))
            payloads.append(SetPayload(urn(number), hashes, payload, 2))
        urns = [point.urn for point in points]
        watch.time(f"ledger: {BATCH} points", lambda: index.apply(points))  # noqa: B023
        watch.time(f"ledger: {BATCH} hashes", lambda: index.hashes(urns))  # noqa: B023
        pending = watch.time(f"ledger: {BATCH} pending", lambda: outbox.pending(BATCH))
        watch.time(f"ledger: {BATCH} applied", lambda: outbox.applied(pending))  # noqa: B023
        watch.time(f"ledger: {BATCH} payloads", lambda: index.apply(payloads))  # noqa: B023
        outbox.applied(outbox.pending(BATCH))


def measure(title: str, url: str, rows: int, delayed: int) -> None:
    database = Database.open(url)
    watch = Watch()
    measure_table(database, watch, rows, delayed)
    measure_ledger(database, watch, rows)
    database.close()
    watch.show(title)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--delayed", type=int, default=0, help="rows that wait for their time")
    parser.add_argument("--postgres", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for level in ("full", "normal"):
            url = f"sqlite:///{folder / level}.db?synchronous={level}"
            measure(f"SQLite, synchronous={level}", url, args.rows, args.delayed)
        if args.postgres:
            with PostgresServer(folder / "postgres") as server:
                measure("PostgreSQL", server.url, args.rows, args.delayed)


if __name__ == "__main__":
    main()
