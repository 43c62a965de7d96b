"""How an operation becomes a stored point; pure, and the same for every engine.

A stored payload has the urn, the two hashes, the document's numbers, and

- `_facts`, the words by which it is filtered (see `conditions`);
- `_document`, the whole payload, which is what callers get back: as JSON text in the embedded
  engine, whose Python binding converts one long string a hundred times faster than a tree;
- `_version`, the fencing token of the last write.

A deletion leaves a *tombstone*: a point without vectors, `_facts` = `_dead`. It keeps a worker
that slept through its lease from putting the entity back. No answer ever shows one; engines drop
those older than `TOMBSTONE_MS` when they open.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from dataspoke.core.index.conditions import facts_of, numbers_of
from dataspoke.core.index.model import (
    DeletePoint,
    Hashes,
    IndexOp,
    SetPayload,
    StoredPoint,
    UpsertPoint,
)
from dataspoke.core.index.spec import DOCUMENT_FIELD, FACTS_FIELD, SOURCE_FIELD, VERSION_FIELD

TOMBSTONE_MS = 24 * 60 * 60 * 1000
STATE_FIELDS = (VERSION_FIELD, "content_hash", "payload_hash", SOURCE_FIELD)
LIVE_FACT = "_live"
DEAD_FACT = "_dead"


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


def stored_payload(op: UpsertPoint | SetPayload, *, as_text: bool) -> dict[str, Any]:
    """The payload as the engine keeps it; `as_text` writes the document as JSON text."""
    hashes = {
        "content_hash": op.hashes.content_hash,
        "payload_hash": op.hashes.payload_hash,
    }
    document = {**op.payload, "urn": op.urn, **hashes}
    facts = facts_of({field: value for field, value in op.payload.items() if field not in hashes})
    return {
        **numbers_of(op.payload),
        "urn": op.urn,
        **hashes,
        SOURCE_FIELD: op.hashes.source,
        VERSION_FIELD: op.version,
        FACTS_FIELD: [LIVE_FACT, *facts],
        DOCUMENT_FIELD: orjson.dumps(document).decode() if as_text else document,
    }


def tombstone_payload(op: DeletePoint) -> dict[str, Any]:
    return {"urn": op.urn, VERSION_FIELD: op.version, FACTS_FIELD: [DEAD_FACT]}


def shown_payload(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """The payload as it was written, with its hashes."""
    document = (stored or {})[DOCUMENT_FIELD]
    payload: dict[str, Any] = orjson.loads(document) if isinstance(document, str) else document
    return payload


def held_of(stored: Mapping[str, Any] | None) -> Held:
    """Needs the fields `STATE_FIELDS`; a tombstone has no content hash."""
    payload = stored or {}
    return Held(int(payload.get(VERSION_FIELD, 0)), "content_hash" in payload)


def stored_point(id_: str, stored: Mapping[str, Any] | None) -> StoredPoint:
    """Needs the document and the fields `STATE_FIELDS`."""
    held = held_of(stored)
    return StoredPoint(id_, held.version, shown_payload(stored) if held.live else None)


def hashes_of(stored: Mapping[str, Any] | None) -> Hashes:
    payload = stored or {}
    fields = ("content_hash", "payload_hash", SOURCE_FIELD)
    return Hashes(*(str(payload.get(name, "")) for name in fields))


def page_after(urns: Iterable[str], after: str | None, limit: int) -> list[str]:
    """The first `limit` of the urns above `after`, rising."""
    return heapq.nsmallest(limit, (urn for urn in urns if after is None or urn > after))


def sorted_pages(
    urns: Iterable[str], hashes: Callable[[Sequence[str]], dict[str, Hashes]], batch: int
) -> Iterator[dict[str, Hashes]]:
    """Pages of `batch` urns, rising; an engine has no order of its own but that of ids.

    Holds all urns, about 200 bytes each, and asks for the hashes page by page.
    """
    everything = sorted(urns)
    for start in range(0, len(everything), batch):
        part = everything[start : start + batch]
        found = hashes(part)
        if page := {urn: found[urn] for urn in part if urn in found}:
            yield page
