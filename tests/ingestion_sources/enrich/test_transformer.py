"""The transformer inside the stock pipeline: what DataHub receives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.ingestion.api.common import EndOfStream, PipelineContext, RecordEnvelope
from datahub.metadata.schema_classes import (
    MetadataChangeProposalClass,
    OtherSchemaClass,
    SchemaFieldClass,
    SchemaFieldDataTypeClass,
    SchemaMetadataClass,
    StatusClass,
    StringTypeClass,
    SubTypesClass,
)
from enrich_rules import CONFIG, URN

from dataspoke.ingestion_sources.enrich.config import EnrichConfig
from dataspoke.ingestion_sources.enrich.transformer import EnrichTransformer

GOLDEN = Path(__file__).parent / "proposals.golden.json"


def transformer() -> EnrichTransformer:
    context = PipelineContext(run_id="run-1", pipeline_name="shop")
    return EnrichTransformer(EnrichConfig.model_validate(CONFIG), context, clock=lambda: 1.5)


def schema(*columns: str) -> SchemaMetadataClass:
    return SchemaMetadataClass(
        schemaName="customers",
        platform="urn:li:dataPlatform:postgres",
        version=0,
        hash="",
        platformSchema=OtherSchemaClass(rawSchema=""),
        fields=[
            SchemaFieldClass(
                fieldPath=column,
                type=SchemaFieldDataTypeClass(type=StringTypeClass()),
                nativeDataType="text",
            )
            for column in columns
        ],
    )


def run(*records: Any) -> list[Any]:
    envelopes = [RecordEnvelope(record, {}) for record in records]
    return [envelope.record for envelope in transformer().transform(envelopes)]


def as_values(proposals: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "entityUrn": proposal.entityUrn,
            "changeType": proposal.changeType,
            "aspectName": proposal.aspectName,
            "aspect": json.loads(proposal.aspect.value),
        }
        for proposal in proposals
    ]


def test_datahub_receives_patches_that_carry_their_source() -> None:
    subtypes = MetadataChangeProposalWrapper(entityUrn=URN, aspect=SubTypesClass(["Table"]))
    fields = MetadataChangeProposalWrapper(entityUrn=URN, aspect=schema("id", "email"))
    records = run(subtypes, fields)

    proposals = [record for record in records if isinstance(record, MetadataChangeProposalClass)]
    assert all(proposal.changeType == "PATCH" for proposal in proposals)
    assert as_values(proposals) == json.loads(GOLDEN.read_text())
    assert [records[0], records[-2]] == [subtypes, fields]


@pytest.mark.parametrize(
    "record",
    [
        EndOfStream(),
        MetadataChangeProposalWrapper(entityUrn="urn:li:tag:PII", aspect=StatusClass(False)),
        MetadataChangeProposalWrapper(entityUrn=URN, aspect=StatusClass(removed=True)),
    ],
    ids=["control record", "no dataset", "removal of a stale dataset"],
)
def test_other_records_pass_alone(record: Any) -> None:
    assert run(record) == [record]


def test_a_dataset_is_enriched_once_a_run() -> None:
    record = MetadataChangeProposalWrapper(entityUrn=URN, aspect=SubTypesClass(["Table"]))
    first, second = run(record), run(record, record)
    assert len(second) == len(first) + 1
