"""Knowing that the stream is joined."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from dataspoke.actions.vector_sync.joining import wait_until_joined


class OwnSource:
    def __init__(self) -> None:
        self.joined = threading.Event()


@dataclass
class Partition:
    offset: int


class Consumer:
    """What we use of a Kafka consumer; assigned at the third look."""

    def __init__(self, committed: list[int]) -> None:
        self._committed = committed
        self._looks = 0
        self.commits: list[list[int]] = []

    def assignment(self) -> list[Partition]:
        self._looks += 1
        return [Partition(-1) for _ in self._committed] if self._looks > 2 else []

    def committed(self, partitions: list[Partition], timeout: float) -> list[Partition]:
        return [Partition(offset) for offset in self._committed]

    def get_watermark_offsets(self, partition: Partition, timeout: float) -> tuple[int, int]:
        return 0, 77

    def commit(self, offsets: list[Partition], asynchronous: bool) -> None:
        assert not asynchronous
        self.commits.append([partition.offset for partition in offsets])


class KafkaSource:
    def __init__(self, committed: list[int]) -> None:
        self.consumer = Consumer(committed)


def test_our_own_source_says_when() -> None:
    source = OwnSource()
    stop = threading.Event()
    threading.Timer(0.3, source.joined.set).start()
    assert wait_until_joined(source, stop)


def test_a_stop_ends_the_waiting() -> None:
    stop = threading.Event()
    stop.set()
    assert not wait_until_joined(OwnSource(), stop)
    assert not wait_until_joined(KafkaSource([5]), stop)
    assert not wait_until_joined(object(), stop)


def test_a_new_kafka_group_commits_where_it_joined() -> None:
    source = KafkaSource([-1001, 40, -1001])
    assert wait_until_joined(source, threading.Event())
    assert source.consumer.commits == [[77, 77]]


def test_a_known_kafka_group_keeps_its_offsets() -> None:
    source: Any = KafkaSource([3, 40])
    assert wait_until_joined(source, threading.Event())
    assert source.consumer.commits == []


def test_a_source_that_says_nothing_gets_a_moment() -> None:
    assert wait_until_joined(object(), threading.Event(), grace_s=0.01)
