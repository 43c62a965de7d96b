"""What many entity types share: tags, terms, owners, places, structured properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.generic import key_field, renamed, shown_name
from dataspoke.local_hub.graphql.room import Arguments, Room
from dataspoke.local_hub.graphql.rooms.search import scrolled
from dataspoke.local_hub.urns import Urn

_SYSTEM_TYPES = "urn:li:ownershipType:__system__"


def _platform(entity: Entity, _: Arguments) -> Any:
    """The platform, as GMS finds it: by the aspect, by the key, or by the tool that it names."""
    named = entity.aspect("dataPlatformInstance").get("platform") or entity.key.get("platform")
    if named is None:
        key = entity.key
        for field in ("dashboardTool", "orchestrator", "flow"):
            if field in key:
                tool = Urn.parse(key[field]).parts[0] if field == "flow" else key[field]
                return f"urn:li:dataPlatform:{tool}"
    return named


def _platform_instance(entity: Entity, _: Arguments) -> Any:
    return entity.aspect("dataPlatformInstance").get("instance")


def _container(entity: Entity, _: Arguments) -> Any:
    return entity.aspect("container").get("container")


def _parent_containers(entity: Entity, _: Arguments) -> Any:
    """From the nearest to the root."""
    found: dict[str, Entity] = {}
    step: Entity | None = entity
    while step is not None:
        urn = step.aspect("container").get("container")
        step = None if urn is None or urn in found else entity.context.loader.entity(urn)
        if step is not None:
            found[step.urn] = step
    return {"count": len(found), "containers": list(found.values())}


def _siblings_search(entity: Entity, arguments: Arguments) -> Any:
    """Who names the entity as a sibling: its own aspect may not know them."""
    naming = {"field": "siblings", "values": [entity.urn]}
    page = scrolled(entity.context, {**arguments["input"], "filters": [naming]})
    return {**page, "count": len(page["searchResults"])}


def _primary(siblings: Part, _: Arguments) -> Any:
    return siblings.get("primary")


def _ownership_type(owner: Part, _: Arguments) -> str:
    return owner.get("typeUrn") or _SYSTEM_TYPES + str(owner.get("type", "none")).lower()


def _application(entity: Entity, _: Arguments) -> Any:
    urns = entity.aspect("applications").get("applications") or ()
    return Part(entity, {"application": urns[0]}) if urns else None


def _values(entry: Part, _: Arguments) -> Any:
    def value(item: Any) -> Mapping[str, Any]:
        found = next(iter(item.values())) if isinstance(item, Mapping) else item
        if isinstance(found, int | float):
            return {"__typename": "NumberValue", "numberValue": found}
        return {"__typename": "StringValue", "stringValue": str(found)}

    return [value(item) for item in entry.get("values") or ()]


def _input_fields(entity: Entity, _: Arguments) -> Any:
    fields = entity.aspect("inputFields").get("fields")
    return None if fields is None else {"fields": [_input_field(entity, one) for one in fields]}


def _input_field(entity: Entity, field: Mapping[str, Any]) -> Mapping[str, Any]:
    """An input of a chart; its column is one of the dataset that the urn names."""
    column = field.get("schemaField")
    if column is None:
        return field
    dataset = entity.context.loader.entity(Urn.parse(field["schemaFieldUrn"]).parts[0])
    return {**field, "schemaField": Part(dataset, column)}


ROOM = Room(
    schema="common.graphql",
    fields={
        ("Entity", "platform"): _platform,
        ("Entity", "dataPlatformInstance"): _platform_instance,
        ("Entity", "container"): _container,
        ("Entity", "parentContainers"): _parent_containers,
        ("Entity", "siblingsSearch"): _siblings_search,
        ("Entity", "application"): _application,
        ("Entity", "inputFields"): _input_fields,
        ("SiblingProperties", "isPrimary"): _primary,
        ("Owner", "ownershipType"): _ownership_type,
        ("GlossaryTermAssociation", "term"): renamed("urn"),
        ("StructuredPropertiesEntry", "structuredProperty"): renamed("propertyUrn"),
        ("StructuredPropertiesEntry", "values"): _values,
        ("RoleAssociation", "role"): renamed("urn"),
        ("DataPlatform", "name"): key_field("platformName"),
        ("DataPlatform", "displayName"): lambda platform, _: shown_name(platform),
        ("DataPlatformInstance", "platform"): key_field("platform"),
        ("DataPlatformInstance", "instanceId"): key_field("instance"),
    },
    aspects={
        "globalTags": "tags: GlobalTags globalTags: GlobalTags",
        "glossaryTerms": "glossaryTerms: GlossaryTerms",
        "ownership": "ownership: Ownership",
        "container": "container: Container parentContainers: ParentContainersResult",
        "subTypes": "subTypes: SubTypes",
        "dataPlatformInstance": (
            "platform: DataPlatform dataPlatformInstance: DataPlatformInstance"
        ),
        "structuredProperties": "structuredProperties: StructuredProperties",
        "documentation": "documentation: Documentation",
        "access": "access: Access",
        "siblings": (
            "siblings: SiblingProperties"
            " siblingsSearch(input: ScrollAcrossEntitiesInput!): ScrollResults"
        ),
        "inputFields": "inputFields: InputFields",
        "applications": "application: ApplicationAssociation",
        "schemaMetadata": "schemaMetadata(version: Long): SchemaMetadata",
        "editableSchemaMetadata": "editableSchemaMetadata: EditableSchemaMetadata",
        "viewProperties": "viewProperties: ViewProperties",
        "businessAttributes": "businessAttributes: BusinessAttributes",
    },
)
