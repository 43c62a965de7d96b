"""The GraphQL schema: one object type per entity of the registry, and what they share.

Which fields an entity type has follows from the aspects that it may carry.
"""

from __future__ import annotations

from graphql import GraphQLSchema, build_schema

from dataspoke.local_hub.registry import EntitySpec, Registry

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
}


def enum_name(entity: str) -> str:
    """What GraphQL calls an entity type: `glossaryTerm` is `GLOSSARY_TERM`.

    The clients leave the prefix `DATA_HUB_` out.
    """
    if entity in _ENUM_NAMES:
        return _ENUM_NAMES[entity]
    snake = "".join(f"_{char}" if char.isupper() else char for char in entity).upper()
    return snake.lstrip("_").removeprefix("DATA_HUB_")


def entity_names(registry: Registry) -> dict[str, str]:
    """The entity type that each member of `EntityType` stands for."""
    return {enum_name(name): name for name in registry.entities}


def type_name(entity: str) -> str:
    """The GraphQL object type of an entity type."""
    return _TYPE_NAMES.get(entity) or entity[0].upper() + entity[1:]


# Aspect → fields that an entity with this aspect has.
_FIELDS_BY_ASPECT = {
    "globalTags": "tags: GlobalTags globalTags: GlobalTags",
    "glossaryTerms": "glossaryTerms: GlossaryTerms",
    "ownership": "ownership: Ownership",
    "domains": "domain: DomainAssociation",
    "container": "container: Container",
    "status": "status: Status",
    "deprecation": "deprecation: Deprecation",
    "subTypes": "subTypes: SubTypes",
    "institutionalMemory": "institutionalMemory: InstitutionalMemory",
    "dataPlatformInstance": "platform: DataPlatform dataPlatformInstance: DataPlatformInstance",
    "structuredProperties": "structuredProperties: StructuredProperties",
    "schemaMetadata": "schemaMetadata(version: Long): SchemaMetadata",
    "editableSchemaMetadata": "editableSchemaMetadata: EditableSchemaMetadata",
    "upstreamLineage": "fineGrainedLineages: [FineGrainedLineage!]",
    "viewProperties": "viewProperties: ViewProperties",
    "incidentsSummary": (
        "incidents(state: IncidentState, start: Int, count: Int): EntityIncidentsResult"
    ),
    "datasetProfile": (
        "datasetProfiles(startTimeMillis: Long, endTimeMillis: Long, limit: Int): [DatasetProfile!]"
    ),
    "operation": (
        "operations(startTimeMillis: Long, endTimeMillis: Long, limit: Int, filter: FilterInput):"
        " [Operation!]"
    ),
    "assertionRunEvent": (
        "runEvents(status: AssertionRunStatus, startTimeMillis: Long, endTimeMillis: Long,"
        " filter: FilterInput, limit: Int): AssertionRunEventsResult"
    ),
}
_FIELDS_BY_ENTITY = {
    "dataset": (
        "name: String origin: String uri: String"
        " assertions(start: Int, count: Int, includeSoftDeleted: Boolean): EntityAssertionsResult"
    ),
    "chart": "tool: String chartId: String",
    "dashboard": "tool: String dashboardId: String",
    "dataFlow": "orchestrator: String flowId: String cluster: String",
    "dataJob": "jobId: String dataFlow: DataFlow",
    "corpuser": "username: String info: EntityProperties editableProperties: EntityProperties",
    "corpGroup": "name: String info: EntityProperties",
    "tag": "name: String description: String",
    "glossaryTerm": "name: String hierarchicalName: String glossaryTermInfo: EntityProperties",
    "glossaryNode": "name: String",
    "dataPlatform": "name: String",
    "domain": "id: String",
    "mlModel": "name: String origin: String description: String",
    "mlModelGroup": "name: String origin: String description: String",
    "mlFeature": "name: String featureNamespace: String description: String",
    "mlFeatureTable": "name: String description: String",
    "mlPrimaryKey": "name: String featureNamespace: String description: String",
    "document": "subType: String info: DocumentInfo",
    "assertion": "info: AssertionInfo",
    "incident": (
        "incidentType: String title: String description: String priority: String"
        " incidentStatus: IncidentStatus created: AuditStamp"
    ),
    "ownershipType": "info: EntityProperties",
}
# Their GraphQL type has the platform without an instance of its own.
_ASPECT_EXCLUSIONS = {"dataPlatform": ("dataPlatformInstance",)}

_SHARED = """
scalar Long

interface Entity { urn: String! type: EntityType! }

type EntityProperties {
  name: String displayName: String title: String description: String definition: String
  email: String fullName: String active: Boolean colorHex: String logoUrl: String type: String
  qualifiedName: String externalUrl: String datasetNameDelimiter: String
  customProperties: [CustomPropertiesEntry!]
  created: Long createdOn: Long lastModified: AuditStamp
}
type CustomPropertiesEntry { key: String! value: String }
type StringMapEntry { key: String! value: String }
type AuditStamp { time: Long actor: String }
type GlobalTags { tags: [TagAssociation!] }
type TagAssociation { tag: Tag associatedUrn: String context: String }
type GlossaryTerms { terms: [GlossaryTermAssociation!] }
type GlossaryTermAssociation { term: GlossaryTerm associatedUrn: String }
type Ownership { owners: [Owner!] lastModified: AuditStamp }
union OwnerType = CorpUser | CorpGroup
type Owner {
  owner: OwnerType type: String ownershipType: OwnershipTypeEntity associatedUrn: String
}
type DomainAssociation { domain: Domain associatedUrn: String }
type Status { removed: Boolean }
type Deprecation { deprecated: Boolean note: String decommissionTime: Long actor: String }
type SubTypes { typeNames: [String!] }
type InstitutionalMemory { elements: [InstitutionalMemoryMetadata!] }
type InstitutionalMemoryMetadata { url: String description: String label: String }
type StructuredProperties { properties: [StructuredPropertiesEntry!] }
type StructuredPropertiesEntry {
  structuredProperty: StructuredPropertyEntity values: [PropertyValue!]
}
union PropertyValue = StringValue | NumberValue
type StringValue { stringValue: String! }
type NumberValue { numberValue: Float! }
type SchemaMetadata {
  name: String version: Long hash: String fields: [SchemaField!] primaryKeys: [String!]
}
type SchemaField {
  fieldPath: String label: String description: String type: String nativeDataType: String
  nullable: Boolean isPartOfKey: Boolean recursive: Boolean
  tags: GlobalTags globalTags: GlobalTags glossaryTerms: GlossaryTerms
}
type EditableSchemaMetadata { editableSchemaFieldInfo: [EditableSchemaFieldInfo!] }
type EditableSchemaFieldInfo {
  fieldPath: String description: String
  tags: GlobalTags globalTags: GlobalTags glossaryTerms: GlossaryTerms
}
type FineGrainedLineage {
  upstreams: [SchemaFieldRef!] downstreams: [SchemaFieldRef!] query: String
  transformOperation: String
}
type SchemaFieldRef { urn: String path: String }
type ViewProperties { materialized: Boolean logic: String language: String }
type DocumentInfo { title: String contents: DocumentContent externalUrl: String }
type DocumentContent { text: String }
type DatasetProfile {
  timestampMillis: Long rowCount: Long columnCount: Long sizeInBytes: Long
  partitionSpec: PartitionSpec fieldProfiles: [DatasetFieldProfile!]
}
type DatasetFieldProfile {
  fieldPath: String uniqueCount: Long uniqueProportion: Float nullCount: Long
  nullProportion: Float min: String max: String mean: String median: String stdev: String
  sampleValues: [String!]
}
type PartitionSpec { type: String partition: String timePartition: TimeWindow }
type TimeWindow { startTimeMillis: Long durationMillis: Long }
type Operation {
  timestampMillis: Long lastUpdatedTimestamp: Long actor: String operationType: String
  customOperationType: String sourceType: String numAffectedRows: Long partition: String
  customProperties: [StringMapEntry!]
}
type EntityAssertionsResult { start: Int count: Int total: Int assertions: [Assertion!] }
type AssertionInfo {
  type: String description: String externalUrl: String customAssertion: CustomAssertionInfo
}
type CustomAssertionInfo { type: String entityUrn: String logic: String }
enum AssertionRunStatus { COMPLETE }
enum AssertionResultType { INIT SUCCESS FAILURE ERROR }
enum AssertionResultSeverity { LOW MEDIUM HIGH }
type AssertionRunEventsResult {
  total: Int failed: Int succeeded: Int errored: Int runEvents: [AssertionRunEvent!]
}
type AssertionRunEvent {
  timestampMillis: Long lastObservedMillis: Long assertionUrn: String asserteeUrn: String
  runId: String status: String partitionSpec: PartitionSpec result: AssertionResult
}
type AssertionResult {
  type: String severity: String externalUrl: String rowCount: Long missingCount: Long
  unexpectedCount: Long actualAggValue: Float nativeResults: [StringMapEntry!]
}
enum IncidentState { ACTIVE RESOLVED }
type EntityIncidentsResult { start: Int count: Int total: Int incidents: [Incident!] }
type IncidentStatus { state: IncidentState message: String stage: String lastUpdated: AuditStamp }

enum FilterOperator {
  CONTAIN EQUAL IEQUAL IN EXISTS GREATER_THAN GREATER_THAN_OR_EQUAL_TO LESS_THAN
  LESS_THAN_OR_EQUAL_TO START_WITH END_WITH DESCENDANTS_INCL ANCESTORS_INCL RELATED_INCL
}
input FacetFilterInput {
  field: String! values: [String!] value: String condition: FilterOperator negated: Boolean
}
input AndFilterInput { and: [FacetFilterInput!] }
input FilterInput { and: [FacetFilterInput!]! }
input SearchFlags {
  skipCache: Boolean maxAggValues: Int fulltext: Boolean skipHighlighting: Boolean
  skipAggregates: Boolean getSuggestions: Boolean includeSoftDeleted: Boolean
  includeRestricted: Boolean fetchExtraFields: [String!] groupingSpec: GroupingSpec
  includeStructuredPropertyFacets: Boolean filterNonLatestVersions: Boolean
  includeDefaultFacets: Boolean
}
input GroupingSpec { groupingCriteria: [GroupingCriterion!] }
input GroupingCriterion { baseEntityType: EntityType groupingEntityType: EntityType! }
enum SortOrder { ASCENDING DESCENDING }
input SortCriterion { field: String! sortOrder: SortOrder! }
input SearchSortInput { sortCriterion: SortCriterion sortCriteria: [SortCriterion!] }
input SearchInput {
  type: EntityType! query: String! start: Int count: Int filters: [FacetFilterInput!]
  orFilters: [AndFilterInput!] searchFlags: SearchFlags
}
input SearchAcrossEntitiesInput {
  types: [EntityType!] query: String! start: Int count: Int filters: [FacetFilterInput!]
  orFilters: [AndFilterInput!] viewUrn: String searchFlags: SearchFlags
  sortInput: SearchSortInput
}
input ScrollAcrossEntitiesInput {
  types: [EntityType!] query: String! scrollId: String keepAlive: String count: Int
  orFilters: [AndFilterInput!] viewUrn: String searchFlags: SearchFlags
  sortInput: SearchSortInput
}
type ExtraProperty { name: String! value: String! }
type MatchedField { name: String! value: String! }
type SearchResult {
  entity: Entity! matchedFields: [MatchedField!] extraProperties: [ExtraProperty!] score: Float
}
type AggregationMetadata { value: String! count: Long! displayName: String entity: Entity }
type FacetMetadata { field: String! displayName: String aggregations: [AggregationMetadata!] }
type SearchResults {
  start: Int count: Int total: Int searchResults: [SearchResult!] facets: [FacetMetadata!]
}
type ScrollResults {
  nextScrollId: String count: Int total: Int searchResults: [SearchResult!]
  facets: [FacetMetadata!]
}
enum LineageDirection { UPSTREAM DOWNSTREAM }
input ScrollAcrossLineageInput {
  urn: String direction: LineageDirection! types: [EntityType!] query: String scrollId: String
  keepAlive: String count: Int orFilters: [AndFilterInput!] startTimeMillis: Long
  endTimeMillis: Long searchFlags: SearchFlags lineageFlags: LineageFlags
}
input LineageFlags { startTimeMillis: Long endTimeMillis: Long entitiesExploredPerHopLimit: Int }
type EntityPath { path: [Entity] }
type SearchAcrossLineageResult { entity: Entity! degree: Int! paths: [EntityPath] }
type ScrollAcrossLineageResults {
  nextScrollId: String count: Int total: Int searchResults: [SearchAcrossLineageResult!]
}

type AppConfig {
  appVersion: String telemetryConfig: TelemetryConfig authConfig: AuthConfig
  semanticSearchConfig: SemanticSearchConfig
}
type TelemetryConfig { enableThirdPartyLogging: Boolean }
type AuthConfig { tokenAuthEnabled: Boolean! }
type SemanticSearchConfig {
  enabled: Boolean! enabledEntities: [String!]! embeddingConfig: EmbeddingConfig
}
type EmbeddingConfig {
  provider: String modelId: String modelEmbeddingKey: String
  awsProviderConfig: AwsProviderConfig
}
type AwsProviderConfig { region: String }
type AuthenticatedUser { corpUser: CorpUser! }

input CreateTagInput { id: String name: String! description: String }
input TagAssociationInput { tagUrn: String! resourceUrn: String! subResource: String }
input StringMapEntryInput { key: String! value: String }
input PlatformInput { urn: String name: String }
enum DatasetAssertionScope { DATASET_COLUMN DATASET_ROWS DATASET_SCHEMA UNKNOWN }
scalar AssertionStdAggregation
scalar AssertionStdOperator
scalar AssertionStdParametersInput
input UpsertCustomAssertionInput {
  entityUrn: String! type: String! description: String! fieldPath: String fieldPaths: [String!]
  platform: PlatformInput! externalUrl: String logic: String scope: DatasetAssertionScope
  aggregation: AssertionStdAggregation operator: AssertionStdOperator
  parameters: AssertionStdParametersInput nativeType: String
  nativeParameters: [StringMapEntryInput!]
}
input AssertionResultErrorInput { type: String! message: String! }
input AssertionResultInput {
  timestampMillis: Long type: AssertionResultType! properties: [StringMapEntryInput!]
  externalUrl: String error: AssertionResultErrorInput severity: AssertionResultSeverity
}

type Query {
  me: AuthenticatedUser
  appConfig: AppConfig
  entity(urn: String!): Entity
  entities(urns: [String!]!): [Entity]
  entityExists(urn: String!): Boolean
  search(input: SearchInput!): SearchResults
  searchAcrossEntities(input: SearchAcrossEntitiesInput!): SearchResults
  scrollAcrossEntities(input: ScrollAcrossEntitiesInput!): ScrollResults
  scrollAcrossLineage(input: ScrollAcrossLineageInput!): ScrollAcrossLineageResults
%(entity_queries)s
}
type Mutation {
  createTag(input: CreateTagInput!): String
  addTag(input: TagAssociationInput!): Boolean
  removeTag(input: TagAssociationInput!): Boolean
  upsertCustomAssertion(urn: String, input: UpsertCustomAssertionInput!): Assertion
  reportAssertionResult(urn: String!, result: AssertionResultInput!): Boolean
}
"""

# Entities that can be asked for by name: dataset(urn: "…").
_QUERIED = (
    "dataset",
    "chart",
    "dashboard",
    "dataFlow",
    "dataJob",
    "container",
    "corpuser",
    "corpGroup",
    "domain",
    "tag",
    "glossaryTerm",
    "glossaryNode",
    "dataPlatform",
    "dataProduct",
    "mlModel",
    "assertion",
    "document",
)


def query_name(entity: str) -> str:
    """The root field of an entity type."""
    return "corpUser" if entity == "corpuser" else entity


def make_schema(registry: Registry) -> GraphQLSchema:
    """Build the schema for the entities of a registry."""
    entities = registry.entities.values()
    enum = "enum EntityType { " + " ".join(enum_name(spec.name) for spec in entities) + " }"
    types = [_object_type(spec) for spec in entities]
    queries = "\n".join(
        f"  {query_name(name)}(urn: String!): {type_name(name)}"
        for name in _QUERIED
        if name in registry.entities
    )
    return build_schema("\n".join([_SHARED % {"entity_queries": queries}, enum, *types]))


def _object_type(spec: EntitySpec) -> str:
    fields = ["urn: String! type: EntityType! exists: Boolean", "properties: EntityProperties"]
    fields.append(_FIELDS_BY_ENTITY.get(spec.name, ""))
    excluded = _ASPECT_EXCLUSIONS.get(spec.name, ())
    fields += [
        text
        for aspect, text in _FIELDS_BY_ASPECT.items()
        if aspect in spec.aspects and aspect not in excluded
    ]
    return f"type {type_name(spec.name)} implements Entity {{ {' '.join(fields)} }}"
