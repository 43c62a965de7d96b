"""What a REST request asks to be allowed: its path, action and body in terms of privileges. Pure.

Writes of aspects are not here: they are checked where all protocols meet, as proposals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from dataspoke.local_hub.access.privileges import (
    CHANGE_LOG_EVENTS,
    COUNTS,
    DELETE,
    ENTITY,
    EXISTS,
    GUARDED_READS,
    LINEAGE,
    PLATFORM_EVENTS,
    PRODUCE_EVENTS,
    READ,
    RELATIONSHIP,
    RESTORE_INDICES,
    SYSTEM,
    TIMELINE,
    TIMESERIES,
    USAGE,
    AnyOf,
    operation,
)
from dataspoke.local_hub.mcl import PLATFORM_TOPIC

_MOST_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Ask:
    """One of the privileges is needed, on `urn` if there is one. `verb` is for the refusal."""

    privileges: AnyOf
    urn: str | None = None
    verb: str = READ


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the rules below see it; `parts` are the decoded groups of the path."""

    method: str
    parts: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: Any

    def one(self, name: str) -> str | None:
        """A parameter of the query, the first if it is repeated."""
        return next(iter(self.query.get(name, ())), None)

    def field(self, name: str) -> str | None:
        """A text of the body."""
        value = self.body.get(name) if isinstance(self.body, Mapping) else None
        return value if isinstance(value, str) else None


def on_entity(urn: str, name: str) -> Ask:
    """READ, CREATE, UPDATE, DELETE or EXISTS of an entity."""
    parts = urn.split(":", 3)
    return Ask(operation(name, parts[2] if len(parts) > 2 else ""), urn, name)


def _entity(call: Call) -> Iterator[Ask]:
    urn = call.parts["urn"]
    verb = {"HEAD": EXISTS, "GET": READ, "DELETE": DELETE}.get(call.method)
    if verb is None:
        return
    yield on_entity(urn, verb)
    aspect = call.parts.get("aspect") or call.one("aspect")
    if aspect is not None and aspect in GUARDED_READS:
        yield Ask(GUARDED_READS[aspect])


def _named(call: Call) -> Iterator[Ask]:
    """Entities that a body or the query names."""
    verb = DELETE if call.method == "DELETE" else READ
    found = list(_urns_in(call.body, 0))
    for name in ("urns", "ids", "urn"):
        for text in call.query.get(name, ()):
            found.extend(
                re.findall(r"urn:li:\w+:(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|[^,()]+)", text)
            )
    return (on_entity(urn, verb) for urn in found)


def _urns_in(body: Any, depth: int) -> Iterator[str]:
    if depth > _MOST_DEPTH:
        return
    if isinstance(body, list):
        for item in body:
            yield from _urns_in(item, depth + 1)
    elif isinstance(body, Mapping):
        urn = body.get("urn")
        if isinstance(urn, str):
            yield urn
        else:
            for item in body.values():
                yield from _urns_in(item, depth + 1)


def _one(privileges: AnyOf, name: str = "urn") -> Callable[[Call], Iterable[Ask]]:
    """The privileges on the entity that a part of the path, the query or the body names."""

    def asks(call: Call) -> Iterable[Ask]:
        return [Ask(privileges, call.parts.get(name) or call.one(name) or call.field(name))]

    return asks


def _general(privileges: AnyOf) -> Callable[[Call], Iterable[Ask]]:
    """The privileges without any resource."""
    return lambda _: [Ask(privileges)]


def _delete(call: Call) -> Iterable[Ask]:
    return [on_entity(call.field("urn") or "", DELETE)]


def _trace(call: Call) -> Iterable[Ask]:
    return [on_entity(urn, READ) for urn in call.body] if isinstance(call.body, Mapping) else []


def _lineage(call: Call) -> Iterable[Ask]:
    urns = call.body.get("urns") if isinstance(call.body, Mapping) else None
    return [Ask(LINEAGE, urn) for urn in urns or () if isinstance(urn, str)] or [Ask(LINEAGE)]


def _events(call: Call) -> Iterable[Ask]:
    platform = call.one("topic") == PLATFORM_TOPIC
    return [Ask(PLATFORM_EVENTS if platform else CHANGE_LOG_EVENTS)]


_ACTIONS: Mapping[tuple[str, str], Callable[[Call], Iterable[Ask]]] = {
    ("aspects", "getTimeseriesAspectValues"): _one(TIMESERIES),
    ("aspects", "getCount"): _general(COUNTS),
    ("aspects", "restoreIndices"): _general((RESTORE_INDICES, *SYSTEM)),
    ("entities", "listUrns"): _general(ENTITY[READ]),
    ("entities", "delete"): _delete,
    ("entities", "deleteReferences"): _delete,
    ("entities", "exists"): _one(ENTITY[EXISTS]),
    ("entities", "getBrowsePaths"): _one(ENTITY[READ]),
    ("entities", "getTotalEntityCount"): _general(COUNTS),
    ("entities", "batchGetTotalEntityCount"): _general(COUNTS),
    ("analytics", "getTimeseriesStats"): _general(TIMESERIES),
    ("usageStats", "query"): _one(USAGE, "resource"),
    ("usageStats", "queryRange"): _one(USAGE, "resource"),
    ("runs", "list"): _general(ENTITY[READ]),
    ("runs", "describe"): _general(ENTITY[READ]),
    ("runs", "rollback"): _general(ENTITY[DELETE]),
    ("platform", "producePlatformEvent"): _general(PRODUCE_EVENTS),
    ("operations", "restoreIndices"): _general((RESTORE_INDICES, *SYSTEM)),
}
# What may be done by everybody: searches show what may be seen, and writes are checked as such.
_FREE_ACTIONS = frozenset(
    {
        ("aspects", "ingestProposal"),
        ("aspects", "ingestProposalBatch"),
        ("entities", "search"),
        ("entities", "searchAcrossEntities"),
        ("entities", "scrollAcrossEntities"),
        ("entities", "filter"),
        ("entities", "list"),
        ("entities", "autocomplete"),
        ("entities", "ingest"),
        ("entities", "batchIngest"),
    }
)


def _action(call: Call) -> Iterable[Ask]:
    if call.method == "GET":
        return _named(call)
    key = (call.parts["resource"], call.one("action") or "")
    if key in _FREE_ACTIONS:
        return []
    return _ACTIONS.get(key, _general(SYSTEM))(call)


_Rule = tuple[re.Pattern[str], Callable[[Call], Iterable[Ask]]]


def _rule(pattern: str, asks: Callable[[Call], Iterable[Ask]]) -> _Rule:
    return re.compile(pattern), asks


_RULES: tuple[_Rule, ...] = (
    _rule(r"/openapi/v[23]/entity/scroll", lambda _: []),
    _rule(r"/openapi/v[23]/entity/(?:[^/]+/batchGet|batch/[^/]+)", _named),
    _rule(r"/openapi/v[23]/entity/[^/]+/(?P<urn>[^/]+)(?:/(?P<aspect>[^/]+))?", _entity),
    _rule(r"/openapi/entities/v1(?:/latest)?", _named),
    _rule(r"/(?:entities|entitiesV2|aspects)/(?P<urn>[^/]+)", _entity),
    _rule(r"/entitiesV2", _named),
    _rule(r"/(?:openapi/relationships/v1|relationships)", _one(RELATIONSHIP)),
    _rule(r"/openapi/v[23]/relationship/.*", _general(RELATIONSHIP)),
    _rule(r"/openapi/v3/lineage/scroll", _lineage),
    _rule(r"/openapi/(?:v1/timeline|v2/timeline/v1|timeline/v1)/(?P<urn>[^/]+)", _one(TIMELINE)),
    _rule(r"/openapi/v2/timeseries/.*", _general(TIMESERIES)),
    _rule(r"/openapi/v1/trace/write/.*", _trace),
    _rule(r"/openapi/v1/events/poll", _events),
    _rule(r"/openapi/operations/identity/user/urn", lambda _: []),
    _rule(r"/openapi/operations/.*", _general(SYSTEM)),
    _rule(r"/openapi/v1/system-info.*", _general(SYSTEM)),
    _rule(
        r"/(?P<resource>analytics|aspects|entities|usageStats|runs|platform|operations)", _action
    ),
)


def asks_of(method: str, path: str, query: Mapping[str, list[str]], body: Any) -> list[Ask]:
    """What the request needs; `path` still has its percent-escapes."""
    for pattern, asks in _RULES:
        found = pattern.fullmatch(path)
        if found is not None:
            parts = {name: unquote(text) for name, text in found.groupdict().items() if text}
            return list(asks(Call(method, parts, query, body)))
    return []
