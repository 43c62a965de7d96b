"""Relationships between entities, read from the search index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.search_store import SearchStore
from dataspoke.local_hub.urns import Urn

OUTGOING, INCOMING, UNDIRECTED = "OUTGOING", "INCOMING", "UNDIRECTED"

# A row whose other end is soft-deleted is not shown.
_VISIBLE = "NOT EXISTS (SELECT 1 FROM doc WHERE doc.urn = {other} AND doc.removed = 1)"


@dataclass(frozen=True, slots=True)
class Related:
    """A neighbour and how it is related."""

    urn: str
    kind: str


@dataclass(frozen=True, slots=True)
class Relation:
    """One relationship."""

    source: str
    kind: str
    destination: str


@dataclass(frozen=True, slots=True)
class Reached:
    """What lineage leads to: in how many hops, and by what path, both ends and vias included."""

    urn: str
    degree: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ends:
    """Which ends relationships must have; None and no types mean any.

    With `either` it is enough that one end is among the urns.
    """

    sources: Sequence[str] | None = None
    destinations: Sequence[str] | None = None
    source_types: Sequence[str] = ()
    destination_types: Sequence[str] = ()
    either: bool = False


def related(
    store: SearchStore,
    urn: str,
    direction: str,
    kinds: Sequence[str],
    start: int,
    count: int,
) -> tuple[int, list[Related]]:
    """How many neighbours there are, and a page of them, in the order of their urns."""
    own, other = ("destination", "source") if direction == INCOMING else ("source", "destination")
    marks = ", ".join("?" for _ in kinds)
    condition = (
        f"{own} = ?{f' AND kind IN ({marks})' if kinds else ''} "
        f"AND {_VISIBLE.format(other='edge.' + other)}"
    )
    with store.reader() as connection:
        total = connection.execute(
            f"SELECT count(*) FROM (SELECT DISTINCT {other}, kind FROM edge WHERE {condition})",  # noqa: S608
            [urn, *kinds],
        ).fetchone()[0]
        rows = connection.execute(
            f"SELECT DISTINCT {other}, kind FROM edge WHERE {condition} "  # noqa: S608
            f"ORDER BY {other}, kind LIMIT ? OFFSET ?",
            [urn, *kinds, count, start],
        )
        return int(total), [Related(*row) for row in rows]


def scroll(
    store: SearchStore,
    ends: Ends,
    kinds: Sequence[str] | None,
    after: str | None,
    count: int,
    *,
    removed: bool = False,
) -> tuple[list[Relation], str | None]:
    """A page of relationships in the order of their ends, and the scroll id of the next one.

    `kinds` None means any. Those of soft-deleted entities are there only if `removed`.
    """
    place = _read_scroll(after)
    conditions, values = ["(source, kind, destination) > (?, ?, ?)"], list[Any](place)
    own, their = _within("source", ends.sources), _within("destination", ends.destinations)
    if ends.either and own and their:
        conditions.append(f"({own[0]} OR {their[0]})")
        values.extend([own[1], their[1]])
    else:
        for end in (own, their):
            if end is not None:
                conditions.append(end[0])
                values.append(end[1])
    if kinds is not None:
        conditions.append("kind IN (SELECT value FROM json_each(?))")
        values.append(orjson.dumps(list(kinds)).decode())
    for column, types in (("source", ends.source_types), ("destination", ends.destination_types)):
        if types:
            tests = [f"({column} >= ? AND {column} < ?)" for _ in types]
            conditions.append(f"({' OR '.join(tests)})")
            # All urns of a type lie between `urn:li:type:` and `urn:li:type;`.
            for name in types:
                values.extend([f"urn:li:{name}:", f"urn:li:{name};"])
    if not removed:
        conditions.extend(_VISIBLE.format(other=f"edge.{end}") for end in ("source", "destination"))
    with store.reader() as connection:
        rows = connection.execute(
            "SELECT DISTINCT source, kind, destination FROM edge "  # noqa: S608
            f"WHERE {' AND '.join(conditions)} ORDER BY source, kind, destination LIMIT ?",
            [*values, count + 1],
        ).fetchall()
    page = [Relation(*row) for row in rows[:count]]
    more = len(rows) > count and page
    return page, orjson.dumps(rows[count - 1]).hex() if more else None


def _within(column: str, urns: Sequence[str] | None) -> tuple[str, str] | None:
    if urns is None:
        return None
    test = f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608
    return test, orjson.dumps(list(urns)).decode()


def _read_scroll(scroll: str | None) -> tuple[str, ...]:
    if scroll in (None, "", "null"):
        return "", "", ""
    try:
        place = orjson.loads(bytes.fromhex(str(scroll)))
    except ValueError as exc:
        raise BadRequest(f"Invalid scrollId {scroll!r}") from exc
    if not isinstance(place, list) or [type(part) for part in place] != [str] * 3:
        raise BadRequest(f"Invalid scrollId {scroll!r}")
    return tuple(place)


class Lineage:
    """Which relationships are lineage, and in which direction their data flows."""

    def __init__(self, registry: Registry) -> None:
        # True: the source of the relationship is downstream of its destination.
        self._upstream: dict[str, bool] = {}
        for aspect in registry.aspects.values():
            for annotation in aspect.relationships:
                if annotation.get("isLineage"):
                    self._upstream[annotation["name"]] = annotation.get("isUpstream", True)

    def kinds(self) -> list[str]:
        """Names of the lineage relationships."""
        return list(self._upstream)

    def source_is_downstream(self, kind: str) -> bool:
        """Whether data flow from the destination of the relationship to its source."""
        return self._upstream[kind]

    def neighbours(
        self, store: SearchStore, urns: Sequence[str], *, upstream: bool
    ) -> dict[str, dict[str, str | None]]:
        """For each of `urns`: the next entity up or down the stream → what leads there, if told."""
        found: dict[str, dict[str, str | None]] = {urn: {} for urn in urns}
        asked = orjson.dumps(list(urns)).decode()
        with store.reader() as connection:
            for own, other, flows_up in (
                ("source", "destination", upstream),
                ("destination", "source", not upstream),
            ):
                kinds = [kind for kind, is_up in self._upstream.items() if is_up == flows_up]
                rows = connection.execute(
                    f"SELECT DISTINCT {own}, {other}, via FROM json_each(?) w CROSS JOIN edge "  # noqa: S608
                    f"ON {own} = w.value WHERE kind IN (SELECT value FROM json_each(?)) "
                    f"AND {_VISIBLE.format(other='edge.' + other)} ORDER BY {other}",
                    (asked, orjson.dumps(kinds).decode()),
                )
                for urn, neighbour, via in rows:
                    if neighbour != urn:
                        found[urn].setdefault(neighbour, via)
        return found

    def walk(self, store: SearchStore, urn: str, *, upstream: bool, hops: int) -> list[Reached]:
        """Everything within `hops` of an entity, each by the shortest path, the nearest first.

        What an edge leads through is reached too, before the end of the edge.
        """
        paths: dict[str, tuple[str, ...]] = {urn: (urn,)}
        found, vias = [], set[str]()
        frontier = [urn]
        for degree in range(1, hops + 1):
            steps = self.neighbours(store, frontier, upstream=upstream)
            frontier = []
            for origin, neighbours in steps.items():
                for neighbour, via in neighbours.items():
                    if neighbour in paths:
                        continue
                    path = paths[origin]
                    if via is not None:
                        path = (*path, via)
                        if via not in vias:
                            vias.add(via)
                            found.append(Reached(via, degree, path))
                    paths[neighbour] = (*path, neighbour)
                    found.append(Reached(neighbour, degree, paths[neighbour]))
                    frontier.append(neighbour)
            if not frontier:
                break
        return found


def shown(relation: Relation) -> dict[str, Any]:
    """A relationship as the OpenAPI shows it."""
    return {
        "relationshipType": relation.kind,
        "source": _end(relation.source),
        "destination": _end(relation.destination),
    }


def _end(urn: str) -> dict[str, str]:
    return {"urn": urn, "entityType": Urn.parse(urn).entity_type}
