"""The recipes as the framework reads them, with the environment alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datahub.configuration.config_loader import load_config_file
from datahub_actions.pipeline.pipeline_config import FailureMode, PipelineConfig
from datahub_actions.plugin.filter.event_type_filter import EventTypeFilterConfig
from datahub_actions.plugin.source.acryl.datahub_cloud_event_source import (
    DataHubEventsSourceConfig,
)
from datahub_actions.plugin.source.kafka.kafka_event_source import KafkaEventSourceConfig
from datahub_actions.plugin.source.pgqueue.pg_queue_event_source import PgQueueEventSourceConfig

import dataspoke.recipes
from dataspoke.actions.events_source.config import EventsSourceConfig
from dataspoke.actions.vector_sync.classify import relevant_aspects
from dataspoke.actions.vector_sync.config import read_config

FOLDER = Path(next(iter(dataspoke.recipes.__path__))) / "actions"
RECIPES = {
    "vector_sync.yml": EventsSourceConfig,
    "vector_sync.kafka.yml": KafkaEventSourceConfig,
    "vector_sync.pg_queue.yml": PgQueueEventSourceConfig,
    "vector_sync.datahub_cloud.yml": DataHubEventsSourceConfig,
}


def load(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    for variable in ("DATAHUB_GMS_URL", "DATAHUB_GMS_TOKEN", "KAFKA_BOOTSTRAP_SERVER"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DATASPOKE_HOME", str(tmp_path))
    loaded: dict[str, Any] = load_config_file(FOLDER / name)
    return loaded


def test_no_recipe_is_left_out() -> None:
    assert {path.name for path in FOLDER.glob("vector_sync*")} == set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_parses_down_to_source_and_action(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = PipelineConfig.model_validate(load(name, monkeypatch, tmp_path))
    assert config.action.type == "dataspoke-vector-sync"
    read_config(config.action.config or {})
    RECIPES[name].model_validate(config.source.config)


@pytest.mark.parametrize("name", RECIPES)
def test_what_happens_on_failure_is_set_on_purpose(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = PipelineConfig.model_validate(load(name, monkeypatch, tmp_path))
    assert config.options is not None
    assert config.options.retry_count == 2
    assert config.options.failure_mode is FailureMode.CONTINUE
    assert config.options.failed_events_dir == str(tmp_path / "failed_events")


def test_the_failed_events_are_under_home_without_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATASPOKE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    loaded = load_config_file(FOLDER / "vector_sync.yml")
    assert loaded["options"]["failed_events_dir"] == f"{tmp_path}/.dataspoke/failed_events"


def test_kafka_drops_exactly_what_makes_no_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (wanted,) = load("vector_sync.kafka.yml", monkeypatch, tmp_path)["filters"]
    spec = EventTypeFilterConfig.model_validate(wanted["config"]).filter
    assert list(spec) == ["MetadataChangeLogEvent_v1"]
    events = spec["MetadataChangeLogEvent_v1"]
    assert events is not None
    assert events.event is not None
    (predicate,) = events.event
    aspects = relevant_aspects()
    assert set(predicate) == {"entityType", "aspectName"}
    assert predicate["entityType"] == sorted(aspects)
    assert predicate["aspectName"] == sorted({name for names in aspects.values() for name in names})


def test_a_blocked_action_is_not_thrown_out_of_its_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = load("vector_sync.kafka.yml", monkeypatch, tmp_path)["source"]["config"]
    consumer = config["connection"]["consumer_config"]
    assert int(consumer["max.poll.interval.ms"]) >= 3_600_000


def test_a_killed_queue_consumer_blocks_its_partition_briefly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = load("vector_sync.pg_queue.yml", monkeypatch, tmp_path)["source"]["config"]
    assert config["visibility_timeout_seconds"] <= 30
