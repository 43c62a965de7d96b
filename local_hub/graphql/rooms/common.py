"""What many entity types share: tags, terms, owners, domains, schemas, profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.generic import properties
from dataspoke.local_hub.graphql.points import points
from dataspoke.local_hub.graphql.room import Arguments, FieldReader, Room


def _domain(entity: Entity, _: Arguments) -> Any:
    domains = entity.aspect("domains").get("domains") or ()
    return Part(entity, {"domain": domains[0]}) if domains else None


def _platform(entity: Entity, _: Arguments) -> Any:
    return entity.aspect("dataPlatformInstance").get("platform") or entity.key.get("platform")


def _container(entity: Entity, _: Arguments) -> Any:
    return entity.aspect("container").get("container")


def _platform_instance(entity: Entity, _: Arguments) -> Any:
    return entity.aspect("dataPlatformInstance").get("instance")


def _key(name: str) -> FieldReader:
    return lambda entity, _: entity.key.get(name)


def _renamed(name: str) -> FieldReader:
    return lambda source, _: source.get(name)


# The members of the union of field types and what GraphQL calls them.
_FIELD_TYPES = {
    "ArrayType": "ARRAY",
    "BooleanType": "BOOLEAN",
    "BytesType": "BYTES",
    "DateType": "DATE",
    "EnumType": "ENUM",
    "FixedType": "FIXED",
    "MapType": "MAP",
    "NullType": "NULL",
    "NumberType": "NUMBER",
    "RecordType": "STRUCT",
    "StringType": "STRING",
    "TimeType": "TIME",
    "UnionType": "UNION",
}


def _field_type(field: Part, _: Arguments) -> str:
    member = next(iter((field.get("type") or {}).get("type") or {}), "")
    return _FIELD_TYPES.get(member.rpartition(".")[2], "NULL")


def _values(entry: Part, _: Arguments) -> Any:
    def value(item: Any) -> Mapping[str, Any]:
        found = next(iter(item.values())) if isinstance(item, Mapping) else item
        if isinstance(found, int | float):
            return {"__typename": "NumberValue", "numberValue": found}
        return {"__typename": "StringValue", "stringValue": str(found)}

    return [value(item) for item in entry.get("values") or ()]


def _points(aspect: str) -> FieldReader:
    return lambda entity, arguments: points(entity, aspect, arguments, 100)


def _sub_type(entity: Entity, _: Arguments) -> str | None:
    names: list[str] = entity.aspect("subTypes").get("typeNames") or []
    return names[0] if names else None


def _properties(entity: Entity, _: Arguments) -> Part | None:
    return properties(entity)


def _description(source: Mapping[str, Any], _: Arguments) -> Any:
    return source.get("description") or source.get("definition")


ROOM = Room(
    schema="common.graphql",
    fields={
        ("Entity", "domain"): _domain,
        ("Entity", "container"): _container,
        ("Entity", "platform"): _platform,
        ("Entity", "dataPlatformInstance"): _platform_instance,
        ("Entity", "datasetProfiles"): _points("datasetProfile"),
        ("Entity", "operations"): _points("operation"),
        ("Entity", "subType"): _sub_type,
        ("Entity", "info"): _properties,
        ("CorpUser", "editableProperties"): lambda user, _: user.aspect("corpUserEditableInfo"),
        ("GlossaryTerm", "glossaryTermInfo"): _properties,
        ("GlossaryTerm", "hierarchicalName"): _key("name"),
        ("DataPlatform", "name"): _key("platformName"),
        ("DataJob", "dataFlow"): _key("flow"),
        ("Chart", "tool"): _key("dashboardTool"),
        ("Dashboard", "tool"): _key("dashboardTool"),
        ("Document", "info"): lambda document, _: document.aspect("documentInfo"),
        ("EntityProperties", "description"): _description,
        ("GlossaryTermAssociation", "term"): _renamed("urn"),
        ("Owner", "ownershipType"): _renamed("typeUrn"),
        ("Operation", "partition"): lambda point, _: (point.get("partitionSpec") or {}).get(
            "partition"
        ),
        ("SchemaMetadata", "name"): _renamed("schemaName"),
        ("SchemaField", "type"): _field_type,
        ("SchemaField", "tags"): _renamed("globalTags"),
        ("EditableSchemaFieldInfo", "tags"): _renamed("globalTags"),
        ("StructuredPropertiesEntry", "structuredProperty"): _renamed("propertyUrn"),
        ("StructuredPropertiesEntry", "values"): _values,
        ("ViewProperties", "logic"): _renamed("viewLogic"),
        ("ViewProperties", "language"): _renamed("viewLanguage"),
    },
    aspects={
        "globalTags": "tags: GlobalTags globalTags: GlobalTags",
        "glossaryTerms": "glossaryTerms: GlossaryTerms",
        "ownership": "ownership: Ownership",
        "domains": "domain: DomainAssociation",
        "container": "container: Container",
        "status": "status: Status",
        "deprecation": "deprecation: Deprecation",
        "subTypes": "subTypes: SubTypes",
        "institutionalMemory": "institutionalMemory: InstitutionalMemory",
        "dataPlatformInstance": (
            "platform: DataPlatform dataPlatformInstance: DataPlatformInstance"
        ),
        "structuredProperties": "structuredProperties: StructuredProperties",
        "schemaMetadata": "schemaMetadata(version: Long): SchemaMetadata",
        "editableSchemaMetadata": "editableSchemaMetadata: EditableSchemaMetadata",
        "viewProperties": "viewProperties: ViewProperties",
        "datasetProfile": (
            "datasetProfiles(startTimeMillis: Long, endTimeMillis: Long, limit: Int):"
            " [DatasetProfile!]"
        ),
        "operation": (
            "operations(startTimeMillis: Long, endTimeMillis: Long, limit: Int,"
            " filter: FilterInput): [Operation!]"
        ),
    },
)
