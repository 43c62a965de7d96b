"""Entity change events: what changed between two values of an aspect, as GMS tells it.

A change is a mapping with `category`, `operation` and, if there are any, `modifier` and
`parameters`; one that concerns another entity (a column) brings its own `entityType` and
`entityUrn`. On the wire each is the payload of a PlatformEvent, as a JSON text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from dataspoke.local_hub.mcl import PLATFORM_TOPIC
from dataspoke.local_hub.new_schema import new_columns
from dataspoke.local_hub.timeline.columns import COLUMN_DIFFERS
from dataspoke.local_hub.timeline.differ import DIFFERS
from dataspoke.local_hub.timeline.model import ChangeEvent
from dataspoke.local_hub.transaction import Event

Aspect = Mapping[str, Any]
Change = dict[str, Any]


def entity_change_events(
    entity_type: str, urn: str, changes: Iterable[Mapping[str, Any]], *, actor: str, now: int
) -> list[Event]:
    """PlatformEvents, each with one change; `now` in UTC ms."""
    dumps = orjson.dumps
    members = (
        ("entityUrn" not in change, dumps(dumps(change)[1:-1].decode())[1:-1].decode())
        for change in changes
    )
    return _enveloped(entity_type, urn, members, actor, now)


def told(
    entity_type: str,
    urn: str,
    aspect_name: str,
    old: Aspect | None,
    new: Aspect | None,
    *,
    is_key: bool,
    actor: str,
    now: int,
) -> list[Event]:
    """The PlatformEvents that lead from `old` to `new`; None is an absent aspect."""
    if not has_change_events(aspect_name, is_key=is_key):
        return []
    if old is None and new is not None and aspect_name == "schemaMetadata":
        columns = new_columns(urn, new)
        if columns is not None:
            return _enveloped(entity_type, urn, columns, actor, now)
    changes = compare(urn, aspect_name, old, new, is_key=is_key)
    return entity_change_events(entity_type, urn, changes, actor=actor, now=now)


def _enveloped(
    entity_type: str, urn: str, changes: Iterable[tuple[bool, str]], actor: str, now: int
) -> list[Event]:
    """What the events of one write have in common is encoded once."""
    head = (
        f'{{"header":{{"timestampMillis":{now}}},"name":"entityChangeEvent","payload":{{"value":"{{'
    )
    about = f"{head}{_inner({'entityUrn': urn, 'entityType': entity_type})},"
    tail = (
        _inner({"auditStamp": {"actor": actor, "time": now}, "version": 0}).join((",", '}"'))
        + ',"contentType":"application/json"}}'
    )
    return [
        (PLATFORM_TOPIC, urn, now, f"{about if own else head}{members}{tail}")
        for own, members in changes
    ]


def _inner(value: Mapping[str, Any]) -> str:
    """The members of an object as they are written within a JSON text within JSON."""
    return orjson.dumps(orjson.dumps(value)[1:-1].decode())[1:-1].decode()


def compare(
    urn: str, aspect_name: str, old: Aspect | None, new: Aspect | None, *, is_key: bool
) -> Iterator[Change]:
    """The entity change events that lead from `old` to `new`; None is an absent aspect."""
    if is_key:
        if old is None and new is not None:
            yield _change("LIFECYCLE", "CREATE")
        elif new is None:
            yield _change("LIFECYCLE", "HARD_DELETE")
        return
    differ = _DIFFERS.get(aspect_name)
    if differ is not None:
        for event in differ(urn, old or {}, new or {}):
            yield _told(urn, event)
        return
    generator = _GENERATORS.get(aspect_name)
    if generator is not None:
        yield from generator(urn, old or {}, new or {})


def has_change_events(aspect_name: str, *, is_key: bool) -> bool:
    """Whether a change of this aspect can make entity change events at all."""
    return is_key or aspect_name in _DIFFERS or aspect_name in _GENERATORS


def _told(urn: str, event: ChangeEvent) -> Change:
    """A change of a column's details is an event of the column."""
    subject, category, operation, _, _, modifier, parameters = event
    change: Change = {"category": category, "operation": operation}
    if modifier is not None:
        change["modifier"] = modifier
    if parameters:
        change["parameters"] = parameters
    if subject != urn:
        change["entityType"] = "schemaField"
        change["entityUrn"] = subject
    return change


def _change(
    category: str,
    operation: str,
    modifier: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Change:
    change: Change = {"category": category, "operation": operation}
    if modifier is not None:
        change["modifier"] = modifier
    if parameters:
        change["parameters"] = parameters
    return change


def _status(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    # GMS does not look at what was before: each written status is one or the other.
    yield _change("LIFECYCLE", "SOFT_DELETE" if new.get("removed") else "REINSTATE")


def _deprecation(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    before, after = bool(old.get("deprecated")), bool(new.get("deprecated"))
    if before != after:
        status = "DEPRECATED" if after else "ACTIVE"
        yield _change("DEPRECATION", "MODIFY", status, {"status": status})


def _incident(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    before = (old.get("status") or {}).get("state")
    after = (new.get("status") or {}).get("state")
    if after is not None and before != after:
        parameters = {"entities": new.get("entities") or [], "state": after}
        yield _change("INCIDENT", after, None, parameters)


def _run(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    operation = {"STARTED": "STARTED", "COMPLETE": "COMPLETED"}.get(str(new.get("status")))
    if operation is None:
        return
    parameters: dict[str, Any] = {"attempt": new.get("attempt", 1)}
    result = (new.get("result") or {}).get("type")
    if result:
        parameters["runResult"] = result
    yield _change("RUN", operation, None, parameters)


def _assertion_run(urn: str, old: Aspect, new: Aspect) -> Iterator[Change]:
    if new.get("status") != "COMPLETE":
        return
    result = (new.get("result") or {}).get("type")
    parameters = {
        "runResult": result,
        "runId": new.get("runId"),
        "asserteeUrn": new.get("asserteeUrn"),
    }
    yield _change("RUN", "COMPLETED", None, parameters)


# Beside what the timeline tells; these aspects are no part of it.
_GENERATORS: dict[str, Callable[[str, Aspect, Aspect], Iterator[Change]]] = {
    "status": _status,
    "deprecation": _deprecation,
    "incidentInfo": _incident,
    "dataProcessInstanceRunEvent": _run,
    "assertionRunEvent": _assertion_run,
}
_DIFFERS = {
    name: differ
    for name, differ in {**DIFFERS, **COLUMN_DIFFERS}.items()
    # GMS tells of these in the timeline alone.
    if name not in ("glossaryRelatedTerms", "applications", "domainProperties")
}
