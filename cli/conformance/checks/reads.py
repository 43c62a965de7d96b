"""What our reader and the stock client read."""

from __future__ import annotations

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.http import quoted
from dataspoke.cli.conformance.model import check
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.hub.reader import HubReader

_BY = "dataspoke-vector-sync"
_TAGS = {"tags": [{"tag": "urn:li:tag:unknown"}]}


@check(by=_BY)
def batch_get_answers_what_is_there(c: Context) -> None:
    """batchGet answers of each entity the aspects that it has, and no others."""
    rich, poor = c.dataset("rich"), c.dataset("poor")
    c.put(rich, "datasetProperties", {"name": "rich"})
    c.put(rich, "globalTags", _TAGS)
    c.put(poor, "status", {"removed": False})
    names = ("datasetKey", "datasetProperties", "globalTags", "deprecation")
    body = [{"urn": urn, **{name: {} for name in names}} for urn in (rich, poor)]
    reply = c.http.post("/openapi/v3/entity/dataset/batchGet", body)
    expect_status("Asked for four aspects of two datasets", reply.status, (200,), reply.body)
    found = {entity["urn"]: set(entity) - {"urn"} for entity in reply.body}
    expect_equal(
        "Asked for four aspects of two datasets",
        {urn: sorted(aspects) for urn, aspects in found.items()},
        {rich: ["datasetKey", "datasetProperties", "globalTags"], poor: ["datasetKey"]},
    )


@check(by=_BY)
def batch_get_leaves_out_what_is_not_there(c: Context) -> None:
    """An entity that does not exist is left out of the answer of batchGet; the others are in."""
    there, absent = c.dataset("there"), c.dataset("absent")
    c.put(there, "status", {"removed": False})
    body = [{"urn": urn, "datasetKey": {}, "status": {}} for urn in (absent, there)]
    reply = c.http.post("/openapi/v3/entity/dataset/batchGet", body)
    expect_status("Asked for a known and an unknown", reply.status, (200,), reply.body)
    found = [entity["urn"] for entity in reply.body]
    expect_equal("Asked for a known and an unknown dataset", found, [there])


@check(by=_BY)
def batch_get_answers_soft_deleted_ones(c: Context) -> None:
    """A soft-deleted entity is in the answer of batchGet, with its status."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "gone"})
    c.put(urn, "status", {"removed": True})
    body = [{"urn": urn, "datasetKey": {}, "status": {}}]
    reply = c.http.post("/openapi/v3/entity/dataset/batchGet", body)
    expect_status("Asked for a soft-deleted dataset", reply.status, (200,), reply.body)
    expect(reply.body, "Asked for a soft-deleted dataset", reply.body)
    expect_part("Read its status", reply.body[0], {"status": {"value": {"removed": True}}})


@check(by=_BY)
def our_reader_reads_snapshots_and_names(c: Context) -> None:
    """Our own reader reads a dataset with the present name of what it refers to."""
    urn, tag = c.dataset(), c.urn("tag", "pii")
    c.put(tag, "tagProperties", {"name": "Personal data"})
    c.put(urn, "datasetProperties", {"name": "orders", "description": "all orders"})
    c.put(urn, "globalTags", {"tags": [{"tag": tag}]})
    absent = c.dataset("absent")
    result = _reader(c).read([urn, absent])
    expect_equal("Read a dataset that is not there", result.absent, [absent])
    expect(urn in result.found, "Read a dataset", result.bad)
    snapshot = result.found[urn]
    expect_equal("Read its description", snapshot.description, "all orders")
    expect_equal("Read the name of its tag", snapshot.names.get(tag), "Personal data")


@check(by=_BY)
def existence_is_told_by_the_key_aspect(c: Context) -> None:
    """The key aspect is there exactly as long as the entity, soft-deleted or not."""
    urn, never = c.dataset(), c.dataset("never")
    c.put(urn, "status", {"removed": True})
    reader = _reader(c)
    expect(reader.exists(urn), "Asked for the key of a soft-deleted dataset", "a 404")
    expect(not reader.exists(never), "Asked for the key of a dataset never written", "an aspect")


@check(by=_BY)
def urns_are_listed_from_the_primary_store(c: Context) -> None:
    """listUrns pages through the primary store without overlap and ends with an empty page.

    GMS: EntityResource.java, listUrns.
    """
    for number in range(4):
        c.put(c.dataset(f"d{number}"), "status", {"removed": False})
    reader = _reader(c)
    first = reader.list_urns("dataset", start=0, count=2)
    second = reader.list_urns("dataset", start=2, count=2)
    expect_equal("Asked for two pages of 2", [len(first), len(second)], [2, 2])
    expect(not set(first) & set(second), "Looked whether the pages overlap", first)
    beyond = reader.list_urns("dataset", start=1_000_000_000, count=2)
    expect_equal("Asked for a page behind the end", beyond, [])


@check(by="dataspoke index reconcile")
def aspects_are_counted(c: Context) -> None:
    """getCount counts the entities that have an aspect, by a pattern of the urn."""
    for number in range(3):
        c.put(c.dataset(f"d{number}"), "datasetProperties", {"name": "x"})
    like = c.dataset("d0").replace(".d0,", ".d%,")
    found = c.graph.get_aspect_counts("datasetProperties", urn_like=like)
    expect_equal("Counted datasetProperties by a pattern of three urns", found, 3)


@check(by="`datahub get`, the stock client")
def entity_is_read_with_all_aspects(c: Context) -> None:
    """/entitiesV2 answers an entity with the aspects that were asked for."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    c.put(urn, "status", {"removed": False})
    raw = c.graph.get_entity_raw(urn, ["datasetProperties", "status"])
    names = {"datasetProperties", "status"}
    expect(names <= set(raw["aspects"]), "Asked for two aspects", sorted(raw["aspects"]))
    value = raw["aspects"]["datasetProperties"]["value"]
    expect_part("Read one of them", value, {"name": "orders"})


@check(by="the stock client")
def unknown_entity_has_a_key_in_entities_v2(c: Context) -> None:
    """/entitiesV2 of an unknown urn is 200 with the key aspect alone, so it proves nothing.

    GMS: EntityV2Resource.java.
    """
    reply = c.http.get(f"/entitiesV2/{quoted(c.dataset('never'))}")
    expect_status("Read an unknown urn", reply.status, (200,), reply.body)
    expect_equal("Read its aspects", sorted(reply.body["aspects"]), ["datasetKey"])


@check(by="quality plugins, which read through the stock client", each_mode=True)
def stock_client_reads_many_with_types(c: Context) -> None:
    """The stock client reads many entities at once, typed, with their system metadata."""
    from datahub.metadata.schema_classes import DatasetPropertiesClass

    urns = [c.dataset(f"d{number}") for number in range(3)]
    for urn in urns[:2]:
        c.put(urn, "datasetProperties", {"name": urn[-12:]})
    found = c.graph.get_entities("dataset", urns, ["datasetProperties"], with_system_metadata=True)
    expect_equal("Read three, of which two are there", sorted(found), sorted(urns[:2]))
    value, metadata = found[urns[0]]["datasetProperties"]
    expect(isinstance(value, DatasetPropertiesClass), "Looked at the type", type(value).__name__)
    run_id = metadata.runId if metadata else None
    expect_equal("Looked at the run id", run_id, c.target.run_id)


@check(by="`datahub exists`, sources with stateful ingestion", each_mode=True)
def stock_client_tells_existence(c: Context) -> None:
    """The stock client tells whether an entity exists."""
    urn, never = c.dataset(), c.dataset("never")
    c.put(urn, "status", {"removed": False})
    found = [c.graph.exists(urn), c.graph.exists(never)]
    expect_equal("Asked for one that is there and one that is not", found, [True, False])


def _reader(c: Context) -> HubReader:
    return HubReader(HubConnection.from_graph(c.graph))
