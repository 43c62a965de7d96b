"""The embedded index: operations per second, and how long queries take.

    python benchmarks/index.py [--points 10000] [--batch 256] [--folder DIR]
    python benchmarks/index.py kill [--times 100]

Points are like those of vector sync: 384 dimensions, 60 weighted words, 20 columns, some thirty
searchable values. Times are medians in milliseconds.

`kill`: a process writes and says what was acknowledged, is killed with SIGKILL at any moment, and
the next one goes on. Counted are acknowledged points that are gone and deletions that are undone.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.model import (
    Condition,
    DeletePoint,
    DenseQuery,
    Hashes,
    IndexSpec,
    SetPayload,
    SparseQuery,
    UpsertPoint,
)

SPEC = IndexSpec("benchmark", {"meaning": 384}, ("words",))


def urn_of(number: int) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.sales.table_{number},PROD)"


def make_point(number: int, chance: np.random.Generator) -> UpsertPoint:
    urn = urn_of(number)
    words = np.sort(chance.choice(30_000, 60, replace=False))
    vector = chance.standard_normal(384).astype(np.float32)
    payload: dict[str, Any] = {
        "urn": urn,
        "entity_type": "dataset",
        "name": f"table_{number}",
        "qualified_name": f"shop.sales.table_{number}",
        "platform": "postgres",
        "env": "PROD",
        "description": "One row per order of a customer. " * 5,
        "columns": [
            {"name": f"column_{column}", "type": "varchar", "description": "What the column holds"}
            for column in range(20)
        ],
        "column_count": 20,
        "tags": [f"urn:li:tag:t{number % 10}"],
        "tag_names": [f"t{number % 10}"],
        "owners": [f"urn:li:corpGroup:g{number % 20}"],
        "owner_names": [f"g{number % 20}"],
        "refs": [f"urn:li:tag:t{number % 10}", f"urn:li:corpGroup:g{number % 20}"],
        "deprecated": False,
        "last_modified": number,
        "keys": [f"name:table_{number}", *(f"column:column_{column}" for column in range(20))],
    }
    return UpsertPoint(
        urn=urn,
        hashes=Hashes("0" * 64, "0" * 64),
        dense={"meaning": vector / np.linalg.norm(vector)},
        sparse={"words": SparseVector(tuple(words.tolist()), tuple(chance.random(60).tolist()))},
        payload=payload,
        version=1,
    )


def timed(name: str, call: Callable[[], object], rounds: int = 100) -> None:
    call()
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        took.append((time.perf_counter() - started) * 1000)
    print(f"{name:<36} {statistics.median(took):8.2f} ms", flush=True)


def run(folder: Path, count: int, batch: int) -> None:
    chance = np.random.default_rng(7)
    points = [make_point(number, chance) for number in range(count)]
    index = EdgeIndex.open(folder, SPEC, now_ms=0)
    started, cpu = time.perf_counter(), time.process_time()
    for start in range(0, count, batch):
        index.apply(points[start : start + batch])
    took, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(f"apply, {batch} new points each            {count / took:8.0f} points/s", flush=True)
    print(f"   processor time per point          {cpu / count * 1000:8.2f} ms")
    started = time.perf_counter()
    sets = [SetPayload(point.urn, point.hashes, point.payload, 2) for point in points[:2000]]
    index.apply(sets)
    print(f"apply, payloads only                 {2000 / (time.perf_counter() - started):8.0f} /s")
    urns = [point.urn for point in points[:256]]
    versions = itertools.count(3)
    timed("apply, one point", lambda: index.apply([replace(points[5], version=next(versions))]), 20)
    dense = DenseQuery("meaning", points[5].dense["meaning"])
    sparse = SparseQuery("words", SparseVector(points[5].sparse["words"].indices[:4], (1.0,) * 4))
    where = [Condition("tags", "eq", ("urn:li:tag:t5",)), Condition("owners", "exists")]
    timed("dense, 10 hits", lambda: index.search([dense], conditions=[], limit=10))
    timed("dense, 50 hits", lambda: index.search([dense], conditions=[], limit=50))
    timed("sparse, 50 hits", lambda: index.search([sparse], conditions=[], limit=50))
    timed("both, 50 hits", lambda: index.search([dense, sparse], conditions=[], limit=50))
    timed("both, filtered", lambda: index.search([dense, sparse], conditions=where, limit=50))
    timed("count, filtered", lambda: index.count(where))
    timed("hashes of 256 urns", lambda: index.hashes(urns), 20)
    timed("payloads of 256 urns", lambda: index.get(urns), 20)
    timed(
        "a page of 500 referencing",
        lambda: index.referencing("urn:li:tag:t5", after=None, limit=500),
        5,
    )
    timed("all urns with hashes", lambda: list(index.urns()), 3)
    index.close()
    started = time.perf_counter()
    EdgeIndex.open(folder, SPEC, now_ms=0).close()
    print(f"open and close                       {(time.perf_counter() - started) * 1000:8.0f} ms")


WRITER = """
import sys
from pathlib import Path
from index import SPEC, make_point, delete
import numpy as np
from dataspoke.core.index.edge import EdgeIndex

index, number = EdgeIndex.open(Path(sys.argv[1]), SPEC, now_ms=0), int(sys.argv[2])
chance = np.random.default_rng(number)
while True:
    points = [make_point(3 * number + part, chance) for part in range(3)]
    index.apply(points)
    index.apply([delete(points[1])])
    print(number, flush=True)
    number += 1
"""


def delete(point: UpsertPoint) -> DeletePoint:
    return DeletePoint(point.urn, point.version)


def kill(folder: Path, times: int) -> None:
    chance = random.Random(7)
    acknowledged, began = -1, time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    for _ in range(times):
        command = [sys.executable, "-c", WRITER, str(folder), str(acknowledged + 1)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        time.sleep(chance.random() / 4)
        writer.kill()
        said = writer.communicate()[0].splitlines()
        acknowledged = max([acknowledged, *(int(line) for line in said if line)])
    index = EdgeIndex.open(folder, SPEC, now_ms=0)
    everything = {urn for page in index.urns() for urn in page}
    index.close()
    of = [urn_of(number) for number in range(3 * (acknowledged + 1))]
    lost = sum(urn not in everything for number, urn in enumerate(of) if number % 3 != 1)
    undone = sum(urn in everything for number, urn in enumerate(of) if number % 3 == 1)
    seconds = time.perf_counter() - began
    print(
        f"{times} kills in {seconds:.0f} s: {lost} of {len(of) * 2 // 3} acknowledged points lost,"
    )
    print(f"{undone} of {len(of) // 3} deletions undone (all of them acknowledged)")
    if lost or undone:
        raise SystemExit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=["speed", "kill"], default="speed")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if options.what == "kill":
            kill(Path(folder), options.times)
        else:
            run(Path(folder), options.points, options.batch)


if __name__ == "__main__":
    main()
