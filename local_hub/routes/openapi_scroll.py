"""Scrolls over entities, as versions 2 and 3 of the OpenAPI answer them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from dataspoke.local_hub import reads
from dataspoke.local_hub.discovery import Discovery
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.filters import Groups
from dataspoke.local_hub.http import answer, hub_of, in_thread, number
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.search import Page, Query, Search, Sort, scroll_id
from dataspoke.local_hub.shapes import Shape

MOST_COUNT = 10_000
# What is counted per value when aggregations are asked for.
_FACETS = ("platform", "origin", "typeNames", "tags", "glossaryTerms", "domains", "owners")


@dataclass(frozen=True)
class Scroll:
    """What a scroll asks for; `count` hits behind the scroll id `after`."""

    query: Query
    after: str | None
    count: int


def discovery(request: Request) -> Discovery:
    """What is read from the search index."""
    return cast(Discovery, request.app.state.discovery)


def _flag(request: Request, name: str, *, default: bool = False) -> bool:
    text = request.query_params.get(name)
    return default if text is None else text.lower() == "true"


def read_scroll(request: Request, types: Sequence[str], sort: Any, groups: Groups) -> Scroll:
    """The parameters of a scroll. `sort` is the list of criteria of the body, if any."""
    hub, query = hub_of(request), request.query_params
    after = query.get("scrollId")
    return Scroll(
        Query(
            query.get("query") or "*",
            tuple(hub.registry.entity(name).name for name in types),
            groups,
            include_removed=_flag(request, "includeSoftDelete"),
            sort=_sort(request, sort),
            slice=_slice(request),
            structured=True,
        ),
        None if after in (None, "", "null") else after,
        number(query.get("count"), "count", 10, most=MOST_COUNT),
    )


def _slice(request: Request) -> tuple[int, int] | None:
    query = request.query_params
    if "sliceId" not in query or "sliceMax" not in query:
        return None
    part, parts = number(query["sliceId"], "sliceId", 0), number(query["sliceMax"], "sliceMax", 1)
    if part >= parts:
        raise BadRequest(f"Parameter sliceId must be less than sliceMax: {part} and {parts}")
    return part, parts


def _sort(request: Request, given: Any) -> tuple[Sort, ...]:
    """By the criteria of the body, else by the parameters, else by urn."""
    query = request.query_params
    if given:
        return _sort_of_body(given)
    order = query.get("sortOrder") or "ASCENDING"
    if order not in ("ASCENDING", "DESCENDING"):
        raise BadRequest(f"Parameter sortOrder must be ASCENDING or DESCENDING: {order!r}")
    fields = [name for text in query.getlist("sortCriteria") for name in text.split(",") if name]
    fields = fields or [query.get("sort") or "urn"]
    return tuple(Sort(name, descending=order == "DESCENDING") for name in fields)


def _sort_of_body(given: Any) -> tuple[Sort, ...]:
    if not isinstance(given, list):
        raise BadRequest("Parameter sortCriteria must be a list")
    criteria = []
    for item in given:
        if not isinstance(item, Mapping) or not isinstance(item.get("field"), str):
            raise BadRequest("Parameter sortCriteria must be a list of objects with a field")
        order, missing = item.get("order") or "ASCENDING", item.get("missingValue") or "LAST"
        if order not in ("ASCENDING", "DESCENDING") or missing not in ("FIRST", "LAST"):
            raise BadRequest(f"Cannot sort by {item['field']}: order {order}, missing {missing}")
        criteria.append(
            Sort(item["field"], descending=order == "DESCENDING", missing_first=missing == "FIRST")
        )
    return tuple(criteria)


async def scrolled(
    request: Request,
    shape: Shape,
    scroll: Scroll,
    aspects: Sequence[str] | None,
    *,
    facets: bool,
    bare: bool = False,
) -> Response:
    """The page. `aspects` None means all of them, `bare` none; `facets` whether types count."""
    hub, search = hub_of(request), discovery(request).search
    metadata = _flag(request, "systemMetadata")
    every, per_entity = (
        not _flag(request, "skipAggregation", default=True),
        _flag(request, "scrollIdPerEntity"),
    )

    def read() -> bytes:
        page = search.scroll(scroll.query, scroll.after, scroll.count, fields=False)
        counts = _facets(search, scroll.query, page, every=every) if facets else []
        entities = []
        found = {} if bare else _read(hub, page, aspects)
        for hit in page.hits:
            if bare or hit.urn in found:
                behind = scroll_id(hit) if per_entity else None
                entities.append(
                    shape.entity(hit.urn, found.get(hit.urn, {}), metadata=metadata, scroll=behind)
                )
        return shape.page(entities, total=page.total, scroll=page.scroll, facets=counts)

    return answer(await in_thread(read))


def _read(
    hub: Hub, page: Page, aspects: Sequence[str] | None
) -> dict[str, dict[str, reads.Reading]]:
    wanted: dict[str, Mapping[str, int] | None] = {}
    for hit in page.hits:
        if aspects is None:
            wanted[hit.urn] = None
        else:
            known = hub.registry.entities[hit.entity_type].aspects
            lower = {name.lower() for name in aspects}
            wanted[hit.urn] = dict.fromkeys((n for n in known if n.lower() in lower), 0)
    return reads.latest_versions(hub.registry, hub.store, wanted)


def _facets(search: Search, query: Query, page: Page, *, every: bool) -> list[dict[str, Any]]:
    """How many hits there are of each type: on this page, or of `every` hit with all facets."""
    if not every:
        counts: Mapping[str, Mapping[str, int]] = {
            "entity": Counter(hit.entity_type for hit in page.hits)
        }
    else:
        counts = search.facets(query, ["entity", *_FACETS], 20)
    return [
        {"field": name, "aggregations": dict(values)} for name, values in counts.items() if values
    ]
