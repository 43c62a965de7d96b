"""Writing: change types, batches, sync and async."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context, proposal
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.http import Reply
from dataspoke.cli.conformance.model import Mode, check
from dataspoke.cli.conformance.target import now_millis

PROPERTIES = "datasetProperties"
_REFUSED = (400, 422)


@check(by="every source and action", each_mode=True)
def upsert_is_read_back(c: Context) -> None:
    """An UPSERT is read back with every value."""
    urn = c.dataset()
    value = {"name": "orders", "customProperties": {"team": "sales"}, "tags": []}
    c.put(urn, PROPERTIES, value)
    expect_equal("Wrote datasetProperties and read it", c.value(urn, PROPERTIES), value)


@check(by="every source and action", each_mode=True)
def upsert_replaces_the_aspect(c: Context) -> None:
    """A second UPSERT replaces the whole aspect: what it does not name is gone."""
    urn = c.dataset()
    c.put(urn, PROPERTIES, {"name": "orders", "description": "all orders"})
    c.put(urn, PROPERTIES, {"name": "orders"})
    found = c.value(urn, PROPERTIES)
    expect("description" not in found, "Wrote a description, then none", found)


@check(by="dataspoke-events, which keeps its positions so", each_mode=True)
def create_writes_what_is_new(c: Context) -> None:
    """A CREATE writes an aspect that is not there."""
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    c.put(urn, PROPERTIES, {"name": "orders"}, "CREATE")
    expect_part("Created an aspect", c.value(urn, PROPERTIES), {"name": "orders"})


@check(by="quality plugins, which never overwrite a rule", each_mode=True)
def create_refuses_what_is_there(c: Context) -> None:
    """A CREATE of an aspect that is there is refused and changes nothing.

    GMS: CreateIfNotExistsValidator.java.
    """
    urn = c.dataset()
    c.put(urn, PROPERTIES, {"name": "first"})
    reply = c.write(urn, PROPERTIES, {"name": "second"}, "CREATE")
    expect_status("Created an aspect that is there", reply.status, _REFUSED, reply.body)
    expect_part("Read it after the refusal", c.value(urn, PROPERTIES), {"name": "first"})


@check(by="quality plugins", each_mode=True)
def create_entity_writes_what_is_new(c: Context) -> None:
    """A CREATE_ENTITY writes an entity that is not there."""
    urn = c.dataset()
    c.put(urn, PROPERTIES, {"name": "orders"}, "CREATE_ENTITY")
    expect_part("Created an entity", c.value(urn, PROPERTIES), {"name": "orders"})


@check(by="quality plugins", each_mode=True)
def create_entity_refuses_what_is_there(c: Context) -> None:
    """A CREATE_ENTITY on an entity that is there is refused, even for a new aspect.

    GMS: CreateIfNotExistsValidator.java.
    """
    urn = c.dataset()
    c.put(urn, "status", {"removed": False})
    reply = c.write(urn, PROPERTIES, {"name": "orders"}, "CREATE_ENTITY")
    expect_status("Created an entity that is there", reply.status, _REFUSED, reply.body)
    expect_equal("Read the aspect after the refusal", c.value(urn, PROPERTIES), None)


@check(by="dataspoke-events")
def create_is_dropped_quietly_on_demand(c: Context) -> None:
    """With the header If-None-Match: * a CREATE of what is there is taken and dropped.

    GMS: CreateIfNotExistsValidator.java; checked over rest.li.
    """
    urn = c.dataset()
    c.put(urn, PROPERTIES, {"name": "first"})
    reply = propose(c, urn, PROPERTIES, {"name": "second"}, "CREATE", {"If-None-Match": "*"})
    expect_status("Created with If-None-Match: *", reply.status, (200,), reply.body)
    expect_part("Read it afterwards", c.value(urn, PROPERTIES), {"name": "first"})


@check(by="operators who restate for consumers")
def restate_is_taken(c: Context) -> None:
    """A RESTATE of what is there is taken and changes nothing."""
    urn = c.dataset()
    c.put(urn, PROPERTIES, {"name": "orders"})
    reply = propose(c, urn, PROPERTIES, {"name": "orders"}, "RESTATE")
    expect_status("Restated an aspect", reply.status, (200,), reply.body)
    expect_part("Read it afterwards", c.value(urn, PROPERTIES), {"name": "orders"})


@check(by="every source: `datahub ingest` sends batches", each_mode=True)
def batch_is_written_whole(c: Context) -> None:
    """A batch writes several aspects of several entities, in its order."""
    first, second = c.dataset("first"), c.dataset("second")
    if c.mode is Mode.RESTLI:
        metadata = {"runId": c.target.run_id, "lastObserved": now_millis()}
        proposals = [
            proposal(first, PROPERTIES, {"name": "a"}, "UPSERT", metadata),
            proposal(first, "status", {"removed": False}, "UPSERT", metadata),
            proposal(second, PROPERTIES, {"name": "b"}, "UPSERT", metadata),
            proposal(first, PROPERTIES, {"name": "later"}, "UPSERT", metadata),
        ]
        body: Any = {"proposals": proposals, "async": "false"}
        reply = c.http.post("/aspects", body, action="ingestProposalBatch")
    else:
        status = {"value": {"removed": False}}
        body = [
            {"urn": first, PROPERTIES: {"value": {"name": "later"}}, "status": status},
            {"urn": second, PROPERTIES: {"value": {"name": "b"}}},
        ]
        reply = c.http.post("/openapi/v3/entity/dataset", body, **{"async": "false"})
    expect_status("Wrote a batch", reply.status, (200,), reply.body)
    expect_part("Read the first entity", c.value(first, PROPERTIES), {"name": "later"})
    expect_equal("Read its status", c.value(first, "status"), {"removed": False})
    expect_part("Read the second entity", c.value(second, PROPERTIES), {"name": "b"})


@check(by="every source: `datahub ingest` writes so", each_mode=True)
def async_write_arrives(c: Context) -> None:
    """An asynchronous write is accepted at once and arrives in the primary store."""
    urn = c.dataset()
    reply = c.write(urn, PROPERTIES, {"name": "orders"}, asynchronous=True)
    expect_status("Wrote asynchronously", reply.status, (200, 202), reply.body)
    c.eventually(
        "Wrote asynchronously and read it", lambda: (c.value(urn, PROPERTIES) or {}).get("name")
    )


@check(by="the stock client with ASYNC_WAIT")
def async_write_can_be_traced(c: Context) -> None:
    """The trace of an asynchronous write ends with success in both stores.

    GMS: TraceController.java, TraceServiceImpl.java.
    """
    c.need(1, 0, 1)
    urn = c.dataset()
    reply = c.write(urn, PROPERTIES, {"name": "orders"}, asynchronous=True)
    expect_status("Wrote asynchronously", reply.status, (202,), reply.body)
    header = reply.headers.get("traceparent", "")
    expect(header.count("-") == 3, "Looked for the header traceparent", dict(reply.headers))
    path = f"/openapi/v1/trace/write/{header.split('-')[1]}"

    def status() -> Any:
        found = c.http.post(path, {urn: [PROPERTIES]}, onlyIncludeErrors="false", detailed="true")
        expect_status("Asked for the trace", found.status, (200,), found.body)
        return found.body[urn][PROPERTIES]["success"] and (
            found.body[urn][PROPERTIES]["primaryStorage"]["writeStatus"] != "PENDING"
        )

    c.eventually("Waited for the trace of a write to succeed", status)


@check(by="every source and action", each_mode=True)
def stock_client_writes_and_reads(c: Context) -> None:
    """The stock client emits one aspect and many, and reads them with their types."""
    from datahub.emitter.mcp import MetadataChangeProposalWrapper
    from datahub.metadata.schema_classes import DatasetPropertiesClass, StatusClass

    urns = [c.dataset(f"d{number}") for number in range(3)]
    c.graph.emit_mcp(
        MetadataChangeProposalWrapper(entityUrn=urns[0], aspect=StatusClass(removed=False))
    )
    c.graph.emit_mcps(
        [
            MetadataChangeProposalWrapper(
                entityUrn=urn, aspect=DatasetPropertiesClass(name=f"n{number}")
            )
            for number, urn in enumerate(urns)
        ]
    )
    names = [
        found.name if (found := c.graph.get_aspect(urn, DatasetPropertiesClass)) else None
        for urn in urns
    ]
    expect_equal("Emitted three aspects and read them", names, ["n0", "n1", "n2"])


def propose(
    c: Context,
    urn: str,
    aspect: str,
    value: Any,
    change: str,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Send one proposal over rest.li, with a change type that OpenAPI does not have."""
    metadata = {"runId": c.target.run_id, "lastObserved": now_millis()}
    body = {
        "proposal": proposal(urn, aspect, value, change, metadata, headers),
        "async": "false",
    }
    return c.http.post("/aspects", body, action="ingestProposal")
