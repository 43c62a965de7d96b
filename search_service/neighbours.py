"""What a hit is shown with: lineage up and down, and its copies, as far as the caller may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dataspoke.core.index.model import Condition, Payload, VectorIndex, point_id
from dataspoke.search_service.roster import Roster, RosterRow, copies_fact, upstream_fact

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Neighbour:
    urn: str
    name: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`upstreams` and `downstreams` are at most `SHOWN`; `copies` are all others of the group,
    by qualified name."""

    upstreams: tuple[Neighbour, ...] = ()
    downstreams: tuple[Neighbour, ...] = ()
    copies: tuple[RosterRow, ...] = ()


def surroundings(
    payloads: Sequence[Payload],
    roster: Roster,
    index: VectorIndex,
    *,
    rights: Sequence[Condition],
    hard: Sequence[Condition],
) -> list[Surroundings]:
    """Of each payload. Neighbours are under `rights` alone, copies under all `hard` conditions,
    which include them. Asks the index only where there is something to check."""
    below = [roster.holding(upstream_fact(payload["urn"])) for payload in payloads]
    alike = [_copies(payload, roster) for payload in payloads]
    above = [point_id(urn) for payload in payloads for urn in _ups(payload)[:SHOWN]]
    own_below = [point_id(urn) for payload in payloads for urn in _downs(payload)[:SHOWN]]
    seen = _visible(index, rights, [*above, *own_below, *(one for ids in below for one in ids)])
    hits = _visible(index, hard, [one for ids in alike for one in ids])
    found = []
    for payload, lower, others in zip(payloads, below, alike, strict=True):
        rows = roster.rows([*_kept(lower, seen)[:SHOWN], *_kept(others, hits)])
        copies = [rows[one] for one in _kept(others, hits) if one in rows]
        named = [Neighbour(rows[i].urn, rows[i].name) for i in _kept(lower, seen) if i in rows]
        stated = _stated(payload, "downstreams", "downstream_names", seen)
        found.append(
            Surroundings(
                tuple(_stated(payload, "upstreams", "upstream_names", seen)[:SHOWN]),
                tuple(dict.fromkeys([*stated, *named]))[:SHOWN],
                tuple(sorted(copies, key=lambda row: (row.qualified_name, row.urn))),
            )
        )
    return found


def limited(payload: Payload, around: Surroundings) -> Payload:
    """The payload without the names of neighbours that the caller may not see."""
    return {
        **payload,
        "upstreams": [one.urn for one in around.upstreams],
        "upstream_names": [one.name for one in around.upstreams],
        "downstreams": [one.urn for one in around.downstreams],
        "downstream_names": [one.name for one in around.downstreams],
        "related": [],
        "related_names": [],
    }


def _copies(payload: Payload, roster: Roster) -> list[str]:
    group = payload.get("copies_key")
    if not group:
        return []
    own = point_id(payload["urn"])
    return [one for one in roster.holding(copies_fact(group)) if one != own]


def _visible(
    index: VectorIndex, conditions: Sequence[Condition], ids: Sequence[str]
) -> set[str] | None:
    """Those under the conditions; None for all, where there is no condition."""
    if not conditions:
        return None
    if not ids:
        return set()
    distinct = list(dict.fromkeys(ids))
    return set(index.matching(conditions, limit=len(distinct), among=distinct))


def _kept(ids: Iterable[str], visible: set[str] | None) -> list[str]:
    return [one for one in ids if visible is None or one in visible]


def _stated(payload: Payload, urns: str, names: str, visible: set[str] | None) -> list[Neighbour]:
    pairs = zip(payload.get(urns) or (), payload.get(names) or (), strict=False)
    return [
        Neighbour(urn, name) for urn, name in pairs if visible is None or point_id(urn) in visible
    ]


def _ups(payload: Payload) -> Sequence[str]:
    return payload.get("upstreams") or ()


def _downs(payload: Payload) -> Sequence[str]:
    return payload.get("downstreams") or ()
