"""Scrolling over entities with the search index behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_status
from dataspoke.cli.conformance.model import check

_BY = "quality and health scans, which go through all entities of a platform"
_COUNT = 5


@check(by=_BY)
def new_entity_is_in_the_index(c: Context) -> str:
    """What was just written is found in the search index within the patience of the run."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    c.eventually(
        "Wrote a dataset and looked for it in the index",
        lambda: c.indexed("dataset", [urn]),
        want={urn},
    )
    return f"after {c.target.lags[-1]:.2f} s"


@check(by=_BY)
def scroll_goes_on_until_the_end(c: Context) -> None:
    """Page after page comes until there is no scrollId; no entity is missed or comes twice."""
    urns = _written(c)
    c.eventually(
        f"Scrolled over {_COUNT} datasets in pages of 2",
        lambda: sorted(_all(c, urns, count=2)),
        want=sorted(urns),
    )


@check(by=_BY)
def scroll_counts_all(c: Context) -> None:
    """totalCount counts all that match, not the page."""
    urns = _written(c)
    c.eventually(
        f"Asked for 2 of {_COUNT} datasets and read totalCount",
        lambda: _page(c, urns, count=2)["totalCount"],
        want=_COUNT,
    )


@check(by=_BY)
def scroll_is_sorted_on_demand(c: Context) -> None:
    """Entities come in the order of the sort criteria.

    GMS: smoke test openapi/v3/test_scroll_entities.py.
    """
    urns = _written(c)
    for order, wanted in (("ASCENDING", sorted(urns)), ("DESCENDING", sorted(urns)[::-1])):
        body = {"sortCriteria": [{"field": "urn", "order": order}]}
        c.eventually(
            f"Scrolled {order.lower()} by urn",
            lambda body=body: _urns(_page(c, urns, **body)),  # type: ignore[misc]
            want=wanted,
        )


@check(by=_BY)
def scroll_brings_the_aspects_asked_for(c: Context) -> None:
    """Each entity has exactly the aspects that were asked for."""
    urns = _written(c)

    def aspects() -> set[str]:
        page = _page(c, urns, aspects=["datasetProperties"])
        return {name for entity in page["entities"] for name in entity} - {"urn", "scrollId"}

    c.eventually("Scrolled for one aspect", aspects, want={"datasetProperties"})


@check(by=_BY)
def scroll_filters_by_platform(c: Context) -> None:
    """A filter by platform finds the datasets of that platform and no others."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    criterion = {"field": "platform", "condition": "EQUAL", "values": [c.platform]}
    c.eventually(
        "Scrolled over the platform of this run",
        lambda: urn in _urns(_scroll(c, [criterion], count=1000)),
    )
    found = _urns(_scroll(c, [criterion], count=1000))
    strangers = [one for one in found if c.platform not in one]
    expect(not strangers, "Looked for other platforms", strangers)


@check(by=_BY)
def scroll_filter_that_fits_nothing(c: Context) -> None:
    """A filter that fits nothing answers nothing: it is not ignored."""
    nowhere = f"urn:li:dataPlatform:{c.name('nowhere')}"
    criterion = {"field": "platform", "condition": "EQUAL", "values": [nowhere]}
    found = _scroll(c, [criterion])
    expect_equal("Scrolled over an unknown platform", _urns(found), [])
    expect_equal("Read totalCount", found["totalCount"], 0)


@check(by="dataspoke-vector-sync, for what comes back", each_mode=True)
def soft_deleted_are_left_out_unless_asked_for(c: Context) -> None:
    """What is soft-deleted is not in a scroll, unless includeSoftDelete is true."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    c.eventually("Looked for a dataset", lambda: _urns(_page(c, [urn])), want=[urn])
    c.put(urn, "status", {"removed": True})
    c.eventually("Soft-deleted it and scrolled", lambda: _urns(_page(c, [urn])), want=[])
    c.eventually(
        "Scrolled with includeSoftDelete",
        lambda: _urns(_page(c, [urn], includeSoftDelete="true")),
        want=[urn],
    )


def _written(c: Context) -> list[str]:
    urns = [c.dataset(f"d{number}") for number in range(_COUNT)]
    for number, urn in enumerate(urns):
        c.put(urn, "datasetProperties", {"name": f"d{number}"})
    return urns


def _page(c: Context, urns: list[str], **options: Any) -> dict[str, Any]:
    return _scroll(c, [{"field": "urn", "condition": "EQUAL", "values": urns}], **options)


def _scroll(
    c: Context,
    criteria: list[Any],
    *,
    count: int = 100,
    aspects: list[str] | None = None,
    sortCriteria: list[Any] | None = None,
    **params: str,
) -> dict[str, Any]:
    body = {
        "entities": ["dataset"],
        "aspects": aspects or [],
        "filter": {"and": [{"criteria": criteria}]},
        **({"sortCriteria": sortCriteria} if sortCriteria else {}),
    }
    reply = c.http.post(
        "/openapi/v3/entity/scroll", body, count=count, query="*", skipCache="true", **params
    )
    c.older_may_lack(reply, "scroll over entities")
    expect_status("Scrolled over datasets", reply.status, (200,), reply.body)
    found: dict[str, Any] = reply.body
    return found


def _all(c: Context, urns: list[str], *, count: int) -> Iterator[str]:
    """The urns of all pages; at most two pages more than needed."""
    scroll: dict[str, str] = {}
    for _ in range(len(urns) // count + 3):
        page = _page(c, urns, count=count, **scroll)
        yield from _urns(page)
        if not page.get("scrollId"):
            return
        scroll = {"scrollId": page["scrollId"]}


def _urns(page: dict[str, Any]) -> list[str]:
    return [entity["urn"] for entity in page["entities"]]
