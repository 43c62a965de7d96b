"""What the work table promises, on both engines."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest

from dataspoke.core.errors import SkippableError
from dataspoke.core.store.database import Database
from dataspoke.core.store.texts import MAX_KEY_BYTES
from dataspoke.core.work.model import Claim, Priority, Work, WorkStats
from dataspoke.core.work.table import SqlWorkTable

NOW = 1_800_000_000_000
LEASE = 30_000


@pytest.fixture
def table(database: Database) -> SqlWorkTable:
    return SqlWorkTable(database)


def claim(table: SqlWorkTable, *, now: int = NOW, limit: int = 100) -> list[Claim]:
    return table.claim(["sync"], limit=limit, lease_ms=LEASE, worker="test", now=now)


def keys(claims: list[Claim]) -> list[str]:
    return [one.work.key for one in claims]


def test_what_was_put_is_claimed_once(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", payload={"rows": 3})], now=NOW)
    (claimed,) = claim(table, now=NOW + 5)
    assert claimed.work == Work("sync", "a", payload={"rows": 3})
    assert (claimed.generation, claimed.attempts, claimed.enqueued_at) == (1, 0, NOW)
    assert claim(table, now=NOW + 5) == []


def test_puts_of_the_same_key_coalesce(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", priority=90, not_before=NOW + 50, payload={"n": 1})], now=NOW)
    table.put([Work("sync", "a", priority=10, not_before=NOW + 20, payload={"n": 2})], now=NOW + 1)
    table.put([Work("sync", "a", priority=50, not_before=NOW + 70, payload={"n": 3})], now=NOW + 2)
    (claimed,) = claim(table, now=NOW + 20)
    assert claimed.work == Work("sync", "a", 0, 10, NOW + 20, {"n": 3})
    assert (claimed.generation, claimed.enqueued_at) == (3, NOW)


def test_one_batch_may_name_the_same_key_twice(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", payload={"n": n}) for n in (1, 2)], now=NOW)
    (claimed,) = claim(table)
    assert claimed.work.payload == {"n": 2}
    assert claimed.generation == 2


def test_points_and_kinds_of_the_same_key_stay_apart(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a"), Work("sync", "a", point=7), Work("fanout", "a")], now=NOW)
    assert table.stats(now=NOW).ready == 3
    assert [one.work.point for one in claim(table)] == [0, 7]


def test_the_most_urgent_comes_first_then_the_oldest(table: SqlWorkTable) -> None:
    table.put([Work("sync", "old", priority=Priority.INGEST)], now=NOW)
    table.put([Work("sync", "new", priority=Priority.INGEST)], now=NOW + 1)
    table.put([Work("sync", "backfill", priority=Priority.BACKFILL)], now=NOW - 9)
    table.put([Work("sync", "edit", priority=Priority.EDIT)], now=NOW + 2)
    assert keys(claim(table, now=NOW + 3)) == ["edit", "old", "new", "backfill"]


def test_the_order_holds_over_several_kinds_and_claims(table: SqlWorkTable) -> None:
    kinds = ["sync", "fanout"]
    for n in range(6):
        table.put([Work(kinds[n % 2], f"{n}", priority=n // 2)], now=NOW + n)
    got = []
    while claims := table.claim(kinds, limit=2, lease_ms=LEASE, worker="w", now=NOW + 9):
        got += keys(claims)
    assert got == ["0", "1", "2", "3", "4", "5"]


def test_work_waits_for_its_time(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", not_before=NOW + 100)], now=NOW)
    assert claim(table, now=NOW + 99) == []
    assert table.stats(now=NOW) == WorkStats(0, 1, 0, 0, None)
    assert keys(claim(table, now=NOW + 100)) == ["a"]


def test_an_expired_lease_comes_back_and_the_old_holder_can_do_nothing(
    table: SqlWorkTable,
) -> None:
    table.put([Work("sync", "a")], now=NOW)
    (old,) = claim(table)
    assert claim(table, now=NOW + LEASE - 1) == []
    (new,) = claim(table, now=NOW + LEASE)
    assert new.token > old.token
    assert table.heartbeat([old], lease_ms=LEASE, now=NOW + LEASE) == []
    assert table.complete([old], puts=[Work("sync", "b")], now=NOW + LEASE) == []
    table.release([old], not_before=0, count_attempt=True, now=NOW + LEASE)
    table.bury([old], reason="no", error_type="E", now=NOW + LEASE)
    assert table.stats(now=NOW + LEASE) == WorkStats(0, 0, 1, 0, None)
    assert table.complete([new], now=NOW + LEASE) == [new]
    assert table.stats(now=NOW + LEASE).open == 0


def test_a_late_completion_counts_if_nobody_else_has_claimed_the_row(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a")], now=NOW)
    claims = claim(table)
    assert table.complete(claims, now=NOW + 10 * LEASE) == claims


def test_an_old_claim_is_not_revived_by_a_newer_one_of_another_row(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a")], now=NOW)
    (stale,) = claim(table)
    table.put([Work("sync", "b")], now=NOW)
    later = claim(table, now=NOW + LEASE)
    other = next(one for one in later if one.work.key == "b")
    assert table.complete([stale, other], now=NOW + LEASE) == [other]
    assert keys(table.list_open(limit=9)) == ["a"]


def test_a_heartbeat_extends_the_lease(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a")], now=NOW)
    claims = claim(table)
    assert table.heartbeat(claims, lease_ms=LEASE, now=NOW + LEASE - 1) == claims
    assert claim(table, now=NOW + LEASE) == []
    assert keys(claim(table, now=NOW + 2 * LEASE - 1)) == ["a"]


def test_a_put_during_processing_is_not_lost_by_the_completion(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", payload={"n": 1})], now=NOW)
    held = claim(table)
    table.put([Work("sync", "a", payload={"n": 2})], now=NOW + 5)
    assert claim(table, now=NOW + 5) == [], "still leased"
    assert table.complete(held, now=NOW + 6) == held
    (again,) = claim(table, now=NOW + 6)
    assert again.work.payload == {"n": 2}
    assert (again.generation, again.attempts) == (2, 0)
    assert again.enqueued_at == NOW + 5, "the age of what is still to be done"


def test_a_put_during_processing_keeps_its_own_time(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", not_before=NOW)], now=NOW)
    held = claim(table)
    table.put([Work("sync", "a", not_before=NOW + 500)], now=NOW + 5)
    table.put([Work("sync", "a", not_before=NOW + 900)], now=NOW + 6)
    table.complete(held, now=NOW + 7)
    assert claim(table, now=NOW + 499) == []
    assert keys(claim(table, now=NOW + 500)) == ["a"]


def test_a_put_for_later_does_not_delay_a_row_whose_holder_died(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a")], now=NOW)
    claim(table)
    table.put([Work("sync", "a", not_before=NOW + 10 * LEASE)], now=NOW + 5)
    assert keys(claim(table, now=NOW + LEASE)) == ["a"]


def test_released_rows_come_back_at_their_time(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a")], now=NOW)
    table.release(claim(table), not_before=NOW + 100, count_attempt=True, now=NOW + 1)
    assert claim(table, now=NOW + 99) == []
    (second,) = claim(table, now=NOW + 100)
    assert (second.attempts, second.enqueued_at, second.generation) == (1, NOW, 1)
    table.release([second], not_before=0, count_attempt=False, now=NOW + 101)
    (third,) = claim(table, now=NOW + 101)
    assert third.attempts == 1


def test_a_released_row_that_was_put_again_comes_up_at_the_earlier_time(
    table: SqlWorkTable,
) -> None:
    table.put([Work("sync", "a")], now=NOW)
    held = claim(table)
    table.put([Work("sync", "a", not_before=NOW + 50)], now=NOW + 5)
    table.release(held, not_before=NOW + 100, count_attempt=True, now=NOW + 6)
    (again,) = claim(table, now=NOW + 50)
    assert again.enqueued_at == NOW, "it has not been done since"


def test_follow_up_work_comes_with_the_completion(table: SqlWorkTable) -> None:
    table.put([Work("sync", "page 1"), Work("sync", "b")], now=NOW)
    other, page = claim(table)
    follow = [Work("sync", "page 1", payload={"after": "x"}), Work("sync", "b")]
    assert table.complete([page], puts=follow, now=NOW + 1) == [page]
    (again,) = claim(table, now=NOW + 1)
    assert (again.work.payload, again.generation) == ({"after": "x"}, 1)
    table.complete([other], now=NOW + 2)
    assert keys(claim(table, now=NOW + 2)) == ["b"]


def test_follow_up_work_alone_is_put(table: SqlWorkTable) -> None:
    assert table.complete([], puts=[Work("sync", "a")], now=NOW) == []
    assert keys(claim(table)) == ["a"]


def test_buried_work_becomes_a_dead_letter(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", point=4, payload={"n": 1})], now=NOW)
    table.bury(claim(table), reason="Cannot read it.", error_type="SkippableError", now=NOW + 1)
    (letter,) = table.dead_letters(limit=10)
    assert replace(letter, id=0) == replace(
        letter, id=0, kind="sync", key="a", point=4, payload={"n": 1}, reason="Cannot read it.",
        error_type="SkippableError", attempts=1, failed_at=NOW + 1,
    )  # fmt: skip
    assert table.stats(now=NOW) == WorkStats(0, 0, 0, 1, None)
    assert table.stats(now=NOW, kinds=["fanout"]).dead == 0


def test_burying_again_replaces_the_dead_letter(table: SqlWorkTable) -> None:
    for reason in ("first", "second"):
        table.put([Work("sync", "a")], now=NOW)
        table.bury(claim(table), reason=reason, error_type="E", now=NOW)
    assert [letter.reason for letter in table.dead_letters(limit=10)] == ["second"]


def test_work_put_again_while_it_failed_is_tried_again(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", payload={"n": 1})], now=NOW)
    held = claim(table)
    table.put([Work("sync", "a", payload={"n": 2})], now=NOW)
    table.bury(held, reason="bad", error_type="E", now=NOW)
    assert [letter.payload for letter in table.dead_letters(limit=9)] == [{"n": 1}]
    (again,) = claim(table)
    assert (again.work.payload, again.attempts) == ({"n": 2}, 0)


def test_dead_letters_can_be_retried_or_dropped_by_id(table: SqlWorkTable) -> None:
    table.put([Work("sync", key, priority=10) for key in "abc"], now=NOW)
    held = claim(table)
    table.release(held, not_before=0, count_attempt=True, now=NOW)
    table.bury(claim(table), reason="bad", error_type="E", now=NOW)
    by_key = {letter.key: letter.id for letter in table.dead_letters(limit=9)}
    assert table.retry_dead([by_key["a"], 12345], now=NOW + 9) == 1
    assert table.drop_dead([by_key["b"]]) == 1
    (again,) = claim(table, now=NOW + 9)
    assert (again.work.key, again.attempts, again.work.priority) == ("a", 0, 10)
    assert table.retry_dead(None, now=NOW + 9) == 1
    assert table.drop_dead(None) == 0
    assert table.retry_dead([], now=NOW + 9) == 0


def test_a_retried_dead_letter_does_not_overwrite_newer_work(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", payload={"n": 1})], now=NOW)
    table.bury(claim(table), reason="bad", error_type="E", now=NOW)
    table.put([Work("sync", "a", payload={"n": 2}, not_before=NOW + 99)], now=NOW)
    table.retry_dead(None, now=NOW)
    (again,) = claim(table)
    assert again.work.payload == {"n": 2}


@pytest.mark.parametrize("text", ["", "naïve 表", "nul \0 here", "lone \ud800", "x" * 9_000])
def test_an_unreadable_event_is_kept_whatever_it_holds(table: SqlWorkTable, text: str) -> None:
    payload = {"body": text, "odd": object()}
    table.bury_event("event", text, payload=payload, reason=text, error_type="E", now=NOW)
    (letter,) = table.dead_letters(limit=9)
    assert letter.payload["body"] == text
    assert (letter.kind, letter.attempts, letter.failed_at) == ("event", 0, NOW)


@pytest.mark.parametrize("key", ["nul \0", "lone \ud800", "é" * (MAX_KEY_BYTES // 2 + 1)])
def test_a_key_that_no_database_keeps_is_skippable(table: SqlWorkTable, key: str) -> None:
    with pytest.raises(SkippableError, match="Cannot keep sync work"):
        table.put([Work("sync", "fine"), Work("sync", key)], now=NOW)
    assert table.stats(now=NOW).open == 0


def test_the_longest_key_fits(table: SqlWorkTable) -> None:
    # Hard to compress: PostgreSQL compresses what it indexes.
    key = "".join(chr(33 + (i * i * 31 + i // 7) % 90) for i in range(MAX_KEY_BYTES))
    table.put([Work("sync", key)], now=NOW)
    assert keys(claim(table)) == [key]


def test_payloads_come_back_as_they_were(table: SqlWorkTable) -> None:
    payload = {"n": 2**53, "f": 0.1, "t": "表 \0 \ud800 '\"%s ?", "l": [1, None, True], "o": {}}
    table.put([Work("sync", "a", payload=payload)], now=NOW)
    (claimed,) = claim(table)
    assert claimed.work.payload == payload


def test_tokens_rise_over_the_whole_table_and_never_fall_below_the_clock(
    table: SqlWorkTable,
) -> None:
    tokens = []
    for n, now in enumerate([NOW, NOW, NOW - 50, NOW + 7]):
        table.put([Work("sync", f"{n}")], now=now)
        tokens += [one.token for one in claim(table, now=now)]
    assert tokens == [NOW, NOW + 1, NOW + 2, NOW + 7]


def test_stats_and_the_list_show_what_is_open(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a", priority=10), Work("sync", "b")], now=NOW)
    table.put([Work("fanout", "c"), Work("fanout", "d", not_before=NOW + 9)], now=NOW + 1)
    (held,) = claim(table, now=NOW + 2, limit=1)
    assert table.stats(now=NOW + 2) == WorkStats(2, 1, 1, 0, NOW)
    assert table.stats(now=NOW + 2, kinds=["fanout"]) == WorkStats(1, 1, 0, 0, NOW + 1)
    listed = table.list_open(limit=3)
    assert listed[0] == held
    assert keys(listed) == ["a", "b", "c"]
    assert [one.token for one in table.list_open(limit=9, kinds=["fanout"])] == [0, 0]
    assert table.stats(now=NOW + LEASE + 2).ready == 4, "an expired lease is ready"


def test_nothing_to_do_is_fine(table: SqlWorkTable) -> None:
    table.put([], now=NOW)
    assert table.claim([], limit=5, lease_ms=LEASE, worker="w", now=NOW) == []
    assert table.complete([], now=NOW) == []
    assert table.heartbeat([], lease_ms=LEASE, now=NOW) == []
    table.release([], not_before=0, count_attempt=False, now=NOW)
    table.bury([], reason="", error_type="", now=NOW)
    assert table.stats(now=NOW) == WorkStats(0, 0, 0, 0, None)


def test_many_threads_and_pools_share_the_work_without_loss_or_double_claim(
    database_url: str,
) -> None:
    databases = [Database.open(database_url) for _ in range(2)]
    tables = [SqlWorkTable(database) for database in databases]
    total, claimed, failures = 300, Counter[tuple[str, int]](), list[BaseException]()
    done = threading.Event()
    counting = threading.Lock()

    def put(number: int) -> None:
        for n in range(number, total, 2):
            tables[number].put([Work("sync", f"{n}"), Work("sync", "hot")], now=NOW)

    def work(number: int) -> None:
        while True:
            finished = done.is_set()
            claims = tables[number % 2].claim(
                ["sync"], limit=7, lease_ms=LEASE, worker=f"{number}", now=NOW
            )
            with counting:
                claimed.update((one.work.key, one.generation) for one in claims)
            assert tables[number % 2].complete(claims, now=NOW) == claims
            if finished and not claims:
                return

    def guarded(function: object, number: int) -> None:
        try:
            function(number)  # type: ignore[operator]
        except BaseException as exc:
            failures.append(exc)

    putters = [threading.Thread(target=guarded, args=(put, n)) for n in range(2)]
    workers = [threading.Thread(target=guarded, args=(work, n)) for n in range(4)]
    for thread in putters + workers:
        thread.start()
    for thread in putters:
        thread.join()
    done.set()
    for thread in workers:
        thread.join()
    assert failures == []
    assert [claimed[f"{n}", 1] for n in range(total)] == [1] * total
    assert tables[0].stats(now=NOW).open == 0
    for database in databases:
        database.close()
