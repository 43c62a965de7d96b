"""Search over all entity types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dataspoke.local_hub.filters import Criterion, criteria
from dataspoke.local_hub.graphql.names import entity_names
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.search import Hit, Page, Query

_FACETS = (
    "_entityType",
    "platform",
    "origin",
    "typeNames",
    "tags",
    "glossaryTerms",
    "owners",
    "domains",
)


def query_of(context: Context, given: Arguments, types: Sequence[str]) -> Query:
    """Read the inputs that all searches share."""
    names = entity_names(context.hub.registry)
    flags = given.get("searchFlags") or {}
    groups = criteria(given.get("orFilters"))
    extra = criteria([{"and": given["filters"]}]) if given.get("filters") else ()
    if extra:
        groups = tuple((*group, *extra[0]) for group in groups) or extra
    sort = given.get("sortInput") or {}
    order = sort.get("sortCriteria") or (
        [sort["sortCriterion"]] if sort.get("sortCriterion") else []
    )
    return Query(
        given.get("query") or "*",
        tuple(names[name] for name in types),
        groups,
        include_removed=bool(flags.get("includeSoftDeleted")),
        sort=tuple((item["field"], item["sortOrder"] == "DESCENDING") for item in order),
    )


def _search(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    return searched(context, given, [given["type"]])


def _search_across(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    return searched(context, given, given.get("types") or [])


def searched(
    context: Context, given: Arguments, types: Sequence[str], within: Criterion | None = None
) -> Any:
    """A page of hits by the input of a search, of those that meet `within`."""
    start, count = given.get("start") or 0, given.get("count")
    count = 10 if count is None else count
    query = query_of(context, given, types)
    if within is not None:
        groups = tuple((*group, within) for group in query.groups or ((),))
        query = replace(query, groups=groups)
    page = context.search.find(query, start, count)
    flags = given.get("searchFlags") or {}
    return {
        "start": start,
        "count": count,
        "total": page.total,
        "searchResults": _results(context, page, flags),
        "facets": lambda: _facets(context, query, flags),
    }


def _scroll(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    count = given.get("count") or 10
    query = query_of(context, given, given.get("types") or [])
    flags = given.get("searchFlags") or {}
    page = context.search.scroll(
        query, given.get("scrollId"), count, fields=bool(flags.get("fetchExtraFields"))
    )
    return {
        "nextScrollId": page.scroll,
        "count": count,
        "total": page.total,
        "searchResults": _results(context, page, flags),
        "facets": lambda: _facets(context, query, flags),
    }


def _results(context: Context, page: Page, flags: Arguments) -> list[Any]:
    extra = flags.get("fetchExtraFields")
    return [
        {
            "entity": context.loader.entity(hit.urn),
            "score": hit.score,
            "matchedFields": [],
            "extraProperties": None if extra is None else _extra(hit, extra),
        }
        for hit in page.hits
    ]


def _extra(hit: Hit, names: Sequence[str]) -> list[Any]:
    found = []
    for name in names:
        values = hit.fields.get(name)
        if values:
            found.append({"name": name, "value": ",".join(values)})
    return found


def _facets(context: Context, query: Query, flags: Arguments) -> list[Any]:
    if flags.get("skipAggregates"):
        return []
    counted = context.search.facets(query, _FACETS, flags.get("maxAggValues") or 20)
    return [
        {
            "field": name,
            "displayName": name.lstrip("_"),
            "aggregations": [
                {
                    "value": value,
                    "count": count,
                    "entity": context.loader.entity(value) if value.startswith("urn:") else None,
                }
                for value, count in values.items()
            ],
        }
        for name, values in counted.items()
    ]


ROOM = Room(
    schema="search.graphql",
    queries={
        "search": _search,
        "searchAcrossEntities": _search_across,
        "scrollAcrossEntities": _scroll,
    },
)
