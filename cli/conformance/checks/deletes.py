"""Deletion: soft, hard, of an aspect, of references."""

from __future__ import annotations

import time

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.http import quoted
from dataspoke.cli.conformance.model import check

_BY = "dataspoke-vector-sync"


@check(by=_BY, each_mode=True)
def soft_deletion_keeps_everything(c: Context) -> None:
    """A soft deletion marks the entity and keeps its aspects; it can be taken back."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    c.graph.soft_delete_entity(urn)
    expect_part("Soft-deleted a dataset", c.value(urn, "status"), {"removed": True})
    expect_part("Read its properties", c.value(urn, "datasetProperties"), {"name": "orders"})
    c.graph.set_soft_delete_status(urn, delete=False)
    expect_part("Took it back", c.value(urn, "status"), {"removed": False})


@check(by=_BY, each_mode=True)
def hard_deletion_leaves_nothing(c: Context) -> None:
    """A hard deletion removes every aspect; the stock client is told how many rows it were.

    GMS: EntityResource.java, delete.
    """
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    rows, _ = c.graph.hard_delete_entity(urn)
    expect(rows >= 1, "Hard-deleted a dataset and counted rows", rows)
    expect(not c.exists(urn), "Asked whether it exists", "its key aspect")
    expect_equal("Read its properties", c.value(urn, "datasetProperties"), None)


@check(by="dataspoke conformance, to clean up")
def openapi_deletes_an_entity(c: Context) -> None:
    """DELETE on an entity of OpenAPI removes it."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    reply = c.http.send("DELETE", f"/openapi/v3/entity/dataset/{quoted(urn)}")
    expect_status("Deleted a dataset over OpenAPI", reply.status, (200, 204), reply.body)
    expect(not c.exists(urn), "Asked whether it exists", "its key aspect")


@check(by="quality plugins, which take back an aspect of their own")
def openapi_deletes_one_aspect(c: Context) -> None:
    """DELETE on an aspect of OpenAPI removes that aspect alone.

    GMS: GenericEntitiesController.java, deleteAspect.
    """
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    c.put(urn, "deprecation", {"deprecated": True, "note": "", "actor": "urn:li:corpuser:datahub"})
    path = f"/openapi/v3/entity/dataset/{quoted(urn)}/deprecation"
    reply = c.http.send("DELETE", path)
    expect_status("Deleted one aspect", reply.status, (200, 204), reply.body)
    expect_equal("Read it", c.value(urn, "deprecation"), None)
    expect_part("Read another", c.value(urn, "datasetProperties"), {"name": "orders"})


@check(by=_BY)
def deleted_entity_leaves_the_index(c: Context) -> None:
    """A hard-deleted entity leaves the search index."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    c.eventually("Looked for a dataset", lambda: c.indexed("dataset", [urn]), want={urn})
    c.delete(urn)
    c.eventually("Deleted it", lambda: c.indexed("dataset", [urn]), want=set())


@check(by="dataspoke-vector-sync, for what comes back", each_mode=True)
def deleted_entity_can_be_written_again(c: Context) -> None:
    """What was hard-deleted can be written again, and begins anew."""
    urn = c.dataset()
    for name in ("a", "b"):
        c.put(urn, "datasetProperties", {"name": name})
    c.delete(urn)
    c.put(urn, "datasetProperties", {"name": "c"})
    found = c.metadata(urn, "datasetProperties").get("version")
    expect_equal("Wrote it again and read the version", found, "1")
    expect(c.exists(urn), "Asked whether it exists", "a 404")


@check(by="`datahub delete --references`")
def references_are_counted_and_removed(c: Context) -> None:
    """References to an entity are counted in a dry run, then removed from who holds them.

    GMS: DeleteEntityService.java; smoke test delete_test.py.
    """
    urn, term = c.dataset(), c.urn("glossaryTerm", "revenue")
    c.put(term, "glossaryTermInfo", {"name": "Revenue", "definition": "", "termSource": "INTERNAL"})
    stamp = {"time": 0, "actor": "urn:li:corpuser:datahub"}
    c.put(urn, "glossaryTerms", {"terms": [{"urn": term}], "auditStamp": stamp})
    c.eventually(
        "Counted the references to a term",
        lambda: c.graph.delete_references_to_urn(term, dry_run=True)[0],
        want=1,
    )
    kept = [item["urn"] for item in c.value(urn, "glossaryTerms")["terms"]]
    expect_equal("Read the dataset after a dry run", kept, [term])
    c.graph.delete_references_to_urn(term, dry_run=False)
    c.eventually(
        "Removed the references and read the dataset",
        lambda: (c.value(urn, "glossaryTerms") or {}).get("terms") or [],
        want=[],
    )


@check(by="`datahub delete --aspect`")
def points_are_deleted_by_time(c: Context) -> None:
    """The points of a timeseries aspect are deleted by their time.

    GMS: EntityResource.java, delete with aspectName.
    """
    from datahub.metadata.schema_classes import DatasetProfileClass

    urn = c.dataset()
    now = int(time.time() * 1000)
    for number in range(3):
        profile = {"timestampMillis": now + number * 1000, "rowCount": number}
        c.put(urn, "datasetProfile", profile)

    def rows() -> list[int | None]:
        found = c.graph.get_timeseries_values(urn, DatasetProfileClass, {}, limit=10)
        return [profile.rowCount for profile in found]

    c.eventually("Wrote three profiles", rows, want=[2, 1, 0])
    body = {"urn": urn, "aspectName": "datasetProfile", "endTimeMillis": now + 1000}
    reply = c.http.post("/entities", body, action="delete")
    expect_status("Deleted the older points", reply.status, (200,), reply.body)
    c.eventually("Deleted all but the newest point", rows, want=[2])
