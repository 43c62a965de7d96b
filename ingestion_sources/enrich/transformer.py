"""The transformer `dataspoke-enrich`: governance as rules, beside any source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.ingestion.api.common import ControlRecord, PipelineContext, RecordEnvelope
from datahub.ingestion.api.transform import Transformer
from datahub.metadata.schema_classes import (
    AuditStampClass,
    DomainAssociationClass,
    EditableSchemaMetadataClass,
    GlossaryTermAssociationClass,
    MetadataAttributionClass,
    MetadataChangeEventClass,
    MetadataChangeProposalClass,
    OwnerClass,
    OwnershipTypeClass,
    SchemaMetadataClass,
    StatusClass,
    TagAssociationClass,
)
from datahub.specific.dataset import DatasetPatchBuilder

from dataspoke.core.recipe import one_sentence, read_section
from dataspoke.core.urns import entity_type_of
from dataspoke.ingestion_sources.enrich.config import EnrichConfig
from dataspoke.ingestion_sources.enrich.rules import (
    Additions,
    column_additions,
    dataset_additions,
)

ACTOR = "urn:li:corpuser:datahub"


class EnrichTransformer(Transformer):
    """Passes every record on and adds PATCH proposals for the datasets that rules match.

    The dataset's own additions follow the first record that names it, those of its columns
    follow its `schemaMetadata`. Sending a PATCH again changes nothing, so runs may repeat.
    Everything added is attributed to this pipeline and can be rolled back by its run id.
    """

    def __init__(
        self, config: EnrichConfig, ctx: PipelineContext, clock: Callable[[], float] = time.time
    ) -> None:
        self._rules = config.rules
        self._attribution = MetadataAttributionClass(
            time=int(clock() * 1000),
            actor=ACTOR,
            source=f"urn:li:dataHubIngestionSource:{ctx.pipeline_name or 'dataspoke-enrich'}",
            sourceDetail={"plugin": "dataspoke-enrich"},
        )
        self._seen: set[str] = set()

    @classmethod
    def get_config_class(cls) -> type[EnrichConfig]:
        """What `transformers[…].config` may hold."""
        return EnrichConfig

    @classmethod
    def create(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> EnrichTransformer:
        """What is wrong in the recipe ends the process with one sentence."""
        with one_sentence():
            path = f"transformers[{_place_in_recipe(config_dict, ctx)}].config"
            return cls(read_section(EnrichConfig, config_dict, path=path), ctx)

    def transform(
        self, record_envelopes: Iterable[RecordEnvelope[Any]]
    ) -> Iterable[RecordEnvelope[Any]]:
        for envelope in record_envelopes:
            yield envelope
            for proposal in self._additions_after(envelope.record):
                yield RecordEnvelope(
                    proposal,
                    {"workunit_id": f"dataspoke-enrich-{proposal.entityUrn}-{proposal.aspectName}"},
                )

    def _additions_after(self, record: Any) -> list[MetadataChangeProposalClass]:
        if isinstance(record, ControlRecord):
            return []
        urn, aspects = _urn_and_aspects(record)
        if not urn or entity_type_of(urn) != "dataset" or _removed(aspects):
            return []
        proposals = []
        if urn not in self._seen:
            self._seen.add(urn)
            proposals += self._dataset_proposals(urn, dataset_additions(self._rules, urn))
        for aspect in aspects:
            if isinstance(aspect, SchemaMetadataClass):
                paths = [field.fieldPath for field in aspect.fields]
                proposals += self._column_proposals(urn, column_additions(self._rules, urn, paths))
        return proposals

    def _dataset_proposals(
        self, urn: str, additions: Additions
    ) -> list[MetadataChangeProposalClass]:
        patch = DatasetPatchBuilder(urn)
        for tag in additions.tags:
            patch.add_tag(TagAssociationClass(tag=tag, attribution=self._attribution))
        for term in additions.terms:
            patch.add_term(GlossaryTermAssociationClass(urn=term, attribution=self._attribution))
        for owner in additions.owners:
            patch.add_owner(
                OwnerClass(
                    owner=owner,
                    type=OwnershipTypeClass.TECHNICAL_OWNER,
                    attribution=self._attribution,
                )
            )
        for domain in additions.domains:
            patch.add_domain(DomainAssociationClass(domain=domain, attribution=self._attribution))
        return list(patch.build())

    def _column_proposals(
        self, urn: str, columns: list[Additions]
    ) -> list[MetadataChangeProposalClass]:
        patch = _ColumnPatch(urn)
        for additions in columns:
            assert additions.column is not None
            field = patch.for_field(additions.column)
            if additions.terms:
                patch.stamp_terms(additions.column, self._attribution.time)
            for tag in additions.tags:
                field.add_tag(TagAssociationClass(tag=tag, attribution=self._attribution))
            for term in additions.terms:
                field.add_term(
                    GlossaryTermAssociationClass(urn=term, attribution=self._attribution)
                )
        return list(patch.build())


class _ColumnPatch(DatasetPatchBuilder):
    def stamp_terms(self, column: str, time_ms: int) -> None:
        """DataHub requires an audit stamp beside the terms, which `add_term` does not send."""
        self._add_patch(
            EditableSchemaMetadataClass.ASPECT_NAME,
            "add",
            path=("editableSchemaFieldInfo", column, "glossaryTerms", "auditStamp"),
            value=AuditStampClass(time=time_ms, actor=ACTOR),
        )


def _place_in_recipe(config_dict: dict[str, Any], ctx: PipelineContext) -> int:
    """Which of the recipe's transformers this is; the framework does not say."""
    recipe = ctx.pipeline_config.transformers if ctx.pipeline_config else None
    configs = [transformer.config for transformer in recipe or []]
    return configs.index(config_dict) if config_dict in configs else 0


def _urn_and_aspects(record: Any) -> tuple[str | None, list[Any]]:
    if isinstance(record, MetadataChangeEventClass):
        snapshot = record.proposedSnapshot
        return snapshot.urn, list(snapshot.aspects)
    if isinstance(record, MetadataChangeProposalWrapper):
        return record.entityUrn, [record.aspect]
    return record.entityUrn, []


def _removed(aspects: list[Any]) -> bool:
    return any(isinstance(aspect, StatusClass) and aspect.removed for aspect in aspects)
