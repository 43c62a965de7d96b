"""kill -9 at any line: nothing is lost and nothing stays stuck."""

from __future__ import annotations

import multiprocessing
import os
import random
import time

from dataspoke.core.store.database import Database
from dataspoke.core.work.model import Work
from dataspoke.core.work.table import SqlWorkTable

KILLS = 20
LEASE_MS = 200

# A fork starts in milliseconds; this process holds no database open while it forks.
_fork = multiprocessing.get_context("fork")


def _now() -> int:
    return time.time_ns() // 1_000_000


def _put(url: str, first: int, report: int) -> None:
    """Put numbered rows for ever; report each number once it is durable."""
    table = SqlWorkTable(Database.open(url))
    for number in range(first, first + 1_000_000):
        table.put([Work("sync", f"{number}", payload={"n": number})], now=_now())
        os.write(report, f"{number}\n".encode())


def _work(url: str, _first: int, report: int) -> None:
    """Work for ever; a completion leaves a row of the kind `done`."""
    table = SqlWorkTable(Database.open(url))
    for turn in range(1_000_000):
        claims = table.claim(["sync"], limit=7, lease_ms=LEASE_MS, worker="w", now=_now())
        if turn % 5 == 0:
            table.release(claims[:3], not_before=0, count_attempt=False, now=_now())
            claims = claims[3:]
        claims = table.heartbeat(claims, lease_ms=LEASE_MS, now=_now())
        done = [Work("done", claim.work.key) for claim in claims]
        table.complete(claims, puts=done, now=_now())
        os.write(report, b"turn\n")


def test_putters_and_workers_killed_at_random_lose_nothing(database_url: str) -> None:
    chance = random.Random(1)
    Database.open(database_url).close()
    reading, report = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reports:
        lines = []
        for turn in range(KILLS):
            # The worker starts on what the putter left behind, some of it half done.
            for target, reported in ((_put, 20), (_work, 3)):
                args = (database_url, turn * 1_000_000, report)
                process = _fork.Process(target=target, args=args, daemon=True)
                process.start()
                # What the other one still had in the pipe says nothing of this one.
                left = chance.randint(1, reported)
                while left:
                    lines.append(reports.readline())
                    left -= (lines[-1] == b"turn\n") == (target is _work)
                time.sleep(chance.uniform(0, 0.004))
                process.kill()
                process.join()
        os.close(report)
        lines += reports.readlines()
    durable = {int(line) for line in lines if line != b"turn\n"}

    database = Database.open(database_url)
    table = SqlWorkTable(database)
    now = _now() + LEASE_MS
    stats = table.stats(now=now, kinds=["sync"])
    assert (stats.leased, stats.delayed, stats.dead) == (0, 0, 0)
    still_open = {int(one.work.key) for one in table.list_open(limit=10**6, kinds=["sync"])}
    done = {int(one.work.key) for one in table.list_open(limit=10**6, kinds=["done"])}
    assert durable <= still_open | done
    assert done, "the workers did something between the kills"
    claims = table.claim(["sync"], limit=10**6, lease_ms=1, worker="w", now=now)
    assert {int(one.work.key) for one in claims} == still_open
    assert table.complete(claims, now=now) == claims
    assert table.stats(now=now, kinds=["sync"]).open == 0
    database.close()
