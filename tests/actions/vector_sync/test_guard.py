"""How much may vanish."""

from __future__ import annotations

import pytest

from dataspoke.actions.vector_sync.guard import WINDOW_MS, RemovalGuard, too_many


@pytest.mark.parametrize(
    ("removals", "points", "share", "refused"),
    [
        (0, 0, 0.3, False),
        (20, 20, 0.3, False),
        (21, 21, 0.3, True),
        (30, 100, 0.3, False),
        (31, 100, 0.3, True),
        (1000, 1000, 1.0, False),
        (21, 1000, 0.0, True),
    ],
)
def test_a_share_is_too_many_only_above_the_floor(
    removals: int, points: int, share: float, refused: bool
) -> None:
    assert too_many(removals, points=points, max_share=share) is refused


def test_removals_add_up_within_an_hour() -> None:
    guard = RemovalGuard(0.3)
    assert guard.allow(30, points=100, now=0)
    assert not guard.allow(1, points=70, now=1_000)
    assert guard.allow(1, points=70, now=WINDOW_MS + 1_000)


def test_what_was_refused_is_not_counted() -> None:
    guard = RemovalGuard(0.3)
    assert not guard.allow(90, points=100, now=0)
    assert guard.allow(10, points=100, now=0)
