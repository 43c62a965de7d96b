"""How an operation becomes a stored point; pure, and the same for every engine.

A stored payload is the document's payload plus its two hashes and fields of our own:

- `_version`, the fencing token of the last write;
- `_live`, 1. A deletion leaves a *tombstone*: a point without vectors whose payload is only urn,
  `_version` and `_live` 0. It keeps a worker that slept through its lease from putting the
  entity back. No answer ever shows one; engines drop those older than `TOMBSTONE_MS` on opening;
- `_flags`, the boolean fields as words (`deprecated=true`), since the embedded engine's Python
  binding turns a boolean in a filter into a number, which then matches nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataspoke.core.index.model import DeletePoint, Hashes, IndexOp, SetPayload, UpsertPoint
from dataspoke.core.index.spec import FLAGS_FIELD, LIVE_FIELD, VERSION_FIELD

TOMBSTONE_MS = 24 * 60 * 60 * 1000
HASH_FIELDS = ("content_hash", "payload_hash")
STATE_FIELDS = (VERSION_FIELD, LIVE_FIELD, FLAGS_FIELD)


@dataclass(frozen=True, slots=True)
class Held:
    """What the engine has for a urn: the version last written, and whether it is a point."""

    version: int
    live: bool


def settle(ops: Sequence[IndexOp], held: Mapping[str, Held]) -> dict[str, IndexOp]:
    """The one operation per urn that `ops` come to, in the order of their first mention.

    Operations older than what is held, or than an earlier one in `ops`, are left out, and so is
    a `SetPayload` of what is not there.
    """
    settled: dict[str, IndexOp] = {}
    for op in ops:
        before = settled.get(op.urn)
        state = held.get(op.urn)
        if before is not None:
            newest = before.version
            live = not isinstance(before, DeletePoint)
        else:
            newest, live = (state.version, state.live) if state else (op.version, False)
        if op.version < newest:
            continue
        if isinstance(op, SetPayload):
            if not live:
                continue
            if isinstance(before, UpsertPoint):
                op = replace(before, hashes=op.hashes, payload=op.payload, version=op.version)
        settled[op.urn] = op
    return settled


def stored_payload(op: UpsertPoint | SetPayload) -> dict[str, Any]:
    """The payload as the engine keeps it."""
    return {
        **op.payload,
        "urn": op.urn,
        "content_hash": op.hashes.content_hash,
        "payload_hash": op.hashes.payload_hash,
        VERSION_FIELD: op.version,
        LIVE_FIELD: 1,
        FLAGS_FIELD: [flag(name, on) for name, on in op.payload.items() if isinstance(on, bool)],
    }


def flag(field: str, on: bool) -> str:
    """A boolean field as the word by which it is filtered."""
    return f"{field}={'true' if on else 'false'}"


def tombstone_payload(op: DeletePoint) -> dict[str, Any]:
    return {"urn": op.urn, VERSION_FIELD: op.version, LIVE_FIELD: 0}


def shown_payload(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """The payload as callers see it, without our own fields."""
    payload = dict(stored or {})
    for name in STATE_FIELDS:
        payload.pop(name, None)
    return payload


def held_of(stored: Mapping[str, Any] | None) -> Held:
    payload = stored or {}
    return Held(int(payload.get(VERSION_FIELD, 0)), bool(payload.get(LIVE_FIELD, 1)))


def hashes_of(stored: Mapping[str, Any] | None) -> Hashes:
    payload = stored or {}
    return Hashes(str(payload.get("content_hash", "")), str(payload.get("payload_hash", "")))


def page_after(urns: Iterable[str], after: str | None, limit: int) -> list[str]:
    """The first `limit` of the urns above `after`, rising."""
    return heapq.nsmallest(limit, (urn for urn in urns if after is None or urn > after))
