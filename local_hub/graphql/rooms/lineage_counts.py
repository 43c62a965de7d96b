"""How many entities a lineage reaches, answered by the graph alone."""

from __future__ import annotations

from collections.abc import Mapping

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Criterion, Groups, criteria
from dataspoke.local_hub.graphql.names import entity_names
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.urns import Urn

_MOST_HOPS = 20


def _parent(urn: str) -> str:
    """The dataset of a column; any other entity is its own parent."""
    parsed = Urn.parse(urn)
    return parsed.parts[0] if parsed.entity_type == "schemaField" else urn


def _platform(urn: str) -> str | None:
    """The platform that a urn, or that of its parent, names."""
    first = Urn.parse(_parent(urn)).parts[0]
    return first if first.startswith("urn:li:dataPlatform:") else None


def _counts(context: Context, arguments: Arguments) -> Mapping[str, int]:
    given = arguments["input"]
    groups = criteria(given.get("orFilters"))
    _check(groups)
    names = entity_names(context.hub.registry)
    wanted = {names[name] for name in given.get("types") or ()}
    ghosts = bool(given.get("includeGhostEntities"))
    validate = ghosts and given.get("validateSchemaFields") != "NONE"
    found = [
        urn
        for urn, degree in _walk(context, given).items()
        if (not wanted or Urn.parse(urn).entity_type in wanted)
        and (not groups or any(all(_meets(urn, degree, c) for c in g) for g in groups))
        and (ghosts or context.exists(urn))
        and (not validate or _declared(context, urn))
    ]
    return {"total": len(found)}


def _walk(context: Context, given: Arguments) -> dict[str, int]:
    """What is reached, with its degree; what is ignored as a hop is walked through for free."""
    upstream = given["direction"] == "UPSTREAM"
    names = entity_names(context.hub.registry)
    ignored = {
        names[hop["entityType"]]: hop.get("platforms")
        for hop in (given.get("lineageFlags") or {}).get("ignoreAsHops") or ()
    }
    seen, degrees = {given["urn"]}, dict[str, int]()
    frontier, degree = [given["urn"]], 1
    while frontier and degree <= _MOST_HOPS:
        following = []
        while frontier:
            steps = context.lineage.neighbours(context.index, frontier, upstream=upstream)
            frontier = []
            for urn in dict.fromkeys(urn for found in steps.values() for urn in found):
                if urn in seen:
                    continue
                seen.add(urn)
                kind = Urn.parse(urn).entity_type
                platforms = ignored.get(kind)
                if kind in ignored and (not platforms or _platform(urn) in platforms):
                    frontier.append(urn)
                else:
                    degrees[urn] = degree
                    following.append(urn)
        frontier, degree = following, degree + 1
    return degrees


def _meets(urn: str, degree: int, criterion: Criterion) -> bool:
    """Whether a criterion that a urn can answer is met. Raises BadRequest for any other."""
    match criterion.field:
        case "degree":
            value: str | None = str(degree) if degree < 3 else "3+"
        case "parent":
            value = _parent(urn)
        case "platform":
            value = _platform(urn)
        case "urn":
            value = urn
        case name:
            raise BadRequest(f"Cannot count lineage by {name!r}: the graph does not know it")
    if criterion.condition == "CONTAIN":
        met = any(part in (value or "") for part in criterion.values)
    else:
        met = value in criterion.values
    return met != criterion.negated


def _declared(context: Context, urn: str) -> bool:
    """Whether the schema of its parent lists a column; what is no column always is."""
    parsed = Urn.parse(urn)
    if parsed.entity_type != "schemaField":
        return True
    parent, path = parsed.parts
    dataset = context.loader.entity(parent)
    fields = [] if dataset is None else dataset.aspect("schemaMetadata").get("fields") or []
    return any(field["fieldPath"] == path for field in fields)


def _check(groups: Groups) -> None:
    """Refuse, before anything is read, what the graph cannot answer."""
    for group in groups:
        for criterion in group:
            _meets("urn:li:tag:none", 1, criterion)


ROOM = Room(schema="lineage_counts.graphql", queries={"searchAcrossLineageCounts": _counts})
