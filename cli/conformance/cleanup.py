"""Takes away what a run has made, exactly that, and proves that it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataspoke.cli.conformance.context import entity_type_of
from dataspoke.cli.conformance.expect import message_of, shown
from dataspoke.cli.conformance.http import Http
from dataspoke.cli.conformance.model import NotPermitted
from dataspoke.core.urns import key_aspect_of

_CHUNK = 100
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was deleted, and what could not be, with the server's reason."""

    deleted: int
    left: dict[str, str]


def clean(http: Http, urns: Sequence[str], wait: Callable[[float], None] = time.sleep) -> Cleaned:
    """Delete these entities for good, the newest first, until none of them is there.

    DataHub reacts to some deletions late and may write to what is gone (the summary of
    incidents of a dataset), so that it looks again after a pause, and deletes again.
    Raises ServerGone and NotPermitted as the server does.
    """
    deleted: set[str] = set()
    reasons: dict[str, str] = {}
    there = existing(http, urns)
    for round_number in range(_ROUNDS):
        for urn in reversed(there):
            reason = _delete(http, urn)
            if reason is None:
                deleted.add(urn)
            else:
                reasons[urn] = reason
        wait(0.5 * 2**round_number)
        there = existing(http, urns)
        if not there:
            break
    left = {urn: reasons.get(urn, "it came back after it was deleted") for urn in there}
    return Cleaned(len(deleted), left)


def existing(http: Http, urns: Sequence[str]) -> list[str]:
    """Which of these are in the primary store, in their order."""
    by_type: dict[str, list[str]] = {}
    for urn in urns:
        by_type.setdefault(entity_type_of(urn), []).append(urn)
    there: set[str] = set()
    for entity_type, group in by_type.items():
        for start in range(0, len(group), _CHUNK):
            there.update(_existing(http, entity_type, group[start : start + _CHUNK]))
    return [urn for urn in urns if urn in there]


def _existing(http: Http, entity_type: str, urns: Sequence[str]) -> set[str]:
    key = key_aspect_of(entity_type)
    path = f"/openapi/v3/entity/{entity_type}/batchGet"
    reply = http.post(path, [{"urn": urn, key: {}} for urn in urns])
    if reply.ok:
        return {entity["urn"] for entity in reply.body}
    if len(urns) > 1:
        return {urn for one in urns for urn in _existing(http, entity_type, [one])}
    # What DataHub calls no urn was never written; any other refusal tells nothing.
    return set() if reply.status == 400 else set(urns)


def _delete(http: Http, urn: str) -> str | None:
    """Delete an entity; None, or why it could not be."""
    try:
        reply = http.post("/entities", {"urn": urn}, action="delete")
    except NotPermitted as exc:
        return str(exc)
    return None if reply.ok else f"HTTP {reply.status}, {shown(message_of(reply.body))}"
