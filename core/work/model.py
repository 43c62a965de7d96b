"""The work table's values and port: entities to look at, and what became of them.

A row is keyed (kind, key, point): putting it again coalesces. See ADR 0002 for the protocol.
Times are UTC milliseconds since the epoch. A lower `priority` goes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

UNREADABLE_EVENT = "event"
"""Kind of the dead letters that hold an event nobody could read: no work can be made of them."""


class Priority(IntEnum):
    """Who waits for it: a person's edit goes before a connector's run, that before a backfill."""

    EDIT = 10
    INGEST = 50
    BACKFILL = 90


@dataclass(frozen=True, slots=True)
class Work:
    """Something to look at.

    `kind` names who handles it (`sync`, `fanout`); `key` is a urn as a rule. `point` is the
    timestamp in ms for what is a point in time, 0 for what is a state. `payload` travels only
    with what cannot be read again later; for a state it stays empty.
    `not_before` (ms, 0 = now) delays it.
    """

    kind: str
    key: str
    point: int = 0
    priority: int = Priority.INGEST
    not_before: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """A leased row. `generation` rises with each put.

    `token` is the fencing token: it rises with each lease over the whole table and survives
    the loss of the database (it is never below the clock in ms). `row` is the table's own
    name for the row: with the token it says which lease this is.
    """

    work: Work
    generation: int
    token: int
    attempts: int
    enqueued_at: int
    row: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What kept failing, or could not be read at all; `reason` is for a person."""

    id: int
    kind: str
    key: str
    point: int
    payload: Mapping[str, Any]
    reason: str
    error_type: str
    attempts: int
    failed_at: int


@dataclass(frozen=True, slots=True)
class WorkStats:
    """`ready` may be claimed now, `delayed` waits for `not_before`, `leased` is in hand."""

    ready: int
    delayed: int
    leased: int
    dead: int
    oldest_ready_at: int | None

    @property
    def open(self) -> int:
        return self.ready + self.delayed + self.leased


class WorkTable(Protocol):
    """One durable table; SQLite and PostgreSQL keep the same promises.

    Every method is one transaction and raises RetriableError while the database is away.
    """

    def put(self, items: Sequence[Work], *, now: int) -> None:
        """Insert, or coalesce: generation + 1, the lower priority, the earlier `not_before`,
        the newer payload. A row that is leased right now stays leased and comes up again."""
        ...

    def claim(
        self, kinds: Sequence[str], *, limit: int, lease_ms: int, worker: str, now: int
    ) -> list[Claim]:
        """Lease the most urgent ready rows (priority, then age); expired leases are ready."""
        ...

    def heartbeat(self, claims: Sequence[Claim], *, lease_ms: int, now: int) -> list[Claim]:
        """Extend leases; returns those that are still ours."""
        ...

    def complete(
        self, claims: Sequence[Claim], *, puts: Sequence[Work] = (), now: int
    ) -> list[Claim]:
        """Finish rows whose token is still ours, and put follow-up work in the same
        transaction. A row put again since its claim is released, not deleted. Returns the
        claims that were ours."""
        ...

    def release(
        self, claims: Sequence[Claim], *, not_before: int, count_attempt: bool, now: int
    ) -> None:
        """Give rows back, to be claimed again at `not_before`; an outage counts no attempt."""
        ...

    def bury(self, claims: Sequence[Claim], *, reason: str, error_type: str, now: int) -> None:
        """Move rows to the dead letters."""
        ...

    def bury_event(
        self,
        kind: str,
        key: str,
        *,
        payload: Mapping[str, Any],
        reason: str,
        error_type: str,
        now: int,
    ) -> None:
        """Keep an event that could not be turned into work."""
        ...

    def stats(self, *, now: int, kinds: Sequence[str] = ()) -> WorkStats: ...

    def list_open(self, *, limit: int, kinds: Sequence[str] = ()) -> list[Claim]: ...

    def dead_letters(self, *, limit: int, ids: Sequence[int] | None = None) -> list[DeadLetter]: ...

    def retry_dead(self, ids: Sequence[int] | None, *, now: int) -> int:
        """Put dead letters back as work (None = all); returns how many. Unreadable events stay."""
        ...

    def drop_dead(self, ids: Sequence[int] | None) -> int: ...
