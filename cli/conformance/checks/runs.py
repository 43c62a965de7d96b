"""Ingestion runs: what they wrote, and taking it back."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.model import check

_BY = "operators: every write of an action carries a run id, so that it can be taken back"


@check(by=_BY)
def run_is_listed(c: Context) -> None:
    """A run is listed with the number of its aspects."""
    urn, run = c.dataset(), _run(c)
    c.put(urn, "datasetProperties", {"name": "x"}, run_id=run)

    def rows() -> Any:
        body = {"pageOffset": 0, "pageSize": 1000, "includeSoft": False}
        found = _call(c, "list", body)
        return any(item["runId"] == run and item["rows"] >= 1 for item in found)

    c.eventually("Wrote with a run id and listed the runs", rows)


@check(by=_BY)
def run_is_described(c: Context) -> None:
    """A run is described by the aspects that it wrote."""
    urn, run = c.dataset(), _run(c)
    c.put(urn, "datasetProperties", {"name": "x"}, run_id=run)

    def aspects() -> set[tuple[str, str]]:
        body = {"runId": run, "start": 0, "count": 100, "includeSoft": False}
        return {(item["urn"], item["aspectName"]) for item in _call(c, "describe", body)}

    c.eventually(
        "Wrote with a run id and described the run",
        lambda: (urn, "datasetProperties") in aspects(),
    )


@check(by=_BY)
def dry_run_of_a_rollback_changes_nothing(c: Context) -> None:
    """A dry run tells what a rollback would touch, and touches nothing."""
    urn, run = c.dataset(), _run(c)
    c.put(urn, "datasetProperties", {"name": "x"}, run_id=run)
    _rolled_back(c, run, dry=True)
    expect_part("Read the aspect", c.value(urn, "datasetProperties"), {"name": "x"})


@check(by=_BY)
def rollback_brings_back_what_was_before(c: Context) -> None:
    """A rollback brings back the value that another run had written.

    GMS: EntityServiceImpl.java, rollbackRun.
    """
    urn, run = c.dataset(), _run(c)
    c.put(urn, "datasetProperties", {"name": "before"}, run_id=f"{run}-before")
    c.put(urn, "datasetProperties", {"name": "after"}, run_id=run)
    _rolled_back(c, run)
    expect_part("Rolled back", c.value(urn, "datasetProperties"), {"name": "before"})


@check(by=_BY)
def rollback_removes_what_the_run_made(c: Context) -> None:
    """A rollback removes an aspect that had no value before, and leaves those of other runs."""
    urn, run = c.dataset(), _run(c)
    c.put(urn, "datasetProperties", {"name": "kept"}, run_id=f"{run}-before")
    c.put(urn, "globalTags", {"tags": [{"tag": c.urn("tag", "t")}]}, run_id=run)
    _rolled_back(c, run)
    expect_equal("Rolled back", c.value(urn, "globalTags"), None)
    kept = c.value(urn, "datasetProperties")
    expect_part("Read the aspect of another run", kept, {"name": "kept"})


def _run(c: Context) -> str:
    return c.name("run")


def _rolled_back(c: Context, run: str, *, dry: bool = False) -> None:
    """Roll back once the server's index of runs knows the run."""
    body = {"runId": run, "start": 0, "count": 10, "includeSoft": False}
    c.eventually("Waited for the index of runs", lambda: _call(c, "describe", body))
    order = {"runId": run, "dryRun": dry, "safe": True, "hardDelete": False}
    found = _call(c, "rollback", order)
    expect(found.get("aspectRowSummaries"), "Rolled back and listed what it touched", found)


def _call(c: Context, action: str, body: dict[str, Any]) -> Any:
    reply = c.http.post("/runs", body, action=action)
    expect_status(f"Called {action} of the runs", reply.status, (200,), reply.body)
    return reply.body["value"]
