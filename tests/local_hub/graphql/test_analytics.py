"""Analytics, and the timeline of all versions of one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub_client import Client

Ask = Callable[..., Any]
TABLE = "urn:li:dataset:(urn:li:dataPlatform:postgres,analytics.{},PROD)"


def test_cards_tell_how_much_is_described(hub: Client, ask: Ask) -> None:
    tags = {"tags": [{"tag": "urn:li:tag:gold"}]}
    hub.must_put(TABLE.format("a"), "globalTags", tags)
    hub.must_put(TABLE.format("b"), "status", {"removed": False})
    cards = {card["title"]: card for card in ask("{ getHighlights { title value body } }")}
    assert cards["Weekly Active Users"]["value"] == 0
    assert cards["Datasets"]["value"] == 2
    assert cards["Datasets"]["body"] == (
        "0.00% have owners, 50.00% have tags, 0.00% have glossary terms, "
        "0.00% have description, 0.00% have domain assigned!"
    )
    assert "Charts" not in cards


def test_charts_count_by_platform(hub: Client, ask: Ask) -> None:
    hub.must_put(TABLE.format("c"), "status", {"removed": False})
    query = """query x($input: MetadataAnalyticsInput!) { getMetadataAnalyticsCharts(input: $input)
        { groupId charts { ... on BarChart { title bars { name segments { value } } } } } }"""
    (group,) = ask(query, input={"entityType": "DATASET", "query": "c"})
    assert group["groupId"] == "FilteredMetadataAnalytics"
    platform = {"name": "urn:li:dataPlatform:postgres", "segments": [{"value": 1}]}
    assert {"title": "Entities per Platform", "bars": [platform]} in group["charts"]
    assert ask("{ getAnalyticsCharts { title } }") == []


def test_the_timeline_can_span_a_version_set(hub: Client, ask: Ask) -> None:
    version_set = "urn:li:versionSet:(spanned,dataset)"
    for number in ("1", "2"):
        urn = TABLE.format(f"v{number}")
        hub.must_put(urn, "datasetProperties", {"description": f"Version {number}"})
        properties = {
            "versionSet": version_set,
            "version": {"versionTag": number},
            "sortId": number,
            "versioningScheme": "LEXICOGRAPHIC_STRING",
        }
        hub.must_put(urn, "versionProperties", properties)
    query = """query x($input: GetTimelineInput!) { getTimeline(input: $input)
        { skippedVersionCount changeTransactions { changes { category } } } }"""
    given = {"urn": TABLE.format("v2"), "changeCategories": ["DOCUMENTATION"]}
    changes = [{"changes": [{"category": "DOCUMENTATION"}]}]
    assert ask(query, input=given) == {"skippedVersionCount": 0, "changeTransactions": changes}
    given["includeVersionSet"] = True
    assert len(ask(query, input=given)["changeTransactions"]) == 2
