"""Search over all entity types: pages, scrolls, facets, completions, counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Criterion, criteria
from dataspoke.local_hub.graphql.generic import shown_name
from dataspoke.local_hub.graphql.names import entity_names, enum_name
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.search import Hit, Page, Query

# Facets in the order in which GMS answers them, and what it calls them.
_FACETS = {
    "_entityType": "Type",
    "entity": "Type",
    "platform": "Platform",
    "origin": "Environment",
    "typeNames": "Sub Type",
    "tags": "Tag",
    "glossaryTerms": "Glossary Term",
    "owners": "Owned By",
    "domains": "Domain",
    "container": "Container",
    "platformInstance": "Platform Instance",
    "deprecated": "Deprecated",
    "removed": "Soft Deleted",
}
# Documents that are unpublished, or kept for the assets that they are about, are not found here.
_PUBLIC_DOCUMENTS = (
    Criterion("state", values=("UNPUBLISHED",), negated=True),
    Criterion("showInGlobalContext", values=("false",), negated=True),
)
# The entity types that are searched when none is named; those of DataHub itself are not.
_SEARCHED = (
    *("dataset", "dashboard", "chart", "dataFlow", "dataJob", "container", "domain"),
    *("dataProduct", "application", "document", "notebook", "businessAttribute", "schemaField"),
    *("mlModel", "mlModelGroup", "mlFeatureTable", "mlFeature", "mlPrimaryKey"),
    *("glossaryTerm", "glossaryNode", "tag", "role", "corpuser", "corpGroup"),
    *("dataPlatformInstance", "metric", "semanticModel"),
    *("aiAgent", "agentSkill", "api", "service", "repository"),
)
# What the home page recommends: the field whose values count, and how they are shown.
_MODULES = {
    "Platforms": ("platform", "PLATFORM_SEARCH_LIST"),
    "Domains": ("domains", "DOMAIN_SEARCH_LIST"),
}
_WORD = re.compile(r"\w+")
_MOST_VALUES = 20


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


def searched(
    context: Context, given: Arguments, types: Sequence[str], within: Sequence[Criterion] = ()
) -> Any:
    """A page of hits by the input of a search, of those that meet all of `within`."""
    start, count = given.get("start") or 0, given.get("count")
    count = 10 if count is None else count
    query = query_of(context, given, types)
    if within:
        groups = tuple((*group, *within) for group in query.groups or ((),))
        query = replace(query, groups=groups)
    page = context.search.find(query, start, count)
    flags = given.get("searchFlags") or {}
    return {
        "start": start,
        "count": count,
        "total": page.total,
        "searchResults": _results(context, page, query, flags),
        "facets": lambda: _facets(context, query, flags),
    }


def _types(context: Context, given: Arguments) -> Sequence[str]:
    """The types that a search over entities asks for."""
    known = context.hub.registry.entities
    return given.get("types") or [enum_name(name) for name in _SEARCHED if name in known]


def scrolled(context: Context, given: Arguments) -> Any:
    """A page of `ScrollResults`."""
    count = 10 if given.get("count") is None else given["count"]
    query = query_of(context, given, _types(context, given))
    flags = given.get("searchFlags") or {}
    page = context.search.scroll(
        query, given.get("scrollId"), count, fields=bool(flags.get("fetchExtraFields"))
    )
    return {
        "nextScrollId": page.scroll,
        "count": count,
        "total": page.total,
        "searchResults": _results(context, page, query, flags),
        "facets": lambda: _facets(context, query, flags),
    }


def _search(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    return searched(context, given, [given["type"]])


def _search_across(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    types = _types(context, given)
    return searched(context, given, types, _PUBLIC_DOCUMENTS if "DOCUMENT" in types else ())


def _scroll(context: Context, arguments: Arguments) -> Any:
    return scrolled(context, arguments["input"])


def _semantic_search(_: Context, __: Arguments) -> Any:
    raise BadRequest("Semantic search is not enabled in this environment")


def _results(context: Context, page: Page, query: Query, flags: Arguments) -> list[Any]:
    extra = flags.get("fetchExtraFields")
    words = {word.lower() for word in _WORD.findall(query.text)}
    return [
        {
            "entity": context.loader.entity(hit.urn),
            "score": hit.score,
            "matchedFields": _matched(hit, words) if words else [],
            "extraProperties": None if extra is None else _extra(hit, extra),
        }
        for hit in page.hits
    ]


def _matched(hit: Hit, words: set[str]) -> list[Any]:
    """The fields that hold a word of the query."""
    return [
        {
            "name": name,
            "value": value,
            "entity": value if value.startswith("urn:li:") else None,
        }
        for name, values in hit.fields.items()
        for value in values
        if any(word in value.lower() for word in words)
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
    return aggregated(context, query, list(_FACETS), flags.get("maxAggValues") or _MOST_VALUES)


def aggregated(context: Context, query: Query, names: Sequence[str], most: int) -> list[Any]:
    """`FacetMetadata` of the hits, each with its most frequent values."""
    counted = context.search.facets(query, names, most)
    return [
        {
            "field": name,
            "displayName": _FACETS.get(name, name),
            "aggregations": [
                _aggregation(context, name, value, count) for value, count in values.items()
            ],
        }
        for name, values in counted.items()
    ]


def _aggregation(context: Context, name: str, value: str, count: int) -> Any:
    entity = context.loader.entity(value) if value.startswith("urn:li:") else None
    if name in ("_entityType", "entity"):
        value = enum_name(value)
    return {
        "value": value,
        "count": count,
        "entity": entity,
        "displayName": None if entity is None else shown_name(entity),
    }


def _aggregate(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    query = query_of(context, given, _types(context, given))
    flags = given.get("searchFlags") or {}
    names = [name for name in given.get("facets") or _FACETS if name]
    most = flags.get("maxAggValues") or _MOST_VALUES
    return {"facets": aggregated(context, query, names, most)}


def _complete(context: Context, given: Arguments, types: Sequence[str]) -> Any:
    count = 10 if given.get("limit") is None else given["limit"]
    page = context.search.find(query_of(context, given, types), 0, count)
    found = context.loader.many(hit.urn for hit in page.hits)
    return {
        "query": given["query"],
        "suggestions": [shown_name(entity) for entity in found],
        "entities": found,
    }


def _auto_complete(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    return _complete(context, given, [given["type"]] if given.get("type") else [])


def _auto_complete_many(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    types = _types(context, given)
    found = [{"type": name, **_complete(context, given, [name])} for name in types]
    return {
        "query": given["query"],
        "suggestions": [one for one in found if one["suggestions"]],
    }


def _counted(context: Context, given: Arguments) -> dict[str, int]:
    """How many hits each entity type has."""
    query = query_of(context, given, given.get("types") or [])
    return context.search.facets(query, ["_entityType"], 1000).get("_entityType", {})


def _counts(context: Context, arguments: Arguments) -> Any:
    given = arguments.get("input") or {}
    counted = _counted(context, {"types": given.get("types")})
    names = entity_names(context.hub.registry)
    types = given.get("types") or [enum_name(name) for name in counted]
    return {
        "counts": [{"entityType": name, "count": counted.get(names[name], 0)} for name in types]
    }


def _recommendations(context: Context, arguments: Arguments) -> Any:
    """The home page's platforms and domains, those with most assets first; elsewhere nothing."""
    given = arguments["input"]
    asked = given.get("requestContext") or {}
    if asked.get("scenario") != "HOME":
        return {"modules": []}
    limit = 10 if given.get("limit") is None else given["limit"]
    found = context.search.facets(Query(), [field for field, _ in _MODULES.values()], limit)
    return {
        "modules": [
            _module(name, kind, found[field])
            for name, (field, kind) in _MODULES.items()
            if found.get(field) and name.upper() in (asked.get("modules") or name.upper())
        ]
    }


def _module(name: str, kind: str, counts: Mapping[str, int]) -> Any:
    content = [
        {"value": urn, "entity": urn, "params": {"contentParams": {"count": count}}}
        for urn, count in counts.items()
    ]
    return {"title": name, "moduleId": name, "renderType": kind, "content": content}


def _quick_filters(context: Context, _: Arguments) -> Any:
    """The most frequent platforms, and the types that people browse."""
    found = context.search.facets(Query(), ["platform", "_entityType"], 5)
    platforms = [
        {"field": "platform", "value": urn, "entity": urn} for urn in found.get("platform", {})
    ]
    types = [
        {"field": "_entityType", "value": enum_name(name)}
        for name in ("dataset", "dashboard", "dataJob", "dataFlow", "glossaryTerm", "domain")
        if name in found.get("_entityType", {})
    ]
    return {"quickFilters": platforms + types}


ROOM = Room(
    schema="search.graphql",
    queries={
        "search": _search,
        "searchAcrossEntities": _search_across,
        "semanticSearchAcrossEntities": _semantic_search,
        "scrollAcrossEntities": _scroll,
        "aggregateAcrossEntities": _aggregate,
        "autoComplete": _auto_complete,
        "autoCompleteForMultiple": _auto_complete_many,
        "getEntityCounts": _counts,
        "listRecommendations": _recommendations,
        "getQuickFilters": _quick_filters,
    },
)
