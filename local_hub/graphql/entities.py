"""Entities as GraphQL objects: each field is read from the aspects when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from dataspoke.local_hub import reads
from dataspoke.local_hub.errors import HubError
from dataspoke.local_hub.graphql.schema import enum_name, type_name
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.registry import EntitySpec
from dataspoke.local_hub.transaction import AspectRow
from dataspoke.local_hub.urns import Urn

Fields = Mapping[str, Any]


class Loader:
    """Reads aspects in batches: whatever was named by then is fetched together."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._entities: dict[str, Entity] = {}
        self._waiting: dict[str, None] = {}
        self._rows: dict[str, dict[str, AspectRow]] = {}

    def entity(self, urn: str) -> Entity | None:
        """The entity of a urn, whether it exists or not; None if the urn is malformed."""
        known = self._entities.get(urn)
        if known is None:
            try:
                spec = self.hub.registry.entity_of(urn)
            except HubError:
                return None
            known = self._entities[urn] = Entity(self, urn, spec)
            self._waiting[urn] = None
        return known

    def many(self, urns: Iterable[Any]) -> list[Entity]:
        """The entities of those urns that are well formed."""
        return [entity for urn in urns if (entity := self.entity(urn)) is not None]

    def rows(self, urn: str) -> dict[str, AspectRow]:
        """The aspects of an entity that was named."""
        if urn in self._waiting:
            self._rows.update(self.hub.store.aspects(list(self._waiting)))
            self._waiting.clear()
        return self._rows.get(urn, {})


class Entity:
    """One entity; `aspect` parses what was loaded."""

    __slots__ = ("_parsed", "loader", "spec", "urn")

    def __init__(self, loader: Loader, urn: str, spec: EntitySpec) -> None:
        self.loader = loader
        self.urn = urn
        self.spec = spec
        self._parsed: dict[str, Fields] = {}

    @property
    def type_name(self) -> str:
        return type_name(self.spec.name)

    def aspect(self, name: str) -> Fields:
        """An aspect, empty if the entity has none."""
        found = self._parsed.get(name)
        if found is None:
            row = self.loader.rows(self.urn).get(name)
            found = self._parsed[name] = {} if row is None else orjson.loads(row.value)
        return found

    @property
    def key(self) -> Fields:
        return self.loader.hub.registry.key_of(self.urn)

    def field(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """The value of a GraphQL field."""
        reader = _READERS.get(name)
        if reader is not None:
            return reader(self, arguments)
        return self.key.get(name)


def _properties(entity: Entity, _: Fields) -> Fields | None:
    for name in _PROPERTY_ASPECTS:
        if name in entity.spec.aspects:
            aspect = entity.aspect(name)
            if aspect:
                return property_fields(entity, aspect)
    return None


def property_fields(entity: Entity, aspect: Fields) -> Fields:
    """What all `…Properties` and `…Info` aspects have in common, under the names of GraphQL."""
    name = aspect.get("name") or aspect.get("title") or aspect.get("displayName")
    return {
        **aspect,
        "name": name or Urn.parse(entity.urn).parts[-1],
        "description": aspect.get("description") or aspect.get("definition"),
        "customProperties": _entries(aspect.get("customProperties")),
        "created": _time(aspect.get("created")),
        "lastModified": aspect.get("lastModified"),
        "type": aspect.get("type") if isinstance(aspect.get("type"), str) else None,
    }


def _time(stamp: Any) -> Any:
    return stamp.get("time") if isinstance(stamp, Mapping) else stamp


def _entries(values: Mapping[str, str] | None) -> list[Fields]:
    return [{"key": key, "value": value} for key, value in (values or {}).items()]


def tags_of(entity: Entity, aspect: Fields | None) -> Fields | None:
    if not aspect:
        return None
    return {
        "tags": [
            {
                "tag": entity.loader.entity(item["tag"]),
                "context": item.get("context"),
                "associatedUrn": entity.urn,
            }
            for item in aspect.get("tags") or ()
        ]
    }


def terms_of(entity: Entity, aspect: Fields | None) -> Fields | None:
    if not aspect:
        return None
    return {
        "terms": [
            {"term": entity.loader.entity(item["urn"]), "associatedUrn": entity.urn}
            for item in aspect.get("terms") or ()
        ]
    }


def _ownership(entity: Entity, _: Fields) -> Fields | None:
    aspect = entity.aspect("ownership")
    if not aspect:
        return None
    return {
        "owners": [
            {
                "owner": entity.loader.entity(item["owner"]),
                "type": item.get("type"),
                "ownershipType": entity.loader.entity(item.get("typeUrn") or ""),
                "associatedUrn": entity.urn,
            }
            for item in aspect.get("owners") or ()
        ],
        "lastModified": aspect.get("lastModified"),
    }


def _domain(entity: Entity, _: Fields) -> Fields | None:
    domains = entity.aspect("domains").get("domains") or ()
    if not domains:
        return None
    return {"domain": entity.loader.entity(domains[0]), "associatedUrn": entity.urn}


def _platform(entity: Entity, _: Fields) -> Entity | None:
    urn = entity.aspect("dataPlatformInstance").get("platform") or entity.key.get("platform")
    return entity.loader.entity(urn) if urn else None


def _platform_instance(entity: Entity, _: Fields) -> Entity | None:
    urn = entity.aspect("dataPlatformInstance").get("instance")
    return entity.loader.entity(urn) if urn else None


def _schema(entity: Entity, _: Fields) -> Fields | None:
    aspect = entity.aspect("schemaMetadata")
    if not aspect:
        return None
    return {
        **aspect,
        "name": aspect.get("schemaName"),
        "fields": [_schema_field(entity, field) for field in aspect.get("fields") or ()],
    }


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


def _schema_field(entity: Entity, field: Fields) -> Fields:
    member = next(iter((field.get("type") or {}).get("type") or {}), "")
    tags = tags_of(entity, field.get("globalTags"))
    return {
        **field,
        "type": _FIELD_TYPES.get(member.rpartition(".")[2], "NULL"),
        "tags": tags,
        "globalTags": tags,
        "glossaryTerms": terms_of(entity, field.get("glossaryTerms")),
    }


def _editable_schema(entity: Entity, _: Fields) -> Fields | None:
    aspect = entity.aspect("editableSchemaMetadata")
    if not aspect:
        return None
    fields = []
    for field in aspect.get("editableSchemaFieldInfo") or ():
        tags = tags_of(entity, field.get("globalTags"))
        terms = terms_of(entity, field.get("glossaryTerms"))
        fields.append({**field, "tags": tags, "globalTags": tags, "glossaryTerms": terms})
    return {"editableSchemaFieldInfo": fields}


def _fine_grained(entity: Entity, _: Fields) -> list[Fields]:
    def reference(urn: str) -> Fields:
        parent, path = Urn.parse(urn).parts
        return {"urn": parent, "path": path}

    return [
        {
            **lineage,
            "upstreams": [reference(urn) for urn in lineage.get("upstreams") or ()],
            "downstreams": [reference(urn) for urn in lineage.get("downstreams") or ()],
        }
        for lineage in entity.aspect("upstreamLineage").get("fineGrainedLineages") or ()
    ]


def _view(entity: Entity, _: Fields) -> Fields | None:
    aspect = entity.aspect("viewProperties")
    if not aspect:
        return None
    return {
        "materialized": aspect.get("materialized"),
        "logic": aspect.get("viewLogic"),
        "language": aspect.get("viewLanguage"),
    }


def _structured(entity: Entity, _: Fields) -> Fields | None:
    aspect = entity.aspect("structuredProperties")
    if not aspect:
        return None

    def value(item: Any) -> Fields:
        found = next(iter(item.values())) if isinstance(item, Mapping) else item
        if isinstance(found, int | float):
            return {"__typename": "NumberValue", "numberValue": found}
        return {"__typename": "StringValue", "stringValue": str(found)}

    return {
        "properties": [
            {
                "structuredProperty": entity.loader.entity(item["propertyUrn"]),
                "values": [value(one) for one in item.get("values") or ()],
            }
            for item in aspect.get("properties") or ()
        ]
    }


def points(entity: Entity, aspect: str, arguments: Fields, most: int) -> list[Fields]:
    """Points of a timeseries aspect, the newest first."""
    found = reads.timeseries(
        entity.loader.hub.store,
        entity.urn,
        aspect,
        limit=arguments.get("limit") or most,
        start=arguments.get("startTimeMillis"),
        end=arguments.get("endTimeMillis"),
        conditions={"or": [arguments["filter"]]} if arguments.get("filter") else None,
    )
    return [orjson.loads(point.value) for point in found]


def _profiles(entity: Entity, arguments: Fields) -> list[Fields]:
    return points(entity, "datasetProfile", arguments, 100)


def _operations(entity: Entity, arguments: Fields) -> list[Fields]:
    return [
        {
            **point,
            "customProperties": _entries(point.get("customProperties")),
            "partition": (point.get("partitionSpec") or {}).get("partition"),
        }
        for point in points(entity, "operation", arguments, 100)
    ]


def _run_events(entity: Entity, arguments: Fields) -> Fields:
    events = points(entity, "assertionRunEvent", arguments, 100)
    kinds = [(event.get("result") or {}).get("type") for event in events]
    for event in events:
        result = event.get("result")
        if result:
            result["nativeResults"] = _entries(result.get("nativeResults"))
    return {
        "total": len(events),
        "failed": kinds.count("FAILURE"),
        "succeeded": kinds.count("SUCCESS"),
        "errored": kinds.count("ERROR"),
        "runEvents": events,
    }


def _info(entity: Entity, arguments: Fields) -> Fields | None:
    if entity.spec.name == "assertion":
        return entity.aspect("assertionInfo") or None
    if entity.spec.name == "document":
        return entity.aspect("documentInfo") or None
    return _properties(entity, arguments)


def _sub_type(entity: Entity, _: Fields) -> str | None:
    names: list[str] = entity.aspect("subTypes").get("typeNames") or []
    return names[0] if names else None


def _incident(name: str, path: str | None = None) -> Callable[[Entity, Fields], Any]:
    return lambda entity, _: entity.aspect("incidentInfo").get(path or name)


def _description(entity: Entity, arguments: Fields) -> Any:
    if entity.spec.name == "incident":
        return entity.aspect("incidentInfo").get("description")
    return (_properties(entity, arguments) or {}).get("description")


def _plain(aspect: str) -> Callable[[Entity, Fields], Any]:
    return lambda entity, _: entity.aspect(aspect) or None


_PROPERTY_ASPECTS = (
    "datasetProperties",
    "chartInfo",
    "dashboardInfo",
    "dataJobInfo",
    "dataFlowInfo",
    "containerProperties",
    "corpUserInfo",
    "corpGroupInfo",
    "domainProperties",
    "glossaryTermInfo",
    "glossaryNodeInfo",
    "tagProperties",
    "dataPlatformInfo",
    "dataPlatformInstanceProperties",
    "dataProductProperties",
    "mlModelProperties",
    "mlModelGroupProperties",
    "mlFeatureProperties",
    "mlFeatureTableProperties",
    "mlPrimaryKeyProperties",
    "documentInfo",
    "ownershipTypeInfo",
    "queryProperties",
    "dataProcessInstanceProperties",
)

_READERS: Mapping[str, Callable[[Entity, Fields], Any]] = {
    "urn": lambda entity, _: entity.urn,
    "type": lambda entity, _: enum_name(entity.spec.name),
    "exists": lambda entity, _: bool(entity.loader.rows(entity.urn)),
    "properties": _properties,
    "editableProperties": lambda entity, _: entity.aspect("corpUserEditableInfo") or None,
    "info": _info,
    "glossaryTermInfo": _properties,
    "tags": lambda entity, _: tags_of(entity, entity.aspect("globalTags")),
    "globalTags": lambda entity, _: tags_of(entity, entity.aspect("globalTags")),
    "glossaryTerms": lambda entity, _: terms_of(entity, entity.aspect("glossaryTerms")),
    "ownership": _ownership,
    "domain": _domain,
    "container": lambda entity, _: entity.loader.entity(
        entity.aspect("container").get("container") or ""
    ),
    "status": _plain("status"),
    "deprecation": _plain("deprecation"),
    "subTypes": _plain("subTypes"),
    "subType": _sub_type,
    "institutionalMemory": _plain("institutionalMemory"),
    "platform": _platform,
    "dataPlatformInstance": _platform_instance,
    "structuredProperties": _structured,
    "schemaMetadata": _schema,
    "editableSchemaMetadata": _editable_schema,
    "fineGrainedLineages": _fine_grained,
    "viewProperties": _view,
    "datasetProfiles": _profiles,
    "operations": _operations,
    "runEvents": _run_events,
    "dataFlow": lambda entity, _: entity.loader.entity(entity.key["flow"]),
    "name": lambda entity, _: (
        entity.key.get("name") or entity.key.get("platformName") or entity.key.get("username")
    ),
    "hierarchicalName": lambda entity, _: entity.key.get("name"),
    "tool": lambda entity, _: entity.key.get("dashboardTool"),
    "description": _description,
    "incidentType": _incident("type"),
    "title": _incident("title"),
    "priority": lambda entity, _: str(entity.aspect("incidentInfo").get("priority", "")) or None,
    "incidentStatus": _incident("status"),
    "created": _incident("created"),
}
