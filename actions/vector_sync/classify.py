"""Which changes matter to the index, and how urgently. Pure.

Two kinds of work come out: `sync` looks at the entity itself, `fanout` at all documents that
name it. A fan-out is worth its cost only when a name really changed, which the event tells
when it carries the previous value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.actions.vector_sync.events import ChangeEvent
from dataspoke.core.entities import SEARCHABLE_ENTITY_TYPES
from dataspoke.core.errors import SkippableError
from dataspoke.core.hub.shapes import aspects_of, name_aspects_of, name_from
from dataspoke.core.urns import key_aspect_of, last_part
from dataspoke.core.work.model import Priority, Work

SYNC = "sync"
FANOUT = "fanout"
KINDS = (SYNC, FANOUT)

SHOWN_AFTER_MS = 5_000
"""How long after its event a point of a timeseries is read: GMS keeps these in a search index,
which shows what is new a moment later."""

DELETED = "deleted"
"""Payload key of a `sync` row: a delete event said so, which is evidence for the fail-safe."""

_POINTS = frozenset(
    {"datasetUsageStatistics", "dashboardUsageStatistics", "chartUsageStatistics", "operation"}
)
_NAMING_TYPES = ("corpuser", "corpGroup", "structuredProperty", "ownershipType")
"""Types that have no document of their own and give names to those of others."""

_SYNC_ASPECTS = {
    entity_type: frozenset(aspects_of(entity_type)) for entity_type in SEARCHABLE_ENTITY_TYPES
}
_NAME_ASPECTS = {
    entity_type: frozenset(name_aspects_of(entity_type))
    for entity_type in (*_NAMING_TYPES, *SEARCHABLE_ENTITY_TYPES)
}


def relevant_aspects() -> dict[str, tuple[str, ...]]:
    """Entity type → the aspects whose changes make work; what recipes filter by."""
    return {
        entity_type: tuple(
            sorted({key_aspect_of(entity_type), *names, *_SYNC_ASPECTS.get(entity_type, ())})
        )
        for entity_type, names in _NAME_ASPECTS.items()
    }


def classify(event: ChangeEvent) -> tuple[Work, ...]:
    """The work that one change makes; empty when the index does not care.

    Raises SkippableError when the event's value is needed and cannot be read.
    """
    entity_type, aspect = event.entity_type, event.aspect
    name_aspects = _NAME_ASPECTS.get(entity_type)
    if name_aspects is None:
        return ()
    shown = _SYNC_ASPECTS.get(entity_type)
    deleted = event.change_type == "DELETE" and aspect == key_aspect_of(entity_type)
    kinds = []
    if shown is not None and aspect in shown:
        kinds.append(SYNC)
    if deleted or (aspect in name_aspects and _name_changed(event)):
        kinds.append(FANOUT)
    payload = {DELETED: True} if deleted else {}
    point = aspect in _POINTS
    priority = Priority.BACKFILL if point else priority_of(event)
    due = event.created_ms + SHOWN_AFTER_MS if point and event.created_ms else 0
    return tuple(
        Work(
            kind,
            event.urn,
            priority=priority,
            not_before=due,
            payload=payload if kind == SYNC else {},
        )
        for kind in kinds
    )


def rescue(event: ChangeEvent) -> tuple[Work, ...]:
    """The work of an event whose value cannot be read: its entity is read fresh anyway."""
    if event.entity_type not in _SYNC_ASPECTS:
        return ()
    return (Work(SYNC, event.urn, priority=priority_of(event)),)


def priority_of(event: ChangeEvent) -> Priority:
    """Who waits: people edit without a run id, restores replay what is long known."""
    if event.change_type == "RESTATE":
        return Priority.BACKFILL
    return Priority.INGEST if event.run_id else Priority.EDIT


def _name_changed(event: ChangeEvent) -> bool:
    new = _name(event, event.value)
    if event.raw_previous:
        return _name(event, event.previous) != new
    if event.change_type == "RESTATE":
        return False
    # Without a previous value the entity is new, as a rule. Documents that already refer to it
    # show the last part of its urn: the same name again changes nothing.
    return new not in ("", _plain_name(event.urn))


def _name(event: ChangeEvent, value: Mapping[str, Any] | None) -> str:
    return name_from(event.entity_type, {event.aspect: {"value": value}})


def _plain_name(urn: str) -> str:
    try:
        return last_part(urn)
    except SkippableError:
        return ""
