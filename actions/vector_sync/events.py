"""`ChangeEvent`: one metadata change as this action reads it, whatever transport brought it.

The framework hands over objects of generated classes. We take five fields and the raw aspect
bytes, and parse those only where a decision needs them: the typed classes cost twenty times
as much. Text in an event may be mis-encoded (`datahub-cloud` delivers UTF-8 read as Latin-1),
so that values serve comparisons only; what gets indexed is always read fresh.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dataspoke.core.errors import SkippableError

MCL_TYPE = "MetadataChangeLogEvent_v1"
NO_RUN_ID = "no-run-id-provided"

_EXCERPT = 500


@dataclass(frozen=True)
class ChangeEvent:
    """A change of one aspect of one entity; `created_ms` is UTC, 0 when the event has no stamp.

    `run_id` is empty for changes that no connector run made.
    """

    entity_type: str
    urn: str
    aspect: str
    change_type: str
    run_id: str = ""
    actor: str = ""
    created_ms: int = 0
    raw_value: bytes | None = None
    raw_previous: bytes | None = None

    @cached_property
    def value(self) -> Mapping[str, Any] | None:
        """The aspect after the change; None when it was deleted. Raises SkippableError."""
        return self._parse(self.raw_value)

    @cached_property
    def previous(self) -> Mapping[str, Any] | None:
        """The aspect before the change; None when unknown or new. Raises SkippableError."""
        return self._parse(self.raw_previous)

    def _parse(self, raw: bytes | None) -> Mapping[str, Any] | None:
        if not raw:
            return None
        try:
            parsed = json.loads(raw)
        except ValueError as exc:
            raise SkippableError(
                f"Cannot read the change of {self.aspect} of {self.urn}: its value is no JSON "
                f"({exc})."
            ) from exc
        if not isinstance(parsed, dict):
            raise SkippableError(
                f"Cannot read the change of {self.aspect} of {self.urn}: its value is a "
                f"{type(parsed).__name__}, not an object."
            )
        return parsed


def change_event(event_type: str, event: Any) -> ChangeEvent | None:
    """What the framework's envelope says, or None for events of other types.

    Raises SkippableError for a metadata change that names no entity or no aspect.
    """
    if event_type != MCL_TYPE:
        return None
    try:
        entity_type = event.entityType
        urn = event.entityUrn
        aspect = event.aspectName
        change_type = event.changeType
        value, previous = event.aspect, event.previousAspectValue
        system, created = event.systemMetadata, event.created
        change = ChangeEvent(
            entity_type=entity_type,
            urn=urn,
            aspect=aspect,
            change_type=str(change_type),
            run_id=_run_id(system),
            actor=created.actor if created is not None else "",
            created_ms=created.time if created is not None else 0,
            raw_value=_bytes(value),
            raw_previous=_bytes(previous),
        )
    except (AttributeError, TypeError, ValueError) as exc:
        raise SkippableError(f"Cannot read a change event: {exc}.") from exc
    for name, found in (("entityType", entity_type), ("entityUrn", urn), ("aspectName", aspect)):
        if not isinstance(found, str) or not found:
            raise SkippableError(f"Cannot read a change event: it has no {name}.")
    return change


def excerpt(event: Any) -> dict[str, Any]:
    """What a dead letter keeps of an event: enough to recognise it, never the whole value."""
    return {
        name: str(getattr(event, name, None))[:_EXCERPT]
        for name in ("entityType", "entityUrn", "aspectName", "changeType", "aspect")
    }


def _run_id(system: Any) -> str:
    run_id = system.runId if system is not None else None
    return "" if run_id is None or run_id == NO_RUN_ID else str(run_id)


def _bytes(generic: Any) -> bytes | None:
    if generic is None:
        return None
    value = generic.value
    return value.encode() if isinstance(value, str) else bytes(value)
