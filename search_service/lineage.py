"""What a filter on lineage leads to, looked up in the index.

A step leads from data to data: charts, dashboards and jobs on the way belong to it and are passed
through, so that the tables behind a dashboard are found behind its charts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dataspoke.core.documents.keys import KEYS_FIELD, key
from dataspoke.core.index.model import Condition, Payload, VectorIndex, point_id
from dataspoke.search_service.filters import Filter

MOST = 5_000
"""Entities that one filter leads to at most; the nearest are kept."""

_MOST_STEPS = 50
_DATASET = "urn:li:dataset:"


def lineage_condition(
    given: Filter, index: VectorIndex, rights: Sequence[Condition] = ()
) -> Condition:
    """The entities upstream or downstream of those that `given` names by urn or by name.

    What the caller has no right to see neither leads anywhere nor is led to.
    """
    names = [str(value) for value in given.values]
    known = {name for name in names if name.startswith("urn:li:")}
    keys = tuple(key("name", name) for name in names if name not in known)
    ids = [point_id(urn) for urn in known]
    if keys:
        ids += index.matching([*rights, Condition(KEYS_FIELD, "in", keys)], limit=MOST)
    roots = _visible(ids, index, rights)
    found = _led_to(given, roots, index, rights)
    return Condition("urn", "in", tuple(found), given.negated)


def _led_to(
    given: Filter, roots: Iterable[Payload], index: VectorIndex, rights: Sequence[Condition]
) -> list[str]:
    frontier = list(roots)
    begun = {str(payload["urn"]) for payload in frontier}
    found: dict[str, None] = {}
    for _ in range(_MOST_STEPS):
        if not frontier or len(found) >= MOST:
            break
        if given.field == "upstream_of":
            urns = {str(urn) for payload in frontier for urn in payload["upstreams"]}
            ids = [point_id(urn) for urn in sorted(urns)]
        else:
            sources = tuple(str(payload["urn"]) for payload in frontier)
            ids = index.matching([*rights, Condition("upstreams", "in", sources)], limit=MOST)
        reached = [
            payload
            for payload in _visible(ids, index, rights)
            if payload["urn"] not in found and payload["urn"] not in begun
        ]
        found |= dict.fromkeys(str(payload["urn"]) for payload in reached)
        frontier = [p for p in reached if given.op == "all" or not p["urn"].startswith(_DATASET)]
    return list(found)[:MOST]


def _visible(ids: Sequence[str], index: VectorIndex, rights: Sequence[Condition]) -> list[Payload]:
    if rights and ids:
        ids = index.matching(rights, limit=len(ids), among=ids)
    return list(index.fetch(ids).values())
