from __future__ import annotations

from typing import Any

import pytest
from airline_catalogue import table

from dataspoke.core.documents.render import render
from dataspoke.search_service.roster import RosterRow, row_of
from dataspoke.search_service.trust import HIGHEST, LOWEST, applied, factor_of


def row(**payload: Any) -> RosterRow:
    document = render(table("flights"), model_id="x")
    return row_of("1", {**document.payload, **payload}, {})


@pytest.mark.parametrize(
    ("payload", "names", "better"),
    [
        ({}, [], None),
        ({"deprecated": True}, ["deprecated"], False),
        ({"quality": "fail"}, ["quality"], False),
        ({"quality": "pass"}, ["quality"], True),
        ({"quality": "fail", "incidents": 2}, ["incidents"], False),
        ({"certified": True}, ["certified"], True),
        ({"usage": 100}, ["usage"], True),
        ({"env": "DEV"}, ["environment"], False),
        ({"certified": True, "deprecated": True}, ["deprecated", "certified"], False),
    ],
)
def test_each_signal_moves_a_score_its_own_way(
    payload: dict[str, Any], names: list[str], better: bool | None
) -> None:
    signals = applied(row(**payload))
    assert [signal.name for signal in signals] == names
    factor = factor_of(signals)
    assert (factor > 1, factor < 1) == (better is True, better is False)


def test_all_signals_together_stay_small() -> None:
    worst = row(deprecated=True, incidents=3, env="DEV")
    best = row(certified=True, quality="pass", usage=10**9)
    assert LOWEST <= factor_of(applied(worst)) < 1 < factor_of(applied(best)) <= HIGHEST
