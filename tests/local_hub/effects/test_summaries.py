"""What DataHub keeps about others: incidents, results, siblings, products."""

from __future__ import annotations

from typing import Any

import pytest

from dataspoke.local_hub.effects import CONSEQUENCES
from dataspoke.local_hub.patch import apply_patch

TABLE = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
MODEL = "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.orders,PROD)"
SOURCE = "urn:li:dataset:(urn:li:dataPlatform:dbt,raw.orders,PROD)"
INCIDENT, OLDER = "urn:li:incident:1", "urn:li:incident:0"
ASSERTION = "urn:li:assertion:a"


def incident(state: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "OPERATIONAL",
        "entities": [TABLE],
        "created": {"time": 5, "actor": "urn:li:corpuser:a"},
        "status": {"state": state, "lastUpdated": {"time": 9, "actor": "urn:li:corpuser:a"}},
        **fields,
    }


def follow(catalogue: Any, change: Any) -> dict[tuple[str, str], Any]:
    return {
        (proposal.urn, proposal.aspect.name): proposal.value
        for proposal in CONSEQUENCES[change.aspect.name](catalogue, change)
    }


@pytest.mark.parametrize(
    ("info", "active", "resolved"),
    [
        (
            incident("ACTIVE", priority=1),
            [{"urn": INCIDENT, "type": "OPERATIONAL", "createdAt": 5, "priority": 1}],
            [],
        ),
        (
            incident("RESOLVED", type="CUSTOM", customType="Stale"),
            [],
            [{"urn": INCIDENT, "type": "Stale", "createdAt": 5, "resolvedAt": 9}],
        ),
    ],
)
def test_an_incident_is_summed_up_at_its_asset(
    catalogue: Any, write: Any, info: Any, active: Any, resolved: Any
) -> None:
    older = {"urn": OLDER, "type": "OPERATIONAL", "createdAt": 1}
    before = {"activeIncidentDetails": [older, {**older, "urn": INCIDENT}]}
    catalogue.put(TABLE, "incidentsSummary", before)
    assert follow(catalogue, write(INCIDENT, "incidentInfo", info)) == {
        (TABLE, "incidentsSummary"): {
            "activeIncidentDetails": [older, *active],
            "resolvedIncidentDetails": resolved,
        }
    }


@pytest.mark.parametrize(
    ("event", "summary"),
    [
        ({"status": "COMPLETE", "result": {"type": "SUCCESS"}}, {"lastPassedAtMillis": 7}),
        ({"status": "COMPLETE", "result": {"type": "FAILURE"}}, None),
        ({"status": "COMPLETE", "result": {"type": "ERROR"}}, {"lastErroredAtMillis": 7}),
        ({"status": "COMPLETE", "result": {"type": "INIT"}}, None),
        ({"status": "RUNNING"}, None),
    ],
)
def test_the_last_results_of_an_assertion_are_kept(
    catalogue: Any, write: Any, event: Any, summary: Any
) -> None:
    before = {"lastFailedAtMillis": 8}  # a later failure is known
    catalogue.put(ASSERTION, "assertionRunSummary", dict(before))
    change = write(ASSERTION, "assertionRunEvent", {"timestampMillis": 7, **event})
    expected = (
        {} if summary is None else {(ASSERTION, "assertionRunSummary"): {**before, **summary}}
    )
    assert follow(catalogue, change) == expected


def lineage(*upstreams: str) -> dict[str, Any]:
    return {"upstreams": [{"dataset": urn, "type": "TRANSFORMED"} for urn in upstreams]}


def test_a_table_and_its_dbt_model_become_siblings(catalogue: Any, write: Any) -> None:
    catalogue.put(MODEL, "status", {"removed": False})
    found = follow(catalogue, write(TABLE, "upstreamLineage", lineage(MODEL, TABLE)))
    assert found == {
        (MODEL, "siblings"): {"siblings": [TABLE], "primary": True},
        (TABLE, "siblings"): {"siblings": [MODEL], "primary": False},
    }
    for (urn, aspect), value in found.items():
        catalogue.put(urn, aspect, value)
    assert follow(catalogue, write(TABLE, "upstreamLineage", lineage(MODEL))) == {}


@pytest.mark.parametrize("aspect", ["subTypes", "upstreamLineage"])
@pytest.mark.parametrize(
    ("subtype", "upstreams", "together"),
    [
        ("Source", (TABLE,), True),
        ("source", (TABLE,), True),
        ("Model", (TABLE,), False),
        ("Source", (TABLE, TABLE.replace("orders", "items")), False),
        ("Source", (MODEL,), False),
    ],
)
def test_a_dbt_source_is_the_sibling_of_the_table_that_it_describes(
    catalogue: Any, write: Any, aspect: str, subtype: str, upstreams: Any, together: bool
) -> None:
    catalogue.put(SOURCE, "subTypes", {"typeNames": [subtype]})
    catalogue.put(SOURCE, "upstreamLineage", lineage(*upstreams))
    found = follow(catalogue, write(SOURCE, aspect, catalogue.value(SOURCE, aspect)))
    assert bool(found) is together


def test_an_asset_belongs_to_the_last_product_that_took_it(catalogue: Any, write: Any) -> None:
    old, new = "urn:li:dataProduct:old", "urn:li:dataProduct:new"
    edges = [{"destinationUrn": urn} for urn in (TABLE, MODEL)]
    catalogue.put(old, "dataProductProperties", {"name": "old", "assets": edges})
    change = write(new, "dataProductProperties", {"name": "new", "assets": edges[:1]})
    ((place, patch),) = follow(catalogue, change).items()
    assert place == (old, "dataProductProperties")
    left = apply_patch("dataProductProperties", catalogue.value(*place), patch)
    assert left["assets"] == edges[1:]


def test_a_product_that_keeps_its_assets_takes_nothing(catalogue: Any, write: Any) -> None:
    product = "urn:li:dataProduct:p"
    value = {"name": "p", "assets": [{"destinationUrn": TABLE}]}
    for urn in (product, "urn:li:dataProduct:q"):
        catalogue.put(urn, "dataProductProperties", value)
    assert follow(catalogue, write(product, "dataProductProperties", value)) == {}
