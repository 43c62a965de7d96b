"""Random histories of the work table against a small model of its protocol in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from dataspoke.core.store.database import Database
from dataspoke.core.work.model import Claim, Work, WorkStats
from dataspoke.core.work.table import SqlWorkTable

LEASE = 20
_ids = st.integers(0, 40)


@dataclass
class Row:
    work: Work
    order: int
    generation: int
    enqueued_at: int
    attempts: int = 0
    token: int = 0
    until: int = 0
    leased_generation: int = 0

    @property
    def ready_at(self) -> int:
        return self.until if self.token else self.work.not_before

    @property
    def again(self) -> bool:
        return self.generation > self.leased_generation

    def free(self, **work: Any) -> None:
        self.token = self.until = self.leased_generation = 0
        self.work = replace(self.work, **work)


Key = tuple[str, str, int]


@dataclass
class Model:
    rows: dict[Key, Row] = field(default_factory=dict)
    dead: dict[int, tuple[Work, int]] = field(default_factory=dict)
    inserted: int = 0
    last_token: int = 0

    def put(self, items: list[Work], now: int) -> None:
        for item in sorted(items, key=lambda one: (one.kind, one.key, one.point)):
            key = (item.kind, item.key, item.point)
            row = self.rows.get(key)
            if row is None:
                self.inserted += 1
                self.rows[key] = Row(item, self.inserted, 1, now)
                continue
            spent = row.token != 0 and not row.again
            row.generation += 1
            row.enqueued_at = now if spent else row.enqueued_at
            not_before = item.not_before if spent else min(item.not_before, row.work.not_before)
            priority = min(item.priority, row.work.priority)
            row.work = replace(item, priority=priority, not_before=not_before)

    def put_back(self, item: Work, now: int) -> None:
        key = (item.kind, item.key, item.point)
        row = self.rows.get(key)
        if row is None:
            self.put([replace(item, not_before=0)], now)
        else:
            row.generation += 1
            row.attempts = 0
            row.work = replace(row.work, not_before=0)

    def ready(self, kinds: tuple[str, ...], now: int) -> list[Row]:
        rows = [r for r in self.rows.values() if r.work.kind in kinds and r.ready_at <= now]
        return sorted(rows, key=lambda r: (r.work.priority, r.enqueued_at, r.order))

    def held(self, claims: list[Claim]) -> list[tuple[Claim, Key, Row]]:
        found = []
        for claim in claims:
            key = (claim.work.kind, claim.work.key, claim.work.point)
            row = self.rows.get(key)
            if row is not None and row.token == claim.token:
                found.append((claim, key, row))
        return found

    def finish(self, claims: list[Claim]) -> list[Claim]:
        held = self.held(claims)
        for _, key, row in held:
            if row.again:
                row.attempts = 0
                row.free()
            else:
                del self.rows[key]
        return [claim for claim, _, _ in held]


works = st.builds(
    Work,
    kind=st.sampled_from(["sync", "fanout"]),
    key=st.sampled_from(["a", "b", "c"]),
    point=st.sampled_from([0, 0, 7]),
    priority=st.sampled_from([10, 50, 90]),
    not_before=st.sampled_from([0, 0, 0, 30, 60]),
    payload=st.dictionaries(st.just("n"), st.integers(0, 9)),
)


class WorkTableMachine(RuleBasedStateMachine):
    open_table: Callable[[], AbstractContextManager[SqlWorkTable]]

    def __init__(self) -> None:
        super().__init__()
        self._opened = type(self).open_table()
        self.table = self._opened.__enter__()
        self.model = Model()
        self.now = 1
        self.claims: list[Claim] = []

    def teardown(self) -> None:
        self._opened.__exit__(None, None, None)

    @initialize(now=st.integers(1, 5))
    def start(self, now: int) -> None:
        self.now = now

    def _some(self, numbers: set[int]) -> list[Claim]:
        """Claims of any age, each lease once."""
        recent = self.claims[-8:]
        return [recent[n] for n in sorted({n % len(recent) for n in numbers})] if recent else []

    @rule(ms=st.sampled_from([1, 5, LEASE, 2 * LEASE]))
    def wait(self, ms: int) -> None:
        self.now += ms

    @rule(items=st.lists(works, max_size=3))
    def put(self, items: list[Work]) -> None:
        self.table.put(items, now=self.now)
        self.model.put(items, self.now)

    @rule(
        kinds=st.sampled_from([("sync",), ("fanout",), ("sync", "fanout")]),
        limit=st.integers(1, 3),
    )
    def claim(self, kinds: tuple[str, ...], limit: int) -> None:
        got = self.table.claim(kinds, limit=limit, lease_ms=LEASE, worker="w", now=self.now)
        rows = self.model.ready(kinds, self.now)[:limit]
        assert [(c.work, c.generation, c.attempts, c.enqueued_at) for c in got] == [
            (r.work, r.generation, r.attempts, r.enqueued_at) for r in rows
        ]
        assert all(c.token > self.model.last_token and c.token >= self.now for c in got)
        for claim, row in zip(got, rows, strict=True):
            row.token = claim.token
            row.until, row.leased_generation = self.now + LEASE, row.generation
            self.model.last_token = claim.token
        assert len({claim.token for claim in got}) <= 1
        self.claims += got

    @rule(numbers=st.sets(_ids, max_size=4))
    def heartbeat(self, numbers: set[int]) -> None:
        claims = self._some(numbers)
        held = self.model.held(claims)
        assert self.table.heartbeat(claims, lease_ms=LEASE, now=self.now) == [c for c, _, _ in held]
        for _, _, row in held:
            row.until = self.now + LEASE

    @rule(numbers=st.sets(_ids, min_size=1, max_size=4), puts=st.lists(works, max_size=2))
    def complete(self, numbers: set[int], puts: list[Work]) -> None:
        claims = self._some(numbers)
        ours = self.model.finish(claims)
        assert self.table.complete(claims, puts=puts, now=self.now) == ours
        if ours or not claims:
            self.model.put(puts, self.now)

    @rule(numbers=st.sets(_ids, max_size=4), delay=st.sampled_from([0, 30]), count=st.booleans())
    def release(self, numbers: set[int], delay: int, count: bool) -> None:
        claims = self._some(numbers)
        at = self.now + delay
        self.table.release(claims, not_before=at, count_attempt=count, now=self.now)
        for claim, _, row in self.model.held(claims):
            row.attempts += count
            row.enqueued_at = claim.enqueued_at
            row.free(not_before=min(at, row.work.not_before) if row.again else at)

    @rule(numbers=st.sets(_ids, min_size=1, max_size=4))
    def bury(self, numbers: set[int]) -> None:
        claims = self._some(numbers)
        buried = [claim for claim, _, _ in self.model.held(claims)]
        self.table.bury(claims, reason="why", error_type="E", now=self.now)
        assert self.model.finish(claims) == buried
        same = {(c.work.kind, c.work.key, c.work.point) for c in buried}
        for number, (work, _) in list(self.model.dead.items()):
            if (work.kind, work.key, work.point) in same:
                del self.model.dead[number]
        letters = self.table.dead_letters(limit=100)
        for claim in buried:
            (number,) = (
                letter.id
                for letter in letters
                if (letter.kind, letter.key, letter.point)
                == (claim.work.kind, claim.work.key, claim.work.point)
            )
            self.model.dead[number] = (claim.work, claim.attempts + 1)

    def _letters(self, places: set[int] | None) -> list[int] | None:
        """Ids of dead letters by their place; one id is of none."""
        ids = sorted(self.model.dead)
        return None if places is None else [ids[n] for n in places if n < len(ids)] + [10**9]

    @rule(places=st.none() | st.sets(st.integers(0, 3), max_size=2))
    def retry_dead(self, places: set[int] | None) -> None:
        chosen = self._letters(places)
        numbers = [n for n in self.model.dead if chosen is None or n in chosen]
        assert self.table.retry_dead(chosen, now=self.now) == len(numbers)
        for number in sorted(numbers, reverse=True):
            self.model.put_back(self.model.dead.pop(number)[0], self.now)

    @rule(places=st.sets(st.integers(0, 3), max_size=1))
    def drop_dead(self, places: set[int]) -> None:
        chosen = self._letters(places) or []
        gone = [self.model.dead.pop(n) for n in list(self.model.dead) if n in chosen]
        assert self.table.drop_dead(chosen) == len(gone)

    @invariant()
    def both_hold_the_same(self) -> None:
        rows = sorted(
            self.model.rows.values(), key=lambda r: (r.work.priority, r.enqueued_at, r.order)
        )
        assert [
            (c.work, c.generation, c.token, c.attempts, c.enqueued_at)
            for c in self.table.list_open(limit=100)
        ] == [(r.work, r.generation, r.token, r.attempts, r.enqueued_at) for r in rows]
        ready = [r for r in rows if r.ready_at <= self.now]
        assert self.table.stats(now=self.now) == WorkStats(
            ready=len(ready),
            delayed=sum(r.ready_at > self.now and not r.token for r in rows),
            leased=sum(r.ready_at > self.now and r.token != 0 for r in rows),
            dead=len(self.model.dead),
            oldest_ready_at=min((r.enqueued_at for r in ready), default=None),
        )
        assert {
            letter.id: (letter.key, letter.attempts)
            for letter in self.table.dead_letters(limit=100)
        } == {n: (work.key, attempts) for n, (work, attempts) in self.model.dead.items()}


def test_random_histories_follow_the_model(database: Database) -> None:
    @contextmanager
    def open_table() -> Iterator[SqlWorkTable]:
        with database.transaction() as conn:
            conn.exec_driver_sql("DELETE FROM dataspoke_work")
            conn.exec_driver_sql("DELETE FROM dataspoke_dead_letters")
            conn.exec_driver_sql("UPDATE dataspoke_fencing SET last_token = 0")
        yield SqlWorkTable(database)

    machine = type("Machine", (WorkTableMachine,), {"open_table": staticmethod(open_table)})
    run_machine(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
