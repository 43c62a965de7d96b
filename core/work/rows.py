"""How work and dead letters are written into rows and read from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dataspoke.core.errors import SkippableError
from dataspoke.core.store.texts import MAX_KEY_BYTES, is_key, storable
from dataspoke.core.work.model import Claim, DeadLetter, Work


def work_to_row(item: Work, now: int) -> tuple[Any, ...]:
    """Raises SkippableError if the key cannot be stored."""
    key = item.key
    if not is_key(key):
        raise SkippableError(
            f"Cannot keep {item.kind} work for {storable(key)[:200]!r}: the key is longer than "
            f"{MAX_KEY_BYTES} bytes or holds a character that is no text. Correct the urn."
        )
    payload = dump(item.payload) if item.payload else "{}"
    due = item.not_before
    return (item.kind, key, item.point, int(item.priority), due, due, payload, now)


def row_to_claim(row: Sequence[Any]) -> Claim:
    row_id, kind, key, point, priority, not_before, payload, generation, token, tries, since = row
    work = Work(kind, key, point, priority, not_before, json.loads(payload))
    return Claim(work, generation, token or 0, tries, since, row_id)


def row_to_letter(row: Sequence[Any]) -> DeadLetter:
    row_id, kind, key, point, payload, reason, error_type, attempts, failed_at = row
    payload = json.loads(payload)
    return DeadLetter(row_id, kind, key, point, payload, reason, error_type, attempts, failed_at)


def dump(payload: Mapping[str, Any]) -> str:
    """ASCII JSON: escapes keep what PostgreSQL's text type would refuse."""
    return json.dumps(payload, separators=(",", ":"), default=str)
