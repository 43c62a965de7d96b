"""Browsing: entities by the folders that their browse paths name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.graphql.rooms.search import query_of
from dataspoke.local_hub.search import Query

_AT_ONCE = 1000


def _hits(context: Context, query: Query) -> Iterator[Entity]:
    """All hits of a query, in the order of their urns."""
    after: str | None = None
    while True:
        page = context.search.scroll(query, after, _AT_ONCE, fields=False)
        yield from context.loader.many(hit.urn for hit in page.hits)
        after = page.scroll
        if after is None:
            return


def _paths(entity: Entity) -> list[tuple[str, ...]]:
    """The paths of the older form: `/prod/kafka` is ("prod", "kafka")."""
    paths: list[str] = entity.aspect("browsePaths").get("paths") or []
    return [tuple(step for step in path.split("/") if step) for path in paths]


def _browse(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    start, count = given.get("start") or 0, given.get("count") or 10
    path = tuple(given.get("path") or ())
    groups: Counter[str] = Counter()
    here = []
    for entity in _hits(context, query_of(context, given, [given["type"]])):
        below = {found[len(path)] for found in _below(_paths(entity), path)}
        groups.update(below)
        if path in _paths(entity):
            here.append(entity)
    return {
        "start": start,
        "count": count,
        "total": len(here),
        "entities": here[start : start + count],
        "groups": [{"name": name, "count": number} for name, number in groups.most_common()],
        "metadata": {"path": list(path), "totalNumEntities": sum(groups.values())},
    }


def _below(paths: Sequence[tuple[str, ...]], path: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [found for found in paths if len(found) > len(path) and found[: len(path)] == path]


def _browse_v2(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    start, count = given.get("start") or 0, given.get("count") or 10
    path = tuple(given.get("path") or ())
    types = given.get("types") or ([given["type"]] if given.get("type") else [])
    query = query_of(context, given, types)
    counted: Counter[str] = Counter()
    deeper: set[str] = set()
    urns: dict[str, str] = {}
    for entity in _hits(context, query):
        steps = entity.aspect("browsePathsV2").get("path") or []
        names = tuple(step["id"] for step in steps)
        for found in _below([names], path):
            name = found[len(path)]
            counted[name] += 1
            if len(found) > len(path) + 1:
                deeper.add(name)
            if steps[len(path)].get("urn"):
                urns[name] = steps[len(path)]["urn"]
    groups = [
        {
            "name": name,
            "entity": urns.get(name),
            "count": number,
            "hasSubGroups": name in deeper,
        }
        for name, number in counted.most_common()
    ]
    return {
        "start": start,
        "count": count,
        "total": len(groups),
        "groups": groups[start : start + count],
        "metadata": {
            "path": list(path),
            "totalNumEntities": context.search.find(replace(query, sort=()), 0, 0).total,
        },
    }


def _browse_paths(context: Context, arguments: Arguments) -> Any:
    entity = context.loader.entity(arguments["input"]["urn"])
    return [] if entity is None else [{"path": list(path)} for path in _paths(entity)]


def _paths_of(entity: Entity, _: Arguments) -> Any:
    return [Part(entity, {"path": list(path)}) for path in _paths(entity)]


ROOM = Room(
    schema="browse.graphql",
    queries={"browse": _browse, "browseV2": _browse_v2, "browsePaths": _browse_paths},
    fields={
        ("Entity", "browsePaths"): _paths_of,
        ("BrowsePathEntry", "name"): lambda step, _: step.get("id"),
        ("BrowsePathEntry", "entity"): lambda step, _: step.get("urn"),
    },
    aspects={
        "browsePaths": "browsePaths: [BrowsePath!]",
        "browsePathsV2": "browsePathV2: BrowsePathV2",
    },
)
