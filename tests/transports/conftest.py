"""Stages: a hub, and the transports beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_process import HubProcess
from mock_kafka import MockKafka
from pipelines import Stage
from postgres_server import PostgresServer


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A running hub alone."""
    made = Stage(tmp_path)
    try:
        made.hub.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def full_stage(tmp_path: Path) -> Iterator[Stage]:
    """A running hub that also publishes to a Kafka and to a pgQueue."""
    made = Stage(tmp_path)
    try:
        made.kafka = MockKafka(tmp_path / "kafka")
        made.kafka.start()
        made.postgres = PostgresServer(tmp_path / "postgres", fsync=False)
        made.postgres.start()
        made.hub = HubProcess(
            tmp_path / "hub", kafka=made.kafka.bootstrap, pg_queue=made.postgres.url
        )
        made.hub.start()
        yield made
    finally:
        made.close()
