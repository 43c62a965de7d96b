"""DataHub's own search, as the stock client and the CLI use it."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect_status
from dataspoke.cli.conformance.model import check

_BY = "quality plugins and sources that look entities up"
_SEARCH = """query ($input: SearchAcrossEntitiesInput!) { searchAcrossEntities(input: $input) {
    total searchResults { entity { urn type } } } }"""


@check(by=_BY)
def name_is_found(c: Context) -> None:
    """searchAcrossEntities finds a dataset by a word of its name."""
    urn, word = c.dataset(), f"zebra{c.target.run}"
    c.put(urn, "datasetProperties", {"name": f"the {word} table"})
    c.eventually(f"Searched for {word}", lambda: _found(c, word), want=[urn])


@check(by=_BY)
def description_is_found(c: Context) -> None:
    """searchAcrossEntities finds a dataset by a word of its description."""
    urn, word = c.dataset(), f"okapi{c.target.run}"
    c.put(urn, "datasetProperties", {"name": "t", "description": f"counts every {word} there is"})
    c.eventually(f"Searched for {word}", lambda: _found(c, word), want=[urn])


@check(by=_BY)
def filters_narrow_the_search(c: Context) -> None:
    """Filters join with AND inside a group, OR between groups, and may be negated."""
    tag, first, second = c.urn("tag", "t"), c.dataset("first"), c.dataset("second")
    c.put(first, "globalTags", {"tags": [{"tag": tag}]})
    c.put(second, "status", {"removed": False})
    ours = {"field": "urn", "values": [first, second]}
    tagged = {"field": "tags", "values": [tag]}
    cases: list[tuple[str, list[Any], list[str]]] = [
        ("with a tag", [{"and": [ours, tagged]}], [first]),
        ("without it", [{"and": [ours, {**tagged, "negated": True}]}], [second]),
        ("in either of two groups", [{"and": [tagged]}, {"and": [ours]}], [first, second]),
    ]
    for what, groups, wanted in cases:
        c.eventually(
            f"Searched {what}",
            lambda groups=groups: sorted(_found(c, "*", groups)),  # type: ignore[misc]
            want=sorted(wanted),
        )


@check(by=_BY)
def custom_properties_are_searched(c: Context) -> None:
    """A filter on customProperties finds key=value."""
    urn = c.dataset()
    value = f"squad-{c.target.run}"
    c.put(urn, "datasetProperties", {"name": "t", "customProperties": {"team": value}})
    group = {"and": [{"field": "customProperties", "values": [f"team={value}"]}]}
    c.eventually("Filtered by a custom property", lambda: _found(c, "*", [group]), want=[urn])


@check(by="every source with stateful ingestion, `datahub delete`")
def stock_client_lists_urns_by_filter(c: Context) -> None:
    """The stock client lists the urns of a platform."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    c.eventually(
        "Listed the datasets of our platform",
        lambda: urn in set(_listed(c)),
    )


@check(by="`datahub delete`, dataspoke index reconcile")
def stock_client_tells_removed_from_present(c: Context) -> None:
    """A filter on the removed status separates soft-deleted from present entities."""
    from datahub.ingestion.graph.filters import RemovedStatusFilter

    gone, there = c.dataset("gone"), c.dataset("there")
    c.put(gone, "status", {"removed": True})
    c.put(there, "status", {"removed": False})
    cases = (
        (RemovedStatusFilter.NOT_SOFT_DELETED, {there}),
        (RemovedStatusFilter.ONLY_SOFT_DELETED, {gone}),
        (RemovedStatusFilter.ALL, {gone, there}),
    )
    for status, wanted in cases:
        c.eventually(
            f"Listed urns with {status.name}",
            lambda status=status: set(_listed(c, status=status)) & {gone, there},  # type: ignore[misc]
            want=wanted,
        )


@check(by="the stock client")
def scroll_across_entities_goes_on(c: Context) -> None:
    """scrollAcrossEntities pages with nextScrollId until it is null."""
    urns = [c.dataset(f"d{number}") for number in range(3)]
    for urn in urns:
        c.put(urn, "datasetProperties", {"name": "x"})
    query = """query ($input: ScrollAcrossEntitiesInput!) { scrollAcrossEntities(input: $input) {
        nextScrollId searchResults { entity { urn } } } }"""

    def walked() -> list[str]:
        found: list[str] = []
        scroll = None
        for _ in range(len(urns) + 2):
            wanted = {
                "types": ["DATASET"],
                "query": "*",
                "count": 1,
                "scrollId": scroll,
                "orFilters": [{"and": [{"field": "urn", "values": urns}]}],
            }
            page = c.graphql(query, input=wanted)["scrollAcrossEntities"]
            found += [result["entity"]["urn"] for result in page["searchResults"]]
            scroll = page["nextScrollId"]
            if scroll is None:
                break
        return sorted(found)

    c.eventually("Scrolled over three datasets one by one", walked, want=sorted(urns))


@check(by="the stock client's get_domain_urn_by_name and its kin")
def restli_search_finds(c: Context) -> None:
    """The rest.li search finds an entity of one type by a filter.

    GMS: EntityResource.java, search.
    """
    urn, word = c.dataset(), f"gecko{c.target.run}"
    c.put(urn, "datasetProperties", {"name": word})

    def found() -> list[str]:
        body = {"input": word, "entity": "dataset", "start": 0, "count": 10}
        reply = c.http.post("/entities", body, action="search")
        expect_status("Searched over rest.li", reply.status, (200,), reply.body)
        return [hit["entity"] for hit in reply.body["value"]["entities"]]

    c.eventually(f"Searched for {word} over rest.li", found, want=[urn])


def _found(c: Context, query: str, groups: list[Any] | None = None) -> list[str]:
    wanted = {
        "types": ["DATASET"],
        "query": query,
        "start": 0,
        "count": 10,
        "orFilters": groups or [],
        "searchFlags": {"skipCache": True},
    }
    found = c.graphql(_SEARCH, input=wanted)["searchAcrossEntities"]
    return [result["entity"]["urn"] for result in found["searchResults"]]


def _listed(c: Context, **options: Any) -> list[str]:
    return list(
        c.graph.get_urns_by_filter(
            entity_types=["dataset"], platform=c.platform, skip_cache=True, **options
        )
    )
