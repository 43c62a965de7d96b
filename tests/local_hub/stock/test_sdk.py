"""`DataHubGraph` and `DataHubClient` as plugins use them, over rest.li and over the OpenAPI."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.emitter.mcp_builder import DatabaseKey
from datahub.emitter.rest_emitter import EmitMode
from datahub.errors import ItemNotFoundError, SdkUsageError
from datahub.ingestion.graph.client import DataHubGraph
from datahub.ingestion.graph.config import DatahubClientConfig
from datahub.ingestion.graph.filters import RemovedStatusFilter
from datahub.metadata.schema_classes import (
    AuditStampClass,
    CorpUserInfoClass,
    DatasetProfileClass,
    DatasetPropertiesClass,
    DatasetUsageStatisticsClass,
    DomainPropertiesClass,
    DomainsClass,
    GlobalTagsClass,
    GlossaryTermInfoClass,
    OwnershipClass,
    StatusClass,
    TagAssociationClass,
    TagPropertiesClass,
)
from datahub.sdk.chart import Chart
from datahub.sdk.container import Container
from datahub.sdk.dashboard import Dashboard
from datahub.sdk.dataflow import DataFlow
from datahub.sdk.datajob import DataJob
from datahub.sdk.dataset import Dataset
from datahub.sdk.document import Document
from datahub.sdk.entity import Entity
from datahub.sdk.glossary_node import GlossaryNode
from datahub.sdk.glossary_term import GlossaryTerm
from datahub.sdk.main_client import DataHubClient
from datahub.sdk.mlmodel import MLModel
from datahub.sdk.mlmodelgroup import MLModelGroup
from datahub.sdk.search_filters import Filter
from datahub.sdk.search_filters import FilterDsl as F
from datahub.sdk.tag import Tag
from hub_process import HubProcess

ADA = "urn:li:corpuser:sdk_ada"
DOMAIN = "urn:li:domain:sdk"
TERM = "urn:li:glossaryTerm:sdk"


@pytest.fixture(scope="module", params=["restli", "openapi"])
def graph(request: pytest.FixtureRequest, hub: HubProcess) -> Iterator[DataHubGraph]:
    config = DatahubClientConfig(server=hub.url, openapi_ingestion=request.param == "openapi")
    client = DataHubGraph(config)
    client.test_connection()
    yield client
    client.close()


@pytest.fixture(scope="module")
def mode(graph: DataHubGraph) -> str:
    return "openapi" if graph.config.openapi_ingestion else "restli"


@pytest.fixture(scope="module")
def client(graph: DataHubGraph) -> DataHubClient:
    """With a user, a domain and a term that the tests name."""
    emit(graph, ADA, CorpUserInfoClass(active=True, displayName="Sdk Ada", email="ada@sdk.org"))
    emit(graph, DOMAIN, DomainPropertiesClass(name="Sdk domain"))
    emit(graph, TERM, GlossaryTermInfoClass(definition="d", termSource="INTERNAL", name="Sdk term"))
    emit(graph, "urn:li:tag:sdk", TagPropertiesClass(name="sdk"))
    return DataHubClient(graph=graph)


def emit(graph: DataHubGraph, urn: str, aspect: Any) -> None:
    graph.emit_mcp(MetadataChangeProposalWrapper(entityUrn=urn, aspect=aspect))


def table(mode: str, name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:{mode},{name},PROD)"


_ENTITIES: dict[str, Callable[[str], Entity]] = {
    "dataset": lambda mode: Dataset(
        platform=mode, name="made", schema=[("a", "int", "the a"), ("b", "string")]
    ),
    "container": lambda mode: Container(
        DatabaseKey(platform=mode, database="made"), display_name="Made"
    ),
    "chart": lambda mode: Chart(platform=mode, name="made", display_name="Made"),
    "dashboard": lambda mode: Dashboard(platform=mode, name="made", display_name="Made"),
    "dataFlow": lambda mode: DataFlow(platform=mode, name="made"),
    "dataJob": lambda mode: DataJob(name="made", flow_urn=f"urn:li:dataFlow:({mode},made,PROD)"),
    "mlModel": lambda mode: MLModel(id="made", platform=mode),
    "mlModelGroup": lambda mode: MLModelGroup(id="made", platform=mode, name="made"),
    "glossaryTerm": lambda mode: GlossaryTerm(id=f"{mode}.made", definition="made"),
    "glossaryNode": lambda mode: GlossaryNode(id=f"{mode}.made", definition="made"),
    "tag": lambda mode: Tag(name=f"{mode}.made"),
    "document": lambda mode: Document.create_document(id=f"{mode}.made", title="Made", text="made"),
}


@pytest.mark.parametrize("kind", _ENTITIES)
def test_each_kind_of_entity_lives_its_life(client: DataHubClient, mode: str, kind: str) -> None:
    entity = _ENTITIES[kind](mode)
    client.entities.create(entity)
    with pytest.raises(SdkUsageError):
        client.entities.create(entity)
    found = client.entities.get(str(entity.urn))
    assert type(found) is type(entity)
    if hasattr(found, "set_description"):
        found.set_description("described")
        client.entities.update(found)
        again: Any = client.entities.get(str(entity.urn))
        assert again.description == "described"
    if hasattr(found, "add_owner"):
        found.add_owner(ADA)
        client.entities.upsert(found)
        again = client.entities.get(str(entity.urn))
        assert [str(one.owner) for one in again.owners or ()] == [ADA]
    client.entities.delete(str(entity.urn))
    status = client._graph.get_aspect(str(entity.urn), StatusClass)
    assert status is not None
    assert status.removed
    client.entities.delete(str(entity.urn), hard=True)
    with pytest.raises(ItemNotFoundError):
        client.entities.get(str(entity.urn))


def test_tags_terms_domains_and_columns_are_edited(client: DataHubClient, mode: str) -> None:
    urn = table(mode, "edited")
    client.entities.upsert(Dataset(platform=mode, name="edited", schema=[("a", "int")]))
    dataset = client.entities.get(urn)
    assert isinstance(dataset, Dataset)
    dataset.add_tag("urn:li:tag:sdk")
    dataset.add_term(TERM)
    dataset.set_domain(DOMAIN)
    dataset["a"].set_description("the a")
    dataset["a"].add_tag("urn:li:tag:sdk")
    client.entities.update(dataset)
    found = client.entities.get(urn)
    assert isinstance(found, Dataset)
    assert found.tags is not None
    assert found.terms is not None
    assert [str(tag.tag) for tag in found.tags] == ["urn:li:tag:sdk"]
    assert [str(term.urn) for term in found.terms] == [TERM]
    assert str(found.domain) == DOMAIN
    assert found["a"].description == "the a"
    assert found["a"].tags is not None
    dataset.remove_tag("urn:li:tag:sdk")
    client.entities.update(dataset)
    assert not client._graph.get_tags(urn).tags  # type: ignore[union-attr]


def test_names_are_resolved(client: DataHubClient) -> None:
    assert str(client.resolve.user(name="Sdk Ada")) == ADA
    assert str(client.resolve.user(email="ada@sdk.org")) == ADA
    assert str(client.resolve.domain(name="Sdk domain")) == DOMAIN
    assert str(client.resolve.term(name="Sdk term")) == TERM
    with pytest.raises(ItemNotFoundError):
        client.resolve.domain(name="no such domain")


@pytest.fixture(scope="module")
def found(client: DataHubClient, mode: str) -> str:
    """A platform with a tagged, an owned and a removed dataset."""
    platform = f"{mode}found"
    one, two, gone = (
        Dataset(platform=platform, name=name, display_name=name) for name in ("one", "two", "gone")
    )
    one.set_custom_properties({"k": "v"})
    one.add_tag("urn:li:tag:sdk")
    two.add_owner(ADA)
    two.set_domain(DOMAIN)
    for dataset in (one, two, gone):
        client.entities.upsert(dataset)
    client._graph.soft_delete_entity(str(gone.urn))
    return platform


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (F.tag("urn:li:tag:sdk"), {"one"}),
        (F.owner(ADA), {"two"}),
        (F.domain(DOMAIN), {"two"}),
        (F.not_(F.tag("urn:li:tag:sdk")), {"two"}),
        (F.or_(F.tag("urn:li:tag:sdk"), F.owner(ADA)), {"one", "two"}),
        (F.and_(F.tag("urn:li:tag:sdk"), F.owner(ADA)), set()),
        (F.has_custom_property("k", "v"), {"one"}),
        (F.env("PROD"), {"one", "two"}),
        (F.entity_type("chart"), set()),
        (F.custom_filter("name", "CONTAIN", ["wo"]), {"two"}),
        (F.soft_deleted(RemovedStatusFilter.ONLY_SOFT_DELETED), {"gone"}),
    ],
)
def test_search_filters(
    client: DataHubClient, found: str, filter_: Filter, expected: set[str]
) -> None:
    urns = client.search.get_urns(filter=F.and_(F.platform(found), filter_))
    assert {str(urn) for urn in urns} == {table(found, name) for name in expected}


def test_lineage_is_added_and_got(client: DataHubClient, mode: str) -> None:
    platform = f"{mode}lines"
    names = ("up", "mid", "down", "alone")
    for name in names:
        client.entities.upsert(
            Dataset(platform=platform, name=name, schema=[("id", "int"), ("sum", "int")])
        )
    up, mid, down, alone = (table(platform, name) for name in names)
    client.lineage.add_lineage(upstream=up, downstream=mid, column_lineage=True)
    client.lineage.add_lineage(upstream=mid, downstream=down, column_lineage={"sum": ["id"]})

    def got(**options: Any) -> list[tuple[str, int]]:
        found = client.lineage.get_lineage(**options)
        return sorted((one.urn, one.hops) for one in found)

    assert got(source_urn=up, direction="downstream") == [(mid, 1)]
    assert got(source_urn=down, max_hops=3) == sorted([(mid, 1), (up, 2)])
    assert got(source_urn=up, source_column="id", direction="downstream", max_hops=3) == sorted(
        [(mid, 1), (down, 2)]
    )
    assert got(source_urn=up, source_column="sum", direction="downstream", max_hops=3) == [(mid, 1)]
    assert not got(source_urn=alone)


def test_lineage_is_read_out_of_sql(client: DataHubClient, mode: str) -> None:
    source, made = (table("postgres", f"db.{mode}.{name}") for name in ("source", "made"))
    for name in ("source", "made"):
        client.entities.upsert(
            Dataset(platform="postgres", name=f"db.{mode}.{name}", schema=[("id", "int")])
        )
    client.lineage.infer_lineage_from_sql(
        query_text="INSERT INTO made SELECT id FROM source",
        platform="postgres",
        default_db="db",
        default_schema=mode,
    )
    found = client.lineage.get_lineage(source_urn=made, source_column="id")
    assert [(one.urn, len(one.paths or ())) for one in found] == [(source, 2)]


@pytest.mark.parametrize("emit_mode", list(EmitMode))
def test_every_way_to_emit_is_read_at_once(
    graph: DataHubGraph, mode: str, emit_mode: EmitMode
) -> None:
    urns = [table(mode, f"{emit_mode.value}{number}") for number in range(3)]
    proposals = [
        MetadataChangeProposalWrapper(entityUrn=urn, aspect=DatasetPropertiesClass(name=urn))
        for urn in urns
    ]
    graph.emit_mcp(proposals[0], emit_mode=emit_mode)
    graph.emit_mcps(proposals[1:], emit_mode=emit_mode)
    found = graph.get_entities("dataset", urns, ["datasetProperties"])
    assert set(found) == set(urns)


def test_aspects_are_read_in_every_way(graph: DataHubGraph, mode: str) -> None:
    urn = table(mode, "read")
    emit(graph, urn, DatasetPropertiesClass(name="read", description="café"))
    emit(graph, urn, GlobalTagsClass([TagAssociationClass("urn:li:tag:sdk")]))
    emit(graph, urn, DomainsClass([DOMAIN]))
    assert graph.get_ownership(urn) is None
    assert graph.get_schema_metadata(urn) is None
    tags, domain = graph.get_tags(urn), graph.get_domain(urn)
    assert tags is not None
    assert domain is not None
    assert domain.domains == [DOMAIN]
    raw = graph.get_entity_raw(urn, ["datasetProperties"])
    assert raw["aspects"]["datasetProperties"]["value"]["description"] == "café"
    proposals = graph.get_entity_as_mcps(urn, ["datasetProperties", "domains"])
    assert {one.aspectName for one in proposals} == {"datasetProperties", "domains"}
    assert set(graph.get_entity_semityped(urn)) >= {"datasetKey", "globalTags", "domains"}
    assert graph.get_aspect_counts("datasetProperties", urn_like=f"%{mode},read%") == 1
    assert urn in (graph.list_all_entity_urns("dataset", 0, 100_000) or ())


def test_timeseries_are_filtered_and_deleted(graph: DataHubGraph, mode: str) -> None:
    urn, hour = table(mode, "timed"), 3_600_000
    now = int(time.time() * 1000) // hour * hour
    for number in range(5):
        emit(graph, urn, DatasetProfileClass(timestampMillis=now - number * hour, rowCount=number))
    emit(graph, urn, DatasetUsageStatisticsClass(timestampMillis=now, totalSqlQueries=7))
    latest = graph.get_latest_timeseries_value(urn, DatasetProfileClass, {})
    assert latest is not None
    assert latest.rowCount == 0
    values = graph.get_timeseries_values(urn, DatasetProfileClass, {}, limit=3)
    assert [value.rowCount for value in values] == [0, 1, 2]
    usage = graph.get_usage_aspects_from_urn(urn, now - hour, now + hour)
    assert usage is not None
    assert [one.totalSqlQueries for one in usage] == [7]
    assert graph.hard_delete_timeseries_aspect(urn, "datasetProfile", None, None) == 5
    assert graph.get_timeseries_values(urn, DatasetProfileClass, {}) == []


def test_urns_are_scrolled_under_filters(graph: DataHubGraph, mode: str) -> None:
    platform = f"{mode}many"
    urns = {table(platform, f"t{number}") for number in range(25)}
    graph.emit_mcps(
        [
            MetadataChangeProposalWrapper(entityUrn=urn, aspect=DatasetPropertiesClass(name=urn))
            for urn in sorted(urns)
        ]
    )
    found = list(graph.get_urns_by_filter(platform=platform, batch_size=10))
    assert sorted(found) == sorted(urns)
    gone = sorted(urns)[0]
    graph.set_soft_delete_status(gone, True, run_id="sdk")
    for status, expected in (
        (RemovedStatusFilter.NOT_SOFT_DELETED, urns - {gone}),
        (RemovedStatusFilter.ONLY_SOFT_DELETED, {gone}),
        (RemovedStatusFilter.ALL, urns),
    ):
        assert set(graph.get_urns_by_filter(platform=platform, status=status)) == expected
    graph.set_soft_delete_status(gone, False, run_id="sdk")
    assert gone in set(graph.get_urns_by_filter(entity_types=["dataset"], platform=platform))
    results = graph.get_results_by_filter(
        entity_types=["dataset"], platform=platform, extra_source_fields=["name"]
    )
    assert len(list(results)) == 25


def test_graphql_and_assertions(graph: DataHubGraph, mode: str) -> None:
    urn = table(mode, "asserted")
    emit(graph, urn, DatasetPropertiesClass(name="asserted"))
    query = "query d($urn: String!) { dataset(urn: $urn) { properties { name } } }"
    found = graph.execute_graphql(query, {"urn": urn})
    assert found == {"dataset": {"properties": {"name": "asserted"}}}
    assertion = f"urn:li:assertion:{mode}"
    graph.upsert_custom_assertion(
        assertion, urn, "Row count", "Enough rows", platform_urn=f"urn:li:dataPlatform:{mode}"
    )
    assert graph.report_assertion_result(assertion, int(time.time() * 1000), "FAILURE")
    asked = "query a($urn: String!) { assertion(urn: $urn) { runEvents(limit: 1) { failed } } }"
    counted = graph.execute_graphql(asked, {"urn": assertion})
    assert counted["assertion"]["runEvents"]["failed"] == 1


def test_stamps_of_a_writer_are_kept(graph: DataHubGraph, mode: str) -> None:
    urn, stamp = table(mode, "stamped"), AuditStampClass(1_700_000_000_000, ADA)
    emit(graph, urn, OwnershipClass([], lastModified=stamp))
    found = graph.get_ownership(urn)
    assert found is not None
    assert found.lastModified == stamp
