"""System metadata, versions, and writes that change nothing."""

from __future__ import annotations

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part
from dataspoke.cli.conformance.model import check

_BY = "actions: their run ids tell our own writes from those of others"


@check(by=_BY, each_mode=True)
def run_id_is_kept(c: Context) -> None:
    """The run id that a writer gives is in the system metadata."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    found = c.metadata(urn, "datasetProperties").get("runId")
    expect_equal("Read the run id", found, c.target.run_id)


@check(by="conditional writes of the quality plugins", each_mode=True)
def version_counts_the_writes(c: Context) -> None:
    """The version in the system metadata is 1 at first and grows with every change."""
    urn = c.dataset()
    found = []
    for name in ("a", "b", "c"):
        c.put(urn, "datasetProperties", {"name": name})
        found.append(c.metadata(urn, "datasetProperties").get("version"))
    expect_equal("Wrote three values and read the versions", found, ["1", "2", "3"])


@check(by="dataspoke-events and dataspoke-vector-sync: no change, no work", each_mode=True)
def same_value_makes_no_version(c: Context) -> None:
    """Writing the same value again makes no new version."""
    urn = c.dataset()
    for _ in range(2):
        c.put(urn, "datasetProperties", {"name": "orders"})
    found = c.metadata(urn, "datasetProperties").get("version")
    expect_equal("Wrote the same value twice", found, "1")


@check(by="operators who look at what was before", each_mode=True)
def older_versions_can_be_read(c: Context) -> None:
    """Version 0 is the latest, 1 the oldest, and so on upwards."""
    urn = c.dataset()
    for name in ("first", "second", "third"):
        c.put(urn, "datasetProperties", {"name": name})
    for version, name in ((0, "third"), (1, "first"), (2, "second")):
        found = c.value(urn, "datasetProperties", version=version)
        expect_part(f"Read version {version} of three", found, {"name": name})


@check(by="health plugins, for the age of a description")
def times_of_creation_and_change_are_kept(c: Context) -> None:
    """The system metadata tells when the aspect was made and last changed, and by whom."""
    c.need(1, 0, 0)
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "a"})
    first = c.metadata(urn, "datasetProperties")
    c.put(urn, "datasetProperties", {"name": "b"})
    second = c.metadata(urn, "datasetProperties")
    made, changed = second.get("aspectCreated") or {}, second.get("aspectModified") or {}
    expect_equal(
        "Read aspectCreated after a change",
        made.get("time"),
        (first.get("aspectCreated") or {}).get("time"),
    )
    met = str(changed.get("actor", "")).startswith("urn:li:corpuser:")
    expect(met and changed.get("time", 0) >= made.get("time", 1), "Read aspectModified", changed)
