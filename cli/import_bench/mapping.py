"""A line of a search bench as metadata change proposals. Pure.

Owners are groups, domains are `domain` entities, consumers are groups in the usage statistics,
`last_modified` is that of the properties, upstreams are lineage, databases are containers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from datahub.emitter.mcp import MetadataChangeProposalWrapper as Proposal
from datahub.metadata import schema_classes as models

from dataspoke.core.errors import ConfigError
from dataspoke.core.urns import entity_type_of, platform_of

Json = Mapping[str, Any]

ACTOR = "urn:li:corpuser:datahub"
_FIELD_TYPES: tuple[tuple[str, Callable[[], Any]], ...] = (
    (r"bool", models.BooleanTypeClass),
    (r"date|time", models.DateTypeClass),
    (r"int|num|dec|float|double|real|serial|money", models.NumberTypeClass),
    (r"array|repeated", models.ArrayTypeClass),
    (r"struct|record|json|variant|object", models.RecordTypeClass),
    (r"byte|blob|binary", models.BytesTypeClass),
)


def proposals(entity: Json, *, now: datetime) -> Iterator[Proposal]:
    """All of one line, what it refers to first. `now` dates its usage, to the day.

    Raises ConfigError for a type that has no mapping, KeyError for a line that lacks a field.
    """
    urn = str(entity["urn"])
    own = _OWN.get(str(entity["type"]))
    if own is None or entity_type_of(urn) != entity["type"]:
        raise ConfigError(
            f"Cannot import {urn} of the type {entity['type']!r}: a bench has entities of the "
            f"types {', '.join(_OWN)}. Correct its line."
        )
    for referred in referred_to(entity):
        yield Proposal(entityUrn=referred[0], aspect=referred[1])
    aspects = [*own(entity), *_labels(entity), *_usage(entity, now)]
    if database := container_urn(entity):
        aspects.append(models.ContainerClass(container=database))
    aspects.append(models.StatusClass(removed=False))
    yield from (Proposal(entityUrn=urn, aspect=aspect) for aspect in aspects)


def referred_to(entity: Json) -> Iterator[tuple[str, Any]]:
    """Tags, terms, groups, domain and database with the aspect that names them."""
    for name in dict.fromkeys([*entity.get("tags", ()), *_column_tags(entity)]):
        yield urn_of("tag", name), models.TagPropertiesClass(name=name)
    for name in entity.get("glossary_terms", ()):
        info = models.GlossaryTermInfoClass(definition="", termSource="INTERNAL", name=name)
        yield urn_of("glossaryTerm", name), info
    for name in dict.fromkeys([*entity.get("owners", ()), *entity.get("consumers", ())]):
        group = models.CorpGroupInfoClass(admins=[], members=[], groups=[], displayName=name)
        yield urn_of("corpGroup", name), group
    if domain := entity.get("domain"):
        yield urn_of("domain", domain), models.DomainPropertiesClass(name=domain)
    if database := container_urn(entity):
        name = str(entity["database"])
        yield database, models.ContainerPropertiesClass(name=name, qualifiedName=name)
        yield database, models.SubTypesClass(typeNames=["Database"])
        platform = f"urn:li:dataPlatform:{entity['platform']}"
        yield database, models.DataPlatformInstanceClass(platform=platform)


def urn_of(entity_type: str, name: str) -> str:
    """
    >>> urn_of("corpGroup", "People Ops")
    'urn:li:corpGroup:People%20Ops'
    """
    return f"urn:li:{entity_type}:{quote(name, safe='')}"


def container_urn(entity: Json) -> str:
    """Of the database of an entity; empty where it has none."""
    database = entity.get("database")
    if not database or entity["type"] == "container":
        return ""
    return urn_of("container", f"{entity['platform']}.{database}")


def _column_tags(entity: Json) -> Iterator[str]:
    for column in entity.get("columns") or ():
        yield from column.get("tags") or ()


def _labels(entity: Json) -> Iterator[Any]:
    """Written even when empty: a second import takes away what the first one had too much."""
    stamp = _stamp(entity)
    yield _tags(entity.get("tags") or ())
    terms = [urn_of("glossaryTerm", name) for name in entity.get("glossary_terms") or ()]
    if entity["type"] != "glossaryTerm":
        yield models.GlossaryTermsClass(
            terms=[models.GlossaryTermAssociationClass(urn=urn) for urn in terms],
            auditStamp=stamp,
        )
    yield models.OwnershipClass(
        owners=[
            models.OwnerClass(
                owner=urn_of("corpGroup", name), type=models.OwnershipTypeClass.TECHNICAL_OWNER
            )
            for name in entity.get("owners") or ()
        ],
        lastModified=stamp,
    )
    domain = entity.get("domain")
    yield models.DomainsClass(domains=[urn_of("domain", domain)] if domain else [])


def _tags(names: Sequence[str]) -> models.GlobalTagsClass:
    return models.GlobalTagsClass(
        tags=[models.TagAssociationClass(tag=urn_of("tag", name)) for name in names]
    )


def _usage(entity: Json, now: datetime) -> Iterator[Any]:
    consumers = [urn_of("corpGroup", name) for name in entity.get("consumers") or ()]
    if not consumers:
        return
    at = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    month = models.TimeWindowSizeClass(unit=models.CalendarIntervalClass.MONTH)
    if entity["type"] == "dataset":
        yield models.DatasetUsageStatisticsClass(
            timestampMillis=at,
            eventGranularity=month,
            uniqueUserCount=len(consumers),
            totalSqlQueries=len(consumers),
            userCounts=[models.DatasetUserUsageCountsClass(user=u, count=1) for u in consumers],
        )
    elif entity["type"] == "dashboard":
        yield models.DashboardUsageStatisticsClass(
            timestampMillis=at,
            eventGranularity=month,
            viewsCount=len(consumers),
            uniqueUserCount=len(consumers),
            userCounts=[
                models.DashboardUserUsageCountsClass(user=u, viewsCount=1) for u in consumers
            ],
        )


def _dataset(entity: Json) -> Iterator[Any]:
    modified = _moment(entity)
    yield models.DatasetPropertiesClass(
        name=_name(entity),
        qualifiedName=entity.get("qualified_name"),
        description=entity.get("description") or None,
        lastModified=models.TimeStampClass(time=modified) if modified else None,
    )
    yield models.SchemaMetadataClass(
        schemaName=str(entity["name"]),
        platform=f"urn:li:dataPlatform:{platform_of(str(entity['urn']))}",
        version=0,
        hash="",
        platformSchema=models.OtherSchemaClass(rawSchema=""),
        fields=[_field(column) for column in entity.get("columns") or ()],
    )
    yield models.UpstreamLineageClass(
        upstreams=[
            models.UpstreamClass(dataset=urn, type=models.DatasetLineageTypeClass.TRANSFORMED)
            for urn in entity.get("upstreams") or ()
        ]
    )


def _field(column: Json) -> models.SchemaFieldClass:
    native = str(column.get("type") or "")
    return models.SchemaFieldClass(
        fieldPath=str(column["name"]),
        type=models.SchemaFieldDataTypeClass(type=_field_type(native)),
        nativeDataType=native,
        description=column.get("description") or None,
        nullable=True,
        globalTags=_tags(column["tags"]) if column.get("tags") else None,
    )


def _field_type(native: str) -> Any:
    for pattern, kind in _FIELD_TYPES:
        if re.search(pattern, native, re.IGNORECASE):
            return kind()
    string: Callable[[], Any] = models.StringTypeClass
    return string()


def _dashboard(entity: Json) -> Iterator[Any]:
    upstreams = [str(urn) for urn in entity.get("upstreams") or ()]
    yield models.DashboardInfoClass(
        title=_name(entity),
        description=entity.get("description") or "",
        lastModified=models.ChangeAuditStampsClass(
            created=_stamp(entity), lastModified=_stamp(entity)
        ),
        charts=[urn for urn in upstreams if entity_type_of(urn) == "chart"],
        datasetEdges=[
            models.EdgeClass(destinationUrn=urn)
            for urn in upstreams
            if entity_type_of(urn) == "dataset"
        ],
    )


def _chart(entity: Json) -> Iterator[Any]:
    stamps = models.ChangeAuditStampsClass(created=_stamp(entity), lastModified=_stamp(entity))
    yield models.ChartInfoClass(
        title=_name(entity),
        description=entity.get("description") or "",
        lastModified=stamps,
        inputEdges=[models.EdgeClass(destinationUrn=urn) for urn in entity.get("upstreams") or ()],
    )


def _data_flow(entity: Json) -> Iterator[Any]:
    yield models.DataFlowInfoClass(name=_name(entity), description=entity.get("description"))


def _data_job(entity: Json) -> Iterator[Any]:
    info = models.DataJobInfoClass(
        name=_name(entity), type="COMMAND", description=entity.get("description")
    )
    yield info
    yield models.DataJobInputOutputClass(
        inputDatasets=[],
        outputDatasets=[],
        inputDatasetEdges=[
            models.EdgeClass(destinationUrn=urn) for urn in entity.get("upstreams") or ()
        ],
    )


def _container(entity: Json) -> Iterator[Any]:
    yield models.ContainerPropertiesClass(
        name=_name(entity),
        qualifiedName=entity.get("qualified_name"),
        description=entity.get("description"),
    )


def _term(entity: Json) -> Iterator[Any]:
    yield models.GlossaryTermInfoClass(
        name=_name(entity), definition=entity.get("description") or "", termSource="INTERNAL"
    )


def _data_product(entity: Json) -> Iterator[Any]:
    yield models.DataProductPropertiesClass(
        name=_name(entity),
        description=entity.get("description"),
        assets=[
            models.DataProductAssociationClass(destinationUrn=urn)
            for urn in entity.get("upstreams") or ()
        ],
    )


def _model(entity: Json) -> Iterator[Any]:
    yield models.MLModelPropertiesClass(name=_name(entity), description=entity.get("description"))


_OWN: Mapping[str, Callable[[Json], Iterator[Any]]] = {
    "dataset": _dataset,
    "dashboard": _dashboard,
    "chart": _chart,
    "dataFlow": _data_flow,
    "dataJob": _data_job,
    "container": _container,
    "glossaryTerm": _term,
    "dataProduct": _data_product,
    "mlModel": _model,
}


def _name(entity: Json) -> str:
    return str(entity.get("display_name") or entity["name"])


def _moment(entity: Json) -> int:
    """UTC ms of `last_modified`, which is an ISO date or time; 0 where there is none."""
    text = entity.get("last_modified")
    if not text:
        return 0
    moment = datetime.fromisoformat(str(text))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _stamp(entity: Json) -> models.AuditStampClass:
    return models.AuditStampClass(time=_moment(entity), actor=ACTOR)
