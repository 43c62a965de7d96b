"""Which aspects hold what, for each searchable entity type. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataspoke.core.errors import SkippableError
from dataspoke.core.urns import key_aspect_of

Aspects = Mapping[str, Any]
"""Aspects of one entity as `batchGet` answers them: aspect name → `{"value": …}`."""

_SHARED = ("status", "ownership", "deprecation")
_LABELS = ("globalTags", "glossaryTerms", "domains", "structuredProperties", "subTypes")
_ASSET = (
    *_SHARED,
    *_LABELS,
    "incidentsSummary",
    "container",
    "browsePathsV2",
    "dataPlatformInstance",
    "documentation",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where an entity type keeps its name, description and parent.

    `name`, `description`, `parent` and `url` are fields of the aspect `info`; `editable` is
    the aspect with what people wrote; `inputs` are fields of `info` that list what it is made
    from, `related` fields that list what it is tied to; `others` are the further aspects to read.
    """

    info: str
    name: str = "name"
    description: str = "description"
    editable: str = ""
    parent: str = ""
    url: tuple[str, ...] = ("externalUrl",)
    inputs: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    others: tuple[str, ...] = _ASSET


_SHAPES = {
    "dataset": Shape(
        "datasetProperties",
        editable="editableDatasetProperties",
        others=(
            *_ASSET,
            "schemaMetadata",
            "editableSchemaMetadata",
            "upstreamLineage",
            "viewProperties",
            "siblings",
            "usageFeatures",
            "datasetUsageStatistics",
            "operation",
        ),
    ),
    "container": Shape(
        "containerProperties",
        editable="editableContainerProperties",
        others=tuple(aspect for aspect in _ASSET if aspect != "incidentsSummary"),
    ),
    "chart": Shape(
        "chartInfo",
        name="title",
        editable="editableChartProperties",
        url=("externalUrl", "chartUrl"),
        inputs=("inputs", "inputEdges"),
        others=(*_ASSET, "chartUsageStatistics"),
    ),
    "dashboard": Shape(
        "dashboardInfo",
        name="title",
        editable="editableDashboardProperties",
        url=("externalUrl", "dashboardUrl"),
        inputs=("charts", "chartEdges", "datasets", "datasetEdges", "dashboards"),
        others=(*_ASSET, "dashboardUsageStatistics"),
    ),
    "dataFlow": Shape("dataFlowInfo", editable="editableDataFlowProperties"),
    "dataJob": Shape(
        "dataJobInfo", editable="editableDataJobProperties", others=(*_ASSET, "dataJobInputOutput")
    ),
    "glossaryTerm": Shape(
        "glossaryTermInfo",
        description="definition",
        parent="parentNode",
        url=("sourceUrl",),
        others=(
            *_SHARED,
            "globalTags",
            "domains",
            "structuredProperties",
            "subTypes",
            "glossaryRelatedTerms",
        ),
    ),
    "glossaryNode": Shape(
        "glossaryNodeInfo",
        description="definition",
        parent="parentNode",
        others=(
            "status",
            "ownership",
            "globalTags",
            "domains",
            "structuredProperties",
            "subTypes",
        ),
    ),
    "tag": Shape("tagProperties", others=_SHARED),
    "domain": Shape(
        "domainProperties",
        parent="parentDomain",
        others=("ownership", "deprecation", "structuredProperties"),
    ),
    "dataProduct": Shape(
        "dataProductProperties",
        parent="parentDataProduct",
        related=("assets",),
        others=(*_SHARED, *_LABELS),
    ),
    "mlModel": Shape(
        "mlModelProperties",
        editable="editableMlModelProperties",
        inputs=("trainingJobs",),
        related=("mlFeatures", "groups"),
    ),
    "document": Shape(
        "documentInfo",
        name="title",
        parent="parentDocument",
        related=("relatedAssets", "relatedDocuments"),
        others=(
            "status",
            "ownership",
            *_LABELS,
            "browsePathsV2",
            "dataPlatformInstance",
            "documentation",
        ),
    ),
}

_NAME_ASPECTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "corpuser": {
        "corpUserEditableInfo": ("displayName",),
        "corpUserInfo": ("displayName", "fullName"),
    },
    "corpGroup": {"corpGroupInfo": ("displayName",)},
    "structuredProperty": {"propertyDefinition": ("displayName", "qualifiedName")},
    "ownershipType": {"ownershipTypeInfo": ("name",)},
    "dataset": {"editableDatasetProperties": ("name",), "datasetProperties": ("name",)},
    **{
        entity_type: {shape.info: (shape.name,)}
        for entity_type, shape in _SHAPES.items()
        if entity_type != "dataset"
    },
}


def aspects_of(entity_type: str) -> tuple[str, ...]:
    """The aspects to read for a snapshot, the key aspect first: it says that the entity exists.

    Raises SkippableError for a type that is not searchable.
    """
    shape = shape_of(entity_type)
    editable = (shape.editable,) if shape.editable else ()
    return (key_aspect_of(entity_type), shape.info, *editable, *shape.others)


def name_aspects_of(entity_type: str) -> tuple[str, ...]:
    """The aspects that hold the name of a referenced entity; empty for types without one."""
    return tuple(_NAME_ASPECTS.get(entity_type, ()))


def name_from(entity_type: str, aspects: Aspects) -> str:
    """What DataHub calls it, or an empty string. A malformed aspect has no name."""
    for aspect, fields in _NAME_ASPECTS.get(entity_type, {}).items():
        value = (aspects.get(aspect) or {}).get("value")
        if isinstance(value, dict):
            for key in fields:
                if isinstance(name := value.get(key), str) and name.strip():
                    return name.strip()
    return ""


def shape_of(entity_type: str) -> Shape:
    """Raises SkippableError for a type that is not searchable."""
    shape = _SHAPES.get(entity_type)
    if shape is None:
        raise SkippableError(
            f"Cannot read entities of the type {entity_type!r}: they are not searchable."
        )
    return shape
