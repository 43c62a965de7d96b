"""The root fields: queries over search, lineage and entities, and the mutations of the clients."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from dataspoke.local_hub.filters import Groups, criteria
from dataspoke.local_hub.graphql.entities import Entity, Loader
from dataspoke.local_hub.graphql.schema import entity_names, query_name
from dataspoke.local_hub.hub import DEFAULT_ACTOR, Hub, now_millis
from dataspoke.local_hub.relationships import Lineage
from dataspoke.local_hub.routes.operations import SERVER_VERSION
from dataspoke.local_hub.search import Hit, Page, Query, Search
from dataspoke.local_hub.search_store import SearchStore

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
_MOST_HOPS = 20

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """What one GraphQL request works with."""

    hub: Hub
    index: SearchStore
    search: Search
    lineage: Lineage
    loader: Loader


def resolve_query(context: Context, name: str, arguments: Arguments) -> Any:
    """The value of a field of `Query`."""
    resolver = _QUERIES.get(name)
    if resolver is not None:
        return resolver(context, arguments)
    for spec in context.hub.registry.entities.values():
        if query_name(spec.name) == name:
            entity = context.loader.entity(arguments["urn"])
            if entity is None or entity.spec is not spec:
                raise GraphQLError(f"{arguments['urn']} is no urn of a {spec.name}")
            return entity if context.loader.rows(entity.urn) else None
    raise GraphQLError(f"{name} is not served by the local hub")


def resolve_mutation(context: Context, name: str, arguments: Arguments) -> Any:
    """Do what a field of `Mutation` says; the value is its answer."""
    return _MUTATIONS[name](context, arguments)


def _me(context: Context, _: Arguments) -> Any:
    return {"corpUser": context.loader.entity(DEFAULT_ACTOR)}


def _app_config(_: Context, __: Arguments) -> Any:
    return {
        "appVersion": SERVER_VERSION,
        "telemetryConfig": {"enableThirdPartyLogging": False},
        "authConfig": {"tokenAuthEnabled": False},
        "semanticSearchConfig": {
            "enabled": False,
            "enabledEntities": [],
            "embeddingConfig": None,
        },
    }


def _entity(context: Context, arguments: Arguments) -> Any:
    entity = context.loader.entity(arguments["urn"])
    return entity if entity is not None and context.loader.rows(entity.urn) else None


def _entities(context: Context, arguments: Arguments) -> Any:
    found = [context.loader.entity(urn) for urn in arguments["urns"]]
    return [entity if entity and context.loader.rows(entity.urn) else None for entity in found]


def _entity_exists(context: Context, arguments: Arguments) -> bool:
    return context.hub.store.entity_id(arguments["urn"]) is not None


def _query_of(context: Context, given: Arguments, types: Sequence[str]) -> Query:
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
    return _searched(context, given, [given["type"]])


def _search_across(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    return _searched(context, given, given.get("types") or [])


def _searched(context: Context, given: Arguments, types: Sequence[str]) -> Any:
    start, count = given.get("start") or 0, given.get("count")
    count = 10 if count is None else count
    query = _query_of(context, given, types)
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
    query = _query_of(context, given, given.get("types") or [])
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


def _scroll_lineage(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    upstream = given["direction"] == "UPSTREAM"
    urn = given.get("urn") or ""
    degrees = _degrees(criteria(given.get("orFilters")))
    hops = _MOST_HOPS if degrees is None or "3+" in degrees else max(map(int, degrees))
    paths = context.lineage.walk(context.index, urn, upstream=upstream, hops=hops)
    names = entity_names(context.hub.registry)
    wanted = {names[name] for name in given.get("types") or ()}
    results = []
    for path in paths.values():
        entity = context.loader.entity(path[-1])
        degree = len(path) - 1
        if entity is None or (wanted and entity.spec.name not in wanted):
            continue
        if degrees is not None and (str(degree) if degree < 3 else "3+") not in degrees:
            continue
        trail = {"path": context.loader.many(path)}
        results.append({"entity": entity, "degree": degree, "paths": [trail]})
    start, count = int(given.get("scrollId") or 0), given.get("count") or 10
    page = results[start : start + count]
    more = start + count < len(results)
    return {
        "nextScrollId": str(start + count) if more else None,
        "count": len(page),
        "total": len(results),
        "searchResults": page,
    }


def _degrees(groups: Groups) -> set[str] | None:
    found = {
        value
        for group in groups
        for criterion in group
        if criterion.field == "degree"
        for value in criterion.values
    }
    return found or None


def _write(context: Context, urn: str, aspect: str, value: Any, change: str = "UPSERT") -> None:
    entity = context.hub.registry.entity_of(urn)
    proposal = context.hub.proposals.build(entity.name, urn, aspect, change, value)
    context.hub.ingest([proposal]).result()


def _create_tag(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn = f"urn:li:tag:{given.get('id') or given['name']}"
    if context.hub.store.entity_id(urn) is not None:
        raise GraphQLError("This Tag already exists!")
    value = {"name": given["name"], "description": given.get("description") or ""}
    _write(context, urn, "tagProperties", value)
    return urn


def _tag_patch(operation: str) -> Callable[[Context, Arguments], bool]:
    def change(context: Context, arguments: Arguments) -> bool:
        given = arguments["input"]
        tag = given["tagUrn"]
        path = f"/tags/{tag.replace('~', '~0').replace('/', '~1')}"
        step: dict[str, Any] = {"op": operation, "path": path}
        if operation == "add":
            step["value"] = {"tag": tag}
        _write(context, given["resourceUrn"], "globalTags", [step], "PATCH")
        return True

    return change


def _upsert_assertion(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    identity = f"{given['entityUrn']}\n{given['type']}\n{given['description']}"
    urn = arguments.get("urn") or (
        "urn:li:assertion:" + hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest()
    )
    custom = {"type": given["type"], "entity": given["entityUrn"]}
    if given.get("logic"):
        custom["logic"] = given["logic"]
    paths = given.get("fieldPaths") or ([given["fieldPath"]] if given.get("fieldPath") else [])
    if paths:
        custom["field"] = f"urn:li:schemaField:({given['entityUrn']},{paths[0]})"
    info = {
        "type": "CUSTOM",
        "description": given["description"],
        "customAssertion": custom,
        "source": {"type": "EXTERNAL"},
    }
    if given.get("externalUrl"):
        info["externalUrl"] = given["externalUrl"]
    platform = (
        given["platform"].get("urn") or f"urn:li:dataPlatform:{given['platform'].get('name')}"
    )
    _write(context, urn, "assertionInfo", info)
    _write(context, urn, "dataPlatformInstance", {"platform": platform})
    return context.loader.entity(urn)


def _report_result(context: Context, arguments: Arguments) -> bool:
    urn, given = arguments["urn"], arguments["result"]
    entity = context.loader.entity(urn)
    info = {} if entity is None else entity.aspect("assertionInfo")
    if not info:
        raise GraphQLError(f"Assertion {urn} does not exist")
    at = given.get("timestampMillis") or now_millis()
    result: dict[str, Any] = {"type": given["type"]}
    native = {item["key"]: item.get("value") or "" for item in given.get("properties") or ()}
    if given.get("error"):
        native["errorMessage"] = given["error"]["message"]
    if native:
        result["nativeResults"] = native
    for name in ("externalUrl", "severity"):
        if given.get(name):
            result[name] = given[name]
    event = {
        "timestampMillis": at,
        "runId": f"native-{at}",
        "assertionUrn": urn,
        "asserteeUrn": info["customAssertion"]["entity"],
        "status": "COMPLETE",
        "result": result,
    }
    _write(context, urn, "assertionRunEvent", event)
    return True


_QUERIES: Mapping[str, Callable[[Context, Arguments], Any]] = {
    "me": _me,
    "appConfig": _app_config,
    "entity": _entity,
    "entities": _entities,
    "entityExists": _entity_exists,
    "search": _search,
    "searchAcrossEntities": _search_across,
    "scrollAcrossEntities": _scroll,
    "scrollAcrossLineage": _scroll_lineage,
}
_MUTATIONS: Mapping[str, Callable[[Context, Arguments], Any]] = {
    "createTag": _create_tag,
    "addTag": _tag_patch("add"),
    "removeTag": _tag_patch("remove"),
    "upsertCustomAssertion": _upsert_assertion,
    "reportAssertionResult": _report_result,
}
