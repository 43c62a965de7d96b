"""Assertions, their results, contracts made of them, and their part of the health badge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hub_client import Client

Ask = Callable[..., Any]
TABLE = "urn:li:dataset:(urn:li:dataPlatform:postgres,{},PROD)"
UPSERT = """mutation x($urn: String, $input: UpsertCustomAssertionInput!) {
  upsertCustomAssertion(urn: $urn, input: $input) { urn } }"""
REPORT = """mutation x($urn: String!, $result: AssertionResultInput!) {
  reportAssertionResult(urn: $urn, result: $result) }"""
RUNS = """query x($urn: String!, $filter: FilterInput, $limit: Int) { assertion(urn: $urn) {
  runEvents(status: COMPLETE, filter: $filter, limit: $limit) {
    total succeeded failed errored
    runEvents { timestampMillis result { type severity error { type properties { key value } } } }
  } } }"""


def _custom(ask: Ask, table: str, **given: Any) -> str:
    named = {"type": "Rule", "description": "d", "platform": {"name": "checks"}}
    urn = ask(UPSERT, input={"entityUrn": table, **named, **given})["urn"]
    assert isinstance(urn, str)
    return urn


def test_a_custom_assertion_is_kept_as_gms_keeps_it(hub: Client, ask: Ask) -> None:
    table = TABLE.format("kept")
    urn = _custom(ask, table, fieldPaths=["a", "b"], logic="a > b", externalUrl="http://x")
    columns = [f"urn:li:schemaField:({table},{path})" for path in ("a", "b")]
    info = hub.get(urn, "assertionInfo")
    assert info["customAssertion"] == {
        "type": "Rule",
        "entity": table,
        "field": columns[0],
        "fields": columns,
        "logic": "a > b",
    }
    assert (info["type"], info["source"]) == ("CUSTOM", {"type": "EXTERNAL"})
    assert hub.get(urn, "dataPlatformInstance") == {"platform": "urn:li:dataPlatform:checks"}
    query = """query x($urn: String!) { assertion(urn: $urn) {
      dataset { urn } info { customAssertion { entityUrn field { path } fields { path } } } } }"""
    found = ask(query, urn=urn)
    assert found["dataset"] == {"urn": table}
    assert found["info"]["customAssertion"] == {
        "entityUrn": table,
        "field": {"path": "a"},
        "fields": [{"path": "a"}, {"path": "b"}],
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"platform": {}}, "Platform Name or Platform Urn must be specified"),
        ({"fieldPaths": ["a", " "]}, "must not contain blank entries"),
    ],
)
def test_a_senseless_assertion_is_refused(ask: Ask, given: Any, reason: str) -> None:
    named = {"type": "t", "description": "d", "platform": {"name": "checks"}}
    answer = ask(UPSERT, input={"entityUrn": TABLE.format("no"), **named, **given})
    assert reason in answer


def test_results_are_counted_and_shown_the_newest_first(ask: Ask) -> None:
    urn = _custom(ask, TABLE.format("counted"))
    error = {"type": "SOURCE_QUERY_FAILED", "message": "denied"}
    for result in (
        {"timestampMillis": 1000, "type": "SUCCESS", "severity": "LOW"},
        {"timestampMillis": 2000, "type": "FAILURE", "severity": "HIGH"},
        {"timestampMillis": 3000, "type": "ERROR", "error": error},
    ):
        assert ask(REPORT, urn=urn, result=result) is True
    found = ask(RUNS, urn=urn)["runEvents"]
    counts = [found[name] for name in ("total", "succeeded", "failed", "errored")]
    assert counts == [3, 1, 1, 1]
    assert [event["timestampMillis"] for event in found["runEvents"]] == [3000, 2000, 1000]
    assert [event["result"]["severity"] for event in found["runEvents"]] == [None, "HIGH", None]
    assert found["runEvents"][0]["result"]["error"] == {
        "type": "SOURCE_QUERY_FAILED",
        "properties": [{"key": "message", "value": "denied"}],
    }
    failures = {"and": [{"field": "result.type", "values": ["FAILURE"]}]}
    assert ask(RUNS, urn=urn, filter=failures)["runEvents"]["total"] == 1
    assert ask(RUNS, urn=urn, limit=2)["runEvents"]["total"] == 2


def test_a_result_needs_an_assertion(ask: Ask) -> None:
    answer = ask(REPORT, urn="urn:li:assertion:none", result={"type": "SUCCESS"})
    assert "does not exist or is not associated with any entity" in answer


LISTED = """query x($urn: String!) { dataset(urn: $urn) {
  assertions { total assertions { urn } } health { type status message causes } } }"""


def test_deleted_assertions_leave_their_asset(hub: Client, ask: Ask) -> None:
    table = TABLE.format("listed")
    gone, failing, fine = (_custom(ask, table, description=name) for name in "abc")
    ask(REPORT, urn=failing, result={"type": "FAILURE"})
    ask(REPORT, urn=fine, result={"type": "SUCCESS"})
    hub.must_put(gone, "status", {"removed": True})
    found = ask(LISTED, urn=table)
    assert {one["urn"] for one in found["assertions"]["assertions"]} == {failing, fine}
    (badge,) = (one for one in found["health"] if one["type"] == "ASSERTIONS")
    assert badge["message"] == "1 of 2 assertions are failing"
    assert badge["causes"] == [failing]
    assert ask("mutation x($urn: String!) { deleteAssertion(urn: $urn) }", urn=failing) is True
    found = ask(LISTED, urn=table)
    assert found["assertions"]["total"] == 1
    assert "All assertions are passing" in {one["message"] for one in found["health"]}


def test_a_dataset_has_one_contract(hub: Client, ask: Ask) -> None:
    table = TABLE.format("promised")
    hub.must_put(table, "datasetProperties", {"name": "promised"})
    assertion = _custom(ask, table)
    upsert = """mutation x($input: UpsertDataContractInput!) { upsertDataContract(input: $input) {
      urn status { state } properties { entityUrn dataQuality { assertion { urn } } } } }"""
    given = {"entityUrn": table, "dataQuality": [{"assertionUrn": assertion}]}
    first = ask(upsert, input=given)
    assert first["properties"] == {
        "entityUrn": table,
        "dataQuality": [{"assertion": {"urn": assertion}}],
    }
    second = ask(upsert, input={"entityUrn": table, "state": "PENDING"})
    assert second["urn"] == first["urn"]
    assert second["status"] == {"state": "PENDING"}
    assert second["properties"]["dataQuality"] is None
    missing = {"entityUrn": table, "schema": [{"assertionUrn": "urn:li:assertion:none"}]}
    assert "urn:li:assertion:none does not exist" in ask(upsert, input=missing)
