"""The recipe's `source.config`: what is understood, and what is said about the rest."""

from __future__ import annotations

from typing import Any

import pytest
from datahub_actions.pipeline.pipeline_context import PipelineContext
from datahub_actions.source.event_source_registry import event_source_registry

from dataspoke.actions.events_source.config import read_config
from dataspoke.actions.events_source.patience import MAX_PAUSE_S, pause_seconds
from dataspoke.actions.events_source.position import DAY_MS, Position
from dataspoke.actions.events_source.source import EventsSource
from dataspoke.core.errors import ConfigError


def test_the_stock_registry_knows_the_source() -> None:
    assert event_source_registry.get("dataspoke-events") is EventsSource


def test_the_defaults_follow_the_versioned_change_log_from_its_end() -> None:
    config = read_config({})
    assert config.topics == ["MetadataChangeLog_Versioned_v1"]
    assert (config.start, config.lookback) == ("latest", None)
    assert (config.poll_timeout_seconds, config.limit) == (2, 500)


def test_one_topic_may_be_given_as_a_name_and_none_counts_twice() -> None:
    assert read_config({"topics": "PlatformEvent_v1"}).topics == ["PlatformEvent_v1"]
    assert read_config({"topics": ["PlatformEvent_v1"] * 2}).topics == ["PlatformEvent_v1"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"limits": 1},
            "source.config.limits: Extra inputs are not permitted (did you mean limit?)",
        ),
        ({"limit": 5001}, "source.config.limit: Input should be less than or equal to 5000"),
        ({"poll_timeout_seconds": 11}, "source.config.poll_timeout_seconds: Input should be less"),
        ({"topics": []}, "source.config.topics: List should have at least 1 item"),
        ({"topics": "MetadataChangeLog_v1"}, "(did you mean MetadataChangeLog_Versioned_v1?)"),
        ({"start": "earliest"}, "source.config.start: Input should be 'latest' or 'lookback'"),
        ({"start": "lookback"}, "start: lookback needs lookback_days"),
        ({"lookback_days": 2}, "lookback_days has no effect with start: latest"),
    ],
)
def test_a_wrong_value_is_named_by_its_full_path(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=r"^Cannot read the recipe: .*\. Correct it; ") as wrong:
        read_config(values)
    assert sentence in str(wrong.value)
    assert "source.config" in str(wrong.value)


def test_a_secret_in_a_wrong_place_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as wrong:
        read_config({"database_url": ["postgresql://u:hunter2@h/d"], "token": "hunter2"})
    assert "hunter2" not in str(wrong.value)


def test_create_reaches_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAHUB_GMS_URL", "http://127.0.0.1:9")
    source = EventsSource.create({"home": "/nowhere/at/all"}, PipelineContext("p", None))
    source.close()


@pytest.mark.parametrize(
    ("since", "now", "days"), [(0, 0, 1), (0, 1, 1), (0, DAY_MS, 1), (5, 3, 1)]
)
def test_a_debt_is_covered_by_whole_days(since: int, now: int, days: int) -> None:
    assert Position(owed_since=since).lookback_days(now) == days
    assert Position(owed_since=since).lookback_days(since + 2 * DAY_MS + 1) == 3


@pytest.mark.parametrize("position", [Position(offset="eyJ9"), Position(owed_since=12)])
def test_a_position_survives_its_text(position: Position) -> None:
    assert Position.parse(position.text()) == position


def test_pauses_grow_to_ten_seconds_and_not_beyond() -> None:
    pauses = [pause_seconds(attempt, 0.0) for attempt in range(100)]
    assert pauses == sorted(pauses)
    assert max(pauses) == MAX_PAUSE_S == 10
    assert pause_seconds(50, 0.999) > 5
