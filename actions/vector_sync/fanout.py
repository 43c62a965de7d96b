"""One renamed entity, many documents that name it: paged, durable, restartable. Pure.

The row that an event puts has point 0. Each run over the pages has a row of its own, keyed by
the token of the claim that began it, so that a second rename during a run begins a second run
instead of moving the cursor of the first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dataspoke.actions.vector_sync.classify import FANOUT, SYNC
from dataspoke.core.work.model import Claim, Priority, Work

PAGE = 500
_AFTER = "after"
_ECHO = "echo"


def cursor_of(claim: Claim) -> str | None:
    """The urn after which the next page begins; None at the begin of a run."""
    after = claim.work.payload.get(_AFTER)
    return str(after) if after else None


def is_echo(claim: Claim) -> bool:
    return bool(claim.work.payload.get(_ECHO))


def follow_up(
    claim: Claim,
    page: Sequence[str],
    *,
    in_flight: Collection[str] = (),
    echo_at: int | None = None,
) -> list[Work]:
    """What a page makes: its documents, the next page, and at the begin of a run more.

    A worker may have read the old name a moment ago and not have written yet what the page
    should have held. Those that this process knows (`in_flight`) are looked at again; if other
    processes hold rows too, the run is repeated once at `echo_at` (ms).
    """
    work = claim.work
    urgency = max(work.priority, Priority.INGEST)
    urns = dict.fromkeys((*page, *in_flight))
    puts = [Work(SYNC, urn, priority=urgency) for urn in urns if urn != work.key]
    if len(page) >= PAGE:
        cursor = {_AFTER: page[-1], **({_ECHO: True} if is_echo(claim) else {})}
        run = work.point or claim.token
        puts.append(Work(FANOUT, work.key, point=run, priority=urgency, payload=cursor))
    if echo_at is not None:
        puts.append(
            Work(
                FANOUT,
                work.key,
                point=-claim.token,
                priority=Priority.BACKFILL,
                not_before=echo_at,
                payload={_ECHO: True},
            )
        )
    return puts
