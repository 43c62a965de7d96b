"""What GraphQL calls the entity types of the registry."""

from __future__ import annotations

from dataspoke.local_hub.registry import Registry

_ENUM_NAMES = {
    "corpuser": "CORP_USER",
    "mlModel": "MLMODEL",
    "mlModelGroup": "MLMODEL_GROUP",
    "mlFeatureTable": "MLFEATURE_TABLE",
    "mlFeature": "MLFEATURE",
    "mlPrimaryKey": "MLPRIMARY_KEY",
    "dataHubPolicy": "DATAHUB_POLICY",
    "dataHubRole": "DATAHUB_ROLE",
    "dataHubView": "DATAHUB_VIEW",
    "dataHubConnection": "DATAHUB_CONNECTION",
    "dataHubPageTemplate": "DATAHUB_PAGE_TEMPLATE",
    "dataHubPageModule": "DATAHUB_PAGE_MODULE",
    "dataHubFile": "DATAHUB_FILE",
    "dataHubIngestionSource": "INGESTION_SOURCE",
    "dataHubExecutionRequest": "EXECUTION_REQUEST",
    "dataHubAccessToken": "ACCESS_TOKEN",
    "dataHubSecret": "SECRET",
    "ownershipType": "CUSTOM_OWNERSHIP_TYPE",
}
_TYPE_NAMES = {
    "corpuser": "CorpUser",
    "mlModel": "MLModel",
    "mlModelGroup": "MLModelGroup",
    "mlFeatureTable": "MLFeatureTable",
    "mlFeature": "MLFeature",
    "mlPrimaryKey": "MLPrimaryKey",
    "query": "QueryEntity",
    "structuredProperty": "StructuredPropertyEntity",
    "schemaField": "SchemaFieldEntity",
    "ownershipType": "OwnershipTypeEntity",
    "dataType": "DataTypeEntity",
    "entityType": "EntityTypeEntity",
    "dataHubIngestionSource": "IngestionSource",
    "dataHubExecutionRequest": "ExecutionRequest",
    "dataHubAccessToken": "AccessTokenMetadata",
    "dataHubSecret": "Secret",
    "inviteToken": "InviteTokenEntity",
    "test": "Test",
}
# Older names of members of `EntityType` that clients still send.
_OLD_NAMES = {"OWNERSHIP_TYPE": "ownershipType"}


def enum_name(entity: str) -> str:
    """What GraphQL calls an entity type: `glossaryTerm` is `GLOSSARY_TERM`.

    Most entities of DataHub itself lose the prefix `DATA_HUB_`.
    """
    if entity in _ENUM_NAMES:
        return _ENUM_NAMES[entity]
    snake = "".join(f"_{char}" if char.isupper() else char for char in entity).upper()
    return snake.lstrip("_").removeprefix("DATA_HUB_")


def entity_names(registry: Registry) -> dict[str, str]:
    """The entity type that each member of `EntityType` stands for."""
    return {enum_name(name): name for name in registry.entities} | _OLD_NAMES


def type_name(entity: str) -> str:
    """The GraphQL object type of an entity type."""
    return _TYPE_NAMES.get(entity) or entity[0].upper() + entity[1:]


def query_name(entity: str) -> str:
    """The root field of an entity type."""
    return "corpUser" if entity == "corpuser" else entity
