"""Analytics: how much there is, and how much of it is described.

The hub keeps no events of people who use a browser, so its charts of usage are empty.
"""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.filters import criteria
from dataspoke.local_hub.graphql.names import entity_names
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.search import Query

_COUNTED = {
    "Datasets": "dataset",
    "Dashboards": "dashboard",
    "Charts": "chart",
    "Pipelines": "dataFlow",
    "Tasks": "dataJob",
    "Domains": "domain",
}
_FACTS = {
    "have owners": "hasOwners",
    "have tags": "hasTags",
    "have glossary terms": "hasGlossaryTerms",
    "have description": "hasDescription",
    "have domain assigned": "hasDomain",
}
_BARS = {
    "Entities per Domain": "domains",
    "Entities per Platform": "platform",
    "Entities per Term": "glossaryTerms",
    "Entities per Environment": "origin",
}
_MOST_BARS = 10


def _highlights(context: Context, _: Arguments) -> Any:
    """Cards: people, then each entity type that has entities."""
    cards: list[dict[str, Any]] = [
        {"title": title, "value": 0, "body": ""}
        for title in ("Weekly Active Users", "Monthly Active Users")
    ]
    for title, name in _COUNTED.items():
        total = context.search.find(Query("*", (name,)), 0, 0).total
        if total:
            facts = _FACTS if name != "domain" else dict(list(_FACTS.items())[:-1])
            found = context.search.facets(Query("*", (name,)), list(facts.values()), 2)
            parts = [
                f"{100 * found.get(field, {}).get('true', 0) / total:.2f}% {text}"
                for text, field in facts.items()
            ]
            cards.append({"title": title, "value": total, "body": f"{', '.join(parts)}!"})
    return cards


def _metadata(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    kind, domain = given.get("entityType"), given.get("domain")
    types = (entity_names(context.hub.registry)[kind],) if kind else ()
    groups = criteria([{"and": [{"field": "domains", "values": [domain]}]}]) if domain else ()
    query = Query(given.get("query") or "*", types, groups)
    found = context.search.facets(query, list(_BARS.values()), _MOST_BARS)
    charts = [
        {
            "__typename": "BarChart",
            "title": title,
            "bars": [
                {"name": value, "segments": [{"label": "Count", "value": count}]}
                for value, count in found[field].items()
            ],
        }
        for title, field in _BARS.items()
        if found.get(field)
    ]
    return [{"groupId": "FilteredMetadataAnalytics", "title": "", "charts": charts}]


ROOM = Room(
    schema="analytics.graphql",
    queries={
        "isAnalyticsEnabled": lambda _, __: True,
        "getAnalyticsCharts": lambda _, __: [],
        "getHighlights": _highlights,
        "getMetadataAnalyticsCharts": _metadata,
    },
)
