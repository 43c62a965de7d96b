"""The pages of a fan-out."""

from __future__ import annotations

from dataspoke.actions.vector_sync.fanout import PAGE, cursor_of, follow_up, is_echo
from dataspoke.core.work.model import Claim, Priority, Work

TAG = "urn:li:tag:pii"


def claim(work: Work, token: int = 40) -> Claim:
    return Claim(work, generation=1, token=token, attempts=0, enqueued_at=0)


def page(count: int) -> list[str]:
    return [f"urn:{number:05}" for number in range(count)]


def test_a_short_page_ends_the_run() -> None:
    first = claim(Work("fanout", TAG, priority=Priority.EDIT))
    puts = follow_up(first, page(3))
    assert [(work.kind, work.key) for work in puts] == [("sync", urn) for urn in page(3)]
    assert {work.priority for work in puts} == {Priority.INGEST}


def test_a_full_page_goes_on_in_a_row_of_its_own() -> None:
    first = claim(Work("fanout", TAG))
    *documents, next_page = follow_up(first, page(PAGE))
    assert len(documents) == PAGE
    assert next_page.point == 40
    assert cursor_of(claim(next_page)) == page(PAGE)[-1]
    *_, third = follow_up(claim(next_page, token=99), page(PAGE))
    assert third.point == 40


def test_a_second_rename_during_a_run_is_another_row() -> None:
    *_, running = follow_up(claim(Work("fanout", TAG)), page(PAGE))
    assert running.point != Work("fanout", TAG).point


def test_rows_in_hand_are_looked_at_again_and_never_the_renamed_entity_itself() -> None:
    puts = follow_up(claim(Work("fanout", TAG)), ["urn:a"], in_flight=["urn:a", "urn:b", TAG])
    assert [work.key for work in puts] == ["urn:a", "urn:b"]


def test_an_echo_repeats_the_run_once_and_later() -> None:
    *_, echo = follow_up(claim(Work("fanout", TAG)), ["urn:a"], echo_at=500)
    assert is_echo(claim(echo))
    assert echo.not_before == 500
    assert cursor_of(claim(echo)) is None
    assert echo.point == -40
    *_, second_page = follow_up(claim(echo), page(PAGE))
    assert is_echo(claim(second_page))
