"""Incidents, and the health badge that they turn red."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hub_client import Client

Ask = Callable[..., Any]
TABLE = "urn:li:dataset:(urn:li:dataPlatform:postgres,{},PROD)"
RAISE = "mutation x($input: RaiseIncidentInput!) { raiseIncident(input: $input) }"
STATUS = """mutation x($urn: String!, $input: IncidentStatusInput!) {
  updateIncidentStatus(urn: $urn, input: $input) }"""
UPDATE = """mutation x($urn: String!, $input: UpdateIncidentInput!) {
  updateIncident(urn: $urn, input: $input) }"""


def _table(hub: Client, name: str) -> str:
    urn = TABLE.format(name)
    hub.must_put(urn, "datasetProperties", {"name": name})
    return urn


def _raise(ask: Ask, table: str, **given: Any) -> str:
    urn = ask(RAISE, input={"type": "OPERATIONAL", "resourceUrn": table, **given})
    assert isinstance(urn, str)
    assert urn.startswith("urn:li:incident:"), urn
    return urn


def _incidents(ask: Ask, table: str, conditions: str = "") -> Any:
    query = """query x($urn: String!) { dataset(urn: $urn) { incidents%s {
      start count total incidents { urn title priority status { state stage message } } } } }"""
    return ask(query % conditions, urn=table)["incidents"]


def test_an_incident_is_kept_as_gms_keeps_it(hub: Client, ask: Ask) -> None:
    table = _table(hub, "kept")
    urn = _raise(ask, table, title="Late", priority="HIGH", assigneeUrns=["urn:li:corpuser:ada"])
    info = hub.get(urn, "incidentInfo")
    stamp = info.pop("created")
    assert stamp["actor"] == "urn:li:corpuser:datahub"
    assert info == {
        "type": "OPERATIONAL",
        "title": "Late",
        "entities": [table],
        "priority": 1,
        "assignees": [{"actor": "urn:li:corpuser:ada", "assignedAt": stamp}],
        "status": {"state": "ACTIVE", "lastUpdated": stamp},
        "source": {"type": "MANUAL"},
    }


def test_incidents_are_listed_by_what_is_asked_for(hub: Client, ask: Ask) -> None:
    table = _table(hub, "listed")
    ada = "urn:li:corpuser:ada"
    urgent = _raise(ask, table, title="a", priority="CRITICAL", assigneeUrns=[ada])
    triaged = _raise(ask, table, title="b", status={"state": "ACTIVE", "stage": "TRIAGE"})
    done = _raise(ask, table, title="c", priority="LOW")
    assert ask(STATUS, urn=done, input={"state": "RESOLVED", "message": "fixed"}) is True
    for conditions, expected in (
        ("", {urgent, triaged, done}),
        ("(state: ACTIVE)", {urgent, triaged}),
        ("(state: RESOLVED)", {done}),
        ("(stage: TRIAGE)", {triaged}),
        ("(priority: CRITICAL)", {urgent}),
        ("(priority: MEDIUM)", set()),
        (f'(assigneeUrns: ["{ada}"])', {urgent}),
    ):
        found = _incidents(ask, table, conditions)
        assert {one["urn"] for one in found["incidents"]} == expected, conditions
        assert found["total"] == len(expected)
    page = _incidents(ask, table, "(start: 1, count: 1)")
    assert (page["start"], page["count"], page["total"], len(page["incidents"])) == (1, 1, 3, 1)


def test_an_update_clears_priority_and_assignees_only(hub: Client, ask: Ask) -> None:
    urn = _raise(ask, _table(hub, "updated"), title="a", description="why", priority="LOW")
    assert ask(UPDATE, urn=urn, input={"title": "b"}) is True
    info = hub.get(urn, "incidentInfo")
    assert (info["title"], info["description"]) == ("b", "why")
    assert "priority" not in info


@pytest.mark.parametrize("document", [STATUS, UPDATE])
def test_an_incident_that_is_not_there_cannot_be_updated(ask: Ask, document: str) -> None:
    given = {"state": "ACTIVE"} if document == STATUS else {"title": "x"}
    answer = ask(document, urn="urn:li:incident:none", input=given)
    assert answer == "Failed to update incident. Incident does not exist."


def test_an_incident_needs_an_asset(ask: Ask) -> None:
    assert "At least 1 resource" in ask(RAISE, input={"type": "SQL"})


HEALTH = """query x($urn: String!) { dataset(urn: $urn) { health {
  type status message causes activeIncidentHealthDetails { latestIncidentUrn count } } } }"""


def test_active_incidents_turn_the_badge_red(hub: Client, ask: Ask) -> None:
    table = _table(hub, "badge")
    assert ask(HEALTH, urn=table)["health"] == [
        {
            "type": "INCIDENTS",
            "status": "PASS",
            "message": None,
            "causes": None,
            "activeIncidentHealthDetails": None,
        }
    ]
    _raise(ask, table)
    latest = _raise(ask, table, title="later")
    assert ask(STATUS, urn=latest, input={"state": "ACTIVE", "message": "still"}) is True
    (health,) = ask(HEALTH, urn=table)["health"]
    assert health["message"] == "2 active incidents"
    assert health["causes"] == ["ACTIVE_INCIDENTS"]
    assert health["activeIncidentHealthDetails"]["count"] == 2
