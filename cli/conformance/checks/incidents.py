"""Incidents, through GraphQL and as aspects."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.model import check
from dataspoke.cli.conformance.target import now_millis

_BY = "quality plugins: one incident per root cause"
_LIST = """query ($urn: String!) { dataset(urn: $urn) { incidents(start: 0, count: 10) { total
    incidents { urn title status { state } } } } }"""


@check(by=_BY)
def incident_is_raised_and_resolved(c: Context) -> None:
    """An incident is raised, listed on its dataset as active, and resolved.

    GMS: RaiseIncidentResolver.java, UpdateIncidentStatusResolver.java.
    """
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    raised = c.graphql(
        "mutation ($input: RaiseIncidentInput!) { raiseIncident(input: $input) }",
        input={
            "type": "OPERATIONAL",
            "title": c.name("late"),
            "description": "no rows since yesterday",
            "resourceUrn": urn,
        },
    )["raiseIncident"]
    c.own(raised)
    c.eventually(
        "Raised an incident and listed those of the dataset",
        lambda: _states(c, urn),
        want={raised: "ACTIVE"},
    )
    c.graphql(
        """mutation ($urn: String!, $input: IncidentStatusInput!) {
            updateIncidentStatus(urn: $urn, input: $input) }""",
        urn=raised,
        input={"state": "RESOLVED", "message": "rows are back"},
    )
    found = c.value(raised, "incidentInfo")["status"]
    expect_part("Resolved it", found, {"state": "RESOLVED", "message": "rows are back"})
    c.eventually("Listed it again", lambda: _states(c, urn), want={raised: "RESOLVED"})


@check(by=_BY)
def incident_of_our_own_urn_is_listed(c: Context) -> None:
    """An incident that is written as an aspect, on a urn of our choice, is listed as well."""
    urn, incident = c.dataset(), c.urn("incident", "cause")
    c.put(urn, "status", {"removed": False})
    c.put(incident, "incidentInfo", _incident(c, urn))
    c.eventually(
        "Wrote an incident and listed those of the dataset",
        lambda: _states(c, urn),
        want={incident: "ACTIVE"},
    )


@check(by=_BY)
def incident_has_no_status_aspect(c: Context) -> None:
    """An incident cannot be soft-deleted: it has no status aspect."""
    urn, incident = c.dataset(), c.urn("incident", "cause")
    c.put(incident, "incidentInfo", _incident(c, urn))
    reply = c.write(incident, "status", {"removed": True})
    expect_status("Wrote a status to an incident", reply.status, (400, 422), reply.body)


@check(by="the search service, which shows the state of a dataset")
def active_incident_is_in_the_health(c: Context) -> None:
    """An active incident makes the health of its dataset fail.

    GMS: EntityHealthResolver.java.
    """
    urn, incident = c.dataset(), c.urn("incident", "cause")
    c.put(urn, "status", {"removed": False})
    c.put(incident, "incidentInfo", _incident(c, urn))
    query = "query ($urn: String!) { dataset(urn: $urn) { health { type status } } }"

    def health() -> list[dict[str, str]]:
        found: list[dict[str, str]] = c.graphql(query, urn=urn)["dataset"]["health"] or []
        return [item for item in found if item["type"] == "INCIDENTS"]

    wanted = [{"type": "INCIDENTS", "status": "FAIL"}]
    c.eventually("Asked for the health", health, want=wanted)


def _incident(c: Context, dataset: str) -> dict[str, Any]:
    stamp = {"time": now_millis(), "actor": "urn:li:corpuser:datahub"}
    return {
        "type": "OPERATIONAL",
        "title": c.name("cause"),
        "entities": [dataset],
        "status": {"state": "ACTIVE", "lastUpdated": stamp},
        "created": stamp,
    }


def _states(c: Context, urn: str) -> dict[str, str]:
    found = c.graphql(_LIST, urn=urn)["dataset"]["incidents"]
    expect(found is not None, "Listed the incidents", found)
    states = {item["urn"]: item["status"]["state"] for item in found["incidents"]}
    expect_equal("Compared total with the list", found["total"], len(states))
    return states
