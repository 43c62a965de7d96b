"""Custom assertions, their results, and the badge that follows."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part
from dataspoke.cli.conformance.model import check
from dataspoke.cli.conformance.target import now_millis

_BY = "quality plugins: every verdict is a result of a custom assertion"
_LIST = """query ($urn: String!) { dataset(urn: $urn) { assertions(start: 0, count: 10) { total
    assertions { urn info { type description customAssertion { type entityUrn logic } }
        runEvents(status: COMPLETE, limit: 5) { total failed succeeded
            runEvents { timestampMillis result { type nativeResults { key value } } } } } } } }"""


@check(by=_BY)
def stock_client_writes_an_assertion(c: Context) -> None:
    """The stock client makes a custom assertion on a urn of our choice.

    GMS: UpsertCustomAssertionResolver.java; smoke test custom_assertions_test.py.
    """
    dataset, assertion = _dataset(c), c.urn("assertion", "volume")
    _upsert(c, assertion, dataset)
    info = c.value(assertion, "assertionInfo")
    wanted = {
        "type": "CUSTOM",
        "description": "rows per day",
        "customAssertion": {"type": "Volume", "entity": dataset, "logic": "rows > 0"},
    }
    expect_part("Made a custom assertion and read it", info, wanted)
    found = c.value(assertion, "dataPlatformInstance")
    expect_part("Read its platform", found, {"platform": c.platform})


@check(by=_BY)
def assertion_is_listed_with_its_results(c: Context) -> None:
    """A dataset lists its assertions with their results, counted by kind.

    GMS: AssertionRunEventResolver.java; smoke test custom_assertions_test.py.
    """
    dataset, assertion = _dataset(c), c.urn("assertion", "volume")
    _upsert(c, assertion, dataset)
    now = now_millis()
    for number, kind in enumerate(("SUCCESS", "FAILURE")):
        done = c.graph.report_assertion_result(
            urn=assertion,
            timestamp_millis=now - 2000 + number * 1000,
            type=kind,  # type: ignore[arg-type]
            properties=[{"key": "rows", "value": str(number)}],
        )
        expect(done, f"Reported {kind}", done)

    def listed() -> Any:
        found = c.graphql(_LIST, urn=dataset)["dataset"]["assertions"]["assertions"]
        events = [(item["urn"], item["runEvents"]) for item in found]
        return [(u, e["total"], e["succeeded"], e["failed"]) for u, e in events if e]

    c.eventually(
        "Reported a success and a failure and listed the assertions",
        listed,
        want=[(assertion, 2, 1, 1)],
    )
    item = c.graphql(_LIST, urn=dataset)["dataset"]["assertions"]["assertions"][0]
    newest = item["runEvents"]["runEvents"][0]["result"]
    wanted = {"type": "FAILURE", "nativeResults": [{"key": "rows", "value": "1"}]}
    expect_part("Read the newest result", newest, wanted)
    expect_part(
        "Read what it asserts",
        item["info"],
        {"type": "CUSTOM", "customAssertion": {"type": "Volume", "entityUrn": dataset}},
    )


@check(by="dataspoke-quality-scan, which writes aspects from inside a source")
def results_written_as_aspects_count(c: Context) -> None:
    """Results that are written as aspects count like those that are reported."""
    dataset, assertion = _dataset(c), c.urn("assertion", "direct")
    _direct(c, assertion, dataset, "SUCCESS")
    c.eventually(
        "Wrote assertionInfo and assertionRunEvent and listed the assertions",
        lambda: [
            (item["urn"], (item["runEvents"] or {}).get("succeeded"))
            for item in c.graphql(_LIST, urn=dataset)["dataset"]["assertions"]["assertions"]
        ],
        want=[(assertion, 1)],
    )


@check(by=_BY)
def health_follows_the_latest_result(c: Context) -> None:
    """The health of a dataset passes or fails with the latest result of its assertions.

    GMS: EntityHealthResolver.java.
    """
    dataset, assertion = _dataset(c), c.urn("assertion", "direct")
    for kind, wanted in (("FAILURE", ["FAIL"]), ("SUCCESS", ["PASS"])):
        _direct(c, assertion, dataset, kind)
        c.eventually(
            f"Reported {kind} and asked for the health", lambda: _health(c, dataset), want=wanted
        )


@check(by=_BY)
def soft_deleted_assertion_does_not_count(c: Context) -> None:
    """An assertion that was soft-deleted is no longer in the health of its dataset.

    GMS: EntityHealthResolver.java; its relationship leaves the graph.
    """
    dataset, assertion = _dataset(c), c.urn("assertion", "direct")
    _direct(c, assertion, dataset, "FAILURE")
    c.eventually("Reported a failure", lambda: _health(c, dataset), want=["FAIL"])
    c.put(assertion, "status", {"removed": True})
    c.eventually("Soft-deleted the assertion", lambda: "FAIL" not in _health(c, dataset))


@check(by="assertion run history in the page")
def results_are_a_timeseries(c: Context) -> None:
    """Every result is kept as a point of assertionRunEvent, with the dataset that it is about."""
    dataset, assertion = _dataset(c), c.urn("assertion", "direct")
    for kind in ("SUCCESS", "FAILURE"):
        _direct(c, assertion, dataset, kind)
    from datahub.metadata.schema_classes import AssertionRunEventClass

    def kinds() -> list[str]:
        found = c.graph.get_timeseries_values(assertion, AssertionRunEventClass, {}, limit=10)
        expect_equal("Read asserteeUrn", {event.asserteeUrn for event in found} - {dataset}, set())
        return [str(event.result.type) for event in found if event.result]

    c.eventually("Read the results", kinds, want=["FAILURE", "SUCCESS"])


def _dataset(c: Context) -> str:
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    return urn


def _upsert(c: Context, assertion: str, dataset: str) -> None:
    found = c.graph.upsert_custom_assertion(
        urn=assertion,
        entity_urn=dataset,
        type="Volume",
        description="rows per day",
        platform_urn=c.platform,
        logic="rows > 0",
    )
    expect_equal("Made a custom assertion", found.get("urn"), assertion)


def _direct(c: Context, assertion: str, dataset: str, kind: str) -> None:
    """Write an assertion and a result of it as aspects; a later call is a later result."""
    custom = {"type": "Volume", "entity": dataset}
    info = {"type": "CUSTOM", "customAssertion": custom, "source": {"type": "EXTERNAL"}}
    c.put(assertion, "assertionInfo", info)
    event = {
        "timestampMillis": now_millis(),
        "runId": f"{c.target.run_id}-{kind}",
        "assertionUrn": assertion,
        "asserteeUrn": dataset,
        "status": "COMPLETE",
        "result": {"type": kind},
    }
    c.put(assertion, "assertionRunEvent", event)


def _health(c: Context, dataset: str) -> list[str]:
    query = "query ($urn: String!) { dataset(urn: $urn) { health { type status } } }"
    found = c.graphql(query, urn=dataset)["dataset"]["health"] or []
    return [item["status"] for item in found if item["type"] == "ASSERTIONS"]
