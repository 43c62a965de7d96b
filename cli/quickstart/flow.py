"""How far the change events have come on their way into the index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataspoke.core.store.database import Database
from dataspoke.core.store.state import StateStore
from dataspoke.core.work.table import SqlWorkTable

_POSITIONS = "offset:"


@dataclass(frozen=True, slots=True)
class TopicEvents:
    """What the hub has published in a topic."""

    count: int
    last_offset: int


@dataclass(frozen=True, slots=True)
class Flow:
    """One look at the whole way. `behind` are events that the action has not taken in yet.

    `waiting` index operations are in the outbox; `points` are in the index.
    """

    events: int
    behind: int
    open_work: int
    dead: int
    waiting: int
    points: int

    @property
    def is_quiet(self) -> bool:
        """Nothing is on its way."""
        return self.behind == 0 and self.open_work == 0 and self.waiting == 0

    def __str__(self) -> str:
        return (
            f"{self.events:,} events, {self.behind:,} not consumed, {self.open_work:,} entities "
            f"to look at, {self.points:,} indexed"
        )


def published(hub_home: Path) -> dict[str, TopicEvents]:
    """The hub's events by topic, read beside the running hub; empty before its first event."""
    rows = _query(hub_home, 'SELECT topic, count(*), max("offset") FROM events GROUP BY topic')
    return {str(topic): TopicEvents(int(count), int(last)) for topic, count, last in rows}


def aspects_written(hub_home: Path) -> int:
    """Aspects that the hub holds, points in time included."""
    counts = "(SELECT count(*) FROM aspect) + (SELECT count(*) FROM timeseries)"
    return sum(int(count) for (count,) in _query(hub_home, f"SELECT {counts}"))


def _query(hub_home: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    path = hub_home / "hub.db"
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        return connection.execute(sql, values).fetchall()


def count_behind(
    published: Mapping[str, TopicEvents],
    positions: Mapping[str, str],
    events_after: Callable[[str, int], int],
) -> int:
    """Events in topics that the action follows beyond where it stands.

    `positions` are those of the state store, by `offset:<pipeline>:<topic>`; `events_after`
    counts the events of a topic behind an offset.

    >>> seen = {"offset:sync:A": "7"}
    >>> count_behind({"A": TopicEvents(9, 9), "B": TopicEvents(4, 8)}, seen, lambda t, o: 9 - o)
    2
    """
    behind = 0
    for key, position in positions.items():
        topic = key.rpartition(":")[2]
        if topic not in published or published[topic].count == 0:
            continue
        offset = int(position) if position.isdigit() else 0
        if offset < published[topic].last_offset:
            behind += events_after(topic, offset)
    return behind


class FlowMeter:
    """Looks at the hub's events, the action's position, the work table and the index."""

    def __init__(
        self,
        hub_home: Path,
        database: Database,
        readiness: Callable[[], Mapping[str, Any]],
        clock: Callable[[], int],
    ) -> None:
        self._hub_home = hub_home
        self._state = StateStore(database)
        self._work = SqlWorkTable(database)
        self._readiness = readiness
        self._clock = clock

    def topics(self) -> set[str]:
        """The topics that the action has joined: it has stored a position in each."""
        return {key.rpartition(":")[2] for key in self._state.items(_POSITIONS)}

    def look(self) -> Flow:
        events = published(self._hub_home)
        behind = count_behind(events, self._state.items(_POSITIONS), self._events_after)
        work = self._work.stats(now=self._clock())
        details = self._readiness()
        return Flow(
            events=sum(topic.count for topic in events.values()),
            behind=behind,
            open_work=work.open,
            dead=work.dead,
            waiting=int(details.get("outbox", {}).get("rows", 0)),
            points=int(details.get("index", {}).get("entities", 0)),
        )

    def _events_after(self, topic: str, offset: int) -> int:
        sql = 'SELECT count(*) FROM events WHERE topic = ? AND "offset" > ?'
        return sum(int(count) for (count,) in _query(self._hub_home, sql, topic, offset))
