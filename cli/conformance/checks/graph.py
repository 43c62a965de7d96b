"""Relationships and lineage."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect_status
from dataspoke.cli.conformance.model import check

_NEIGHBOURS = "dataspoke-vector-sync: a renamed tag refreshes all that carry it"
_LINEAGE = "quality plugins: root cause and impact follow the lineage"


@check(by=_NEIGHBOURS)
def incoming_relationships_in_pages(c: Context) -> None:
    """What points at an entity is paged by start until all are seen.

    GMS: RelationshipsController.java.
    """
    tag = c.urn("tag", "pii")
    urns = [c.dataset(f"d{number}") for number in range(3)]
    for urn in urns:
        c.put(urn, "globalTags", {"tags": [{"tag": tag}]})

    def related() -> list[str]:
        found: list[str] = []
        for start in (0, 2):
            reply = c.http.get(
                "/openapi/relationships/v1/",
                urn=tag,
                direction="INCOMING",
                relationshipTypes="TaggedWith",
                start=start,
                count=2,
            )
            expect_status("Asked for relationships", reply.status, (200,), reply.body)
            found += [entity["urn"] for entity in reply.body["entities"]]
        return sorted(found)

    c.eventually("Asked in pages of 2 who carries a tag", related, want=sorted(urns))


@check(by=_NEIGHBOURS)
def outgoing_relationships_by_type(c: Context) -> None:
    """What an entity points at is found by the type of the relationship."""
    from datahub.ingestion.graph.openapi import RelationshipDirection

    urn, up = c.dataset(), c.dataset("up")
    _downstream(c, urn, up)
    c.put(urn, "globalTags", {"tags": [{"tag": c.urn("tag", "other")}]})
    c.eventually(
        "Asked for the upstreams of a dataset",
        lambda: [
            entity.urn
            for entity in c.graph.get_related_entities(
                urn, ["DownstreamOf"], RelationshipDirection.OUTGOING
            )
        ],
        want=[up],
    )


@check(by=_NEIGHBOURS)
def relationships_of_many_are_scrolled(c: Context) -> None:
    """The relationships of a set of entities come in one scroll.

    GMS: smoke test openapi/v3/test_scroll_relationships.py.
    """
    up, downs = c.dataset("up"), [c.dataset("d1"), c.dataset("d2")]
    for urn in downs:
        _downstream(c, urn, up)
    c.eventually(
        "Scrolled over the relationships of two sources",
        lambda: {
            (edge.source_urn, edge.destination_urn)
            for edge in c.graph.scroll_relationships(
                source_urns=downs, relationship_types=["DownstreamOf"], count=10
            ).relationships
        },
        want={(urn, up) for urn in downs},
    )


@check(by=_NEIGHBOURS)
def relationship_goes_with_its_aspect(c: Context) -> None:
    """A relationship is gone when the aspect no longer names it."""
    urn, up = c.dataset(), c.dataset("up")

    def upstreams() -> set[str]:
        found = c.graph.scroll_relationships(source_urns=[urn], count=10).relationships
        return {e.destination_urn for e in found if e.relationship_type == "DownstreamOf"}

    _downstream(c, urn, up)
    c.eventually("Looked for an upstream", upstreams, want={up})
    c.put(urn, "upstreamLineage", {"upstreams": []})
    c.eventually("Removed the upstream and looked again", upstreams, want=set())


@check(by=_LINEAGE)
def lineage_is_followed_in_both_directions(c: Context) -> None:
    """The lineage scroll tells upstream from downstream.

    GMS: smoke test openapi/v3/test_scroll_lineage.py.
    """
    from datahub.ingestion.graph.openapi import LineageDirection

    urn, up, down = c.dataset(), c.dataset("up"), c.dataset("down")
    _downstream(c, urn, up)
    _downstream(c, down, urn)
    for direction, wanted in (
        (LineageDirection.UPSTREAM, {(up, urn)}),
        (LineageDirection.DOWNSTREAM, {(urn, down)}),
    ):
        c.eventually(
            f"Asked for {direction.value.lower()} lineage",
            lambda direction=direction: _edges(c, urn, direction),  # type: ignore[misc]
            want=wanted,
        )


@check(by=_LINEAGE)
def lineage_of_a_job_is_turned_round(c: Context) -> None:
    """A job is downstream of what it reads and upstream of what it writes.

    GMS: Produces has isUpstream=false; smoke test openapi/v3/test_scroll_lineage.py.
    """
    from datahub.ingestion.graph.openapi import LineageDirection

    flow = c.own(f"urn:li:dataFlow:({c.target.marker},{c.name('flow')},PROD)")
    job = c.own(f"urn:li:dataJob:({flow},load)")
    read, written = c.dataset("read"), c.dataset("written")
    c.put(job, "dataJobInputOutput", {"inputDatasets": [read], "outputDatasets": [written]})
    c.eventually(
        "Asked what is upstream of a written dataset",
        lambda: _edges(c, written, LineageDirection.UPSTREAM),
        want={(job, written)},
    )
    c.eventually(
        "Asked what is upstream of the job",
        lambda: _edges(c, job, LineageDirection.UPSTREAM),
        want={(read, job)},
    )


@check(by=_LINEAGE)
def lineage_over_several_steps(c: Context) -> None:
    """GraphQL's lineage scroll follows several steps, with their number.

    GMS: ScrollAcrossLineageResolver.java.
    """
    chain = [c.dataset(name) for name in ("one", "two", "three")]
    for up, urn in pairwise(chain):
        _downstream(c, urn, up)
    query = """query ($input: ScrollAcrossLineageInput!) { scrollAcrossLineage(input: $input) {
        searchResults { degree entity { urn } } } }"""
    wanted: dict[str, Any] = {"urn": chain[0], "direction": "DOWNSTREAM", "query": "*", "count": 10}

    def degrees() -> dict[str, int]:
        found = c.graphql(query, input=wanted)["scrollAcrossLineage"]["searchResults"]
        return {result["entity"]["urn"]: result["degree"] for result in found}

    c.eventually("Followed the lineage downstream", degrees, want={chain[1]: 1, chain[2]: 2})


def _downstream(c: Context, urn: str, up: str) -> None:
    c.put(urn, "upstreamLineage", {"upstreams": [{"dataset": up, "type": "TRANSFORMED"}]})
    c.put(up, "status", {"removed": False})


def _edges(c: Context, urn: str, direction: Any) -> set[tuple[str, str]]:
    found = c.graph.scroll_lineage(urns=[urn], direction=direction, count=100).relationships
    return {(edge.upstream_urn, edge.downstream_urn) for edge in found}
