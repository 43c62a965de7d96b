"""Structured properties: their definitions, and their values on entities."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from dataspoke.local_hub.errors import BadRequest, NotFound
from dataspoke.local_hub.graphql.entities import Entity, Part
from dataspoke.local_hub.graphql.names import enum_name
from dataspoke.local_hub.graphql.pages import given_only
from dataspoke.local_hub.graphql.removal import remove_entity
from dataspoke.local_hub.graphql.room import Arguments, Context, Room
from dataspoke.local_hub.urns import Urn

_SETTINGS = (
    "isHidden",
    "showInSearchFilters",
    "showInAssetSummary",
    "hideInAssetSummaryWhenEmpty",
    "showAsAssetBadge",
    "showInColumnsTable",
)
# GraphQL's names of the data types that every hub has.
_STANDARD_TYPES = {
    "datahub.string": "STRING",
    "datahub.number": "NUMBER",
    "datahub.urn": "URN",
    "datahub.rich_text": "RICH_TEXT",
    "datahub.date": "DATE",
}


def primitive(given: Mapping[str, Any]) -> dict[str, Any]:
    """A value as the aspects keep it: a union with one member. Raises BadRequest."""
    text, number = given.get("stringValue"), given.get("numberValue")
    if (text is None) == (number is None):
        raise BadRequest("Each value must provide exactly one of stringValue or numberValue.")
    return {"string": text} if number is None else {"double": float(number)}


def _allowed(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        given_only({"value": primitive(value), "description": value.get("description")})
        for value in given
    ]


def _new_id(given: Arguments) -> str:
    own, name = given.get("id"), given.get("qualifiedName")
    if own and name and own != name:
        raise BadRequest("Qualified name must match the ID of a structured property if given both")
    return own or name or str(uuid.uuid4())


def _settings(
    context: Context, stored: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    settings = {name: bool(stored.get(name)) for name in _SETTINGS}
    changed = settings | {name: given[name] for name in _SETTINGS if given.get(name) is not None}
    if not changed["showInAssetSummary"]:
        changed["hideInAssetSummaryWhenEmpty"] = False
    if changed["isHidden"] and any(changed[name] for name in _SETTINGS[1:]):
        raise BadRequest("Cannot have property isHidden = true while other display location is on")
    stamp = stored.get("lastModified") if changed == settings else context.stamp
    return given_only({**changed, "lastModified": stamp})


def _create(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    name = _new_id(given)
    urn = f"urn:li:structuredProperty:{name}"
    if context.exists(urn):
        raise BadRequest("A structured property already exists with this urn")
    types = (given.get("typeQualifier") or {}).get("allowedTypes")
    definition = {
        "qualifiedName": given.get("qualifiedName") or name,
        "displayName": given.get("displayName"),
        "description": given.get("description"),
        "valueType": given["valueType"],
        "entityTypes": given["entityTypes"],
        "cardinality": given.get("cardinality") or "SINGLE",
        "immutable": bool(given.get("immutable")),
        "typeQualifier": None if types is None else {"allowedTypes": types},
        "allowedValues": _allowed(given["allowedValues"]) if given.get("allowedValues") else None,
        "created": context.stamp,
        "lastModified": context.stamp,
    }
    changes: list[tuple[str, str, str, Any]] = [
        (urn, "propertyDefinition", "UPSERT", given_only(definition))
    ]
    if given.get("settings") is not None:
        settings = _settings(context, {}, given["settings"])
        changes.append((urn, "structuredPropertySettings", "UPSERT", settings))
    context.write(changes)
    return context.loader.entity(urn)


def _update(context: Context, arguments: Arguments) -> Entity | None:
    given = arguments["input"]
    urn = given["urn"]
    stored = context.value(urn, "propertyDefinition")
    if stored is None:
        raise NotFound("Attempting to update a structured property with no definition aspect.")
    changes: list[tuple[str, str, str, Any]] = []
    definition = _changed(stored, given)
    if definition != stored:
        definition["lastModified"] = context.stamp
        changes.append((urn, "propertyDefinition", "UPSERT", definition))
    if given.get("settings") is not None:
        known = context.value(urn, "structuredPropertySettings") or {}
        settings = _settings(context, known, given["settings"])
        changes.append((urn, "structuredPropertySettings", "UPSERT", settings))
    context.write(changes)
    return context.loader.entity(urn)


def _changed(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A definition with the changes of an update: lists of types and values only grow."""
    definition = dict(stored)
    for name in ("displayName", "description", "immutable"):
        if given.get(name) is not None:
            definition[name] = given[name]
    more_types = (given.get("typeQualifier") or {}).get("newAllowedTypes")
    if more_types is not None:
        qualifier = dict(definition.get("typeQualifier") or {})
        qualifier["allowedTypes"] = [*qualifier.get("allowedTypes", ()), *more_types]
        definition["typeQualifier"] = qualifier
    if given.get("newAllowedValues") is not None:
        values = _allowed(given["newAllowedValues"])
        definition["allowedValues"] = [*(definition.get("allowedValues") or ()), *values]
    if given.get("setCardinalityAsMultiple"):
        definition["cardinality"] = "MULTIPLE"
    more = [urn for urn in given.get("newEntityTypes") or () if urn not in stored["entityTypes"]]
    definition["entityTypes"] = [*stored["entityTypes"], *more]
    return definition


def _delete(context: Context, arguments: Arguments) -> bool:
    remove_entity(context, arguments["input"]["urn"])
    return True


def _upsert_values(context: Context, arguments: Arguments) -> Part:
    given = arguments["input"]
    urn = given["assetUrn"]
    if not context.exists(urn):
        raise BadRequest(f"Asset with provided urn {urn} does not exist")
    value = with_values(context, urn, given["structuredPropertyInputParams"])
    return _write_values(context, urn, value)


def with_values(context: Context, urn: str, given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The `structuredProperties` of an entity with some values set, as the API gives them."""
    stored = context.value(urn, "structuredProperties") or {}
    known = {item["propertyUrn"]: item for item in stored.get("properties") or ()}
    for item in given:
        name = item["structuredPropertyUrn"]
        known[name] = {
            "created": context.stamp,
            **known.get(name, {"propertyUrn": name}),
            "values": [primitive(value) for value in item["values"]],
            "lastModified": context.stamp,
        }
    return {"properties": list(known.values())}


def _remove_values(context: Context, arguments: Arguments) -> Part:
    given = arguments["input"]
    urn, gone = given["assetUrn"], set(given["structuredPropertyUrns"])
    if not context.exists(urn):
        raise BadRequest(f"Asset with provided urn {urn} does not exist")
    known = (context.value(urn, "structuredProperties") or {}).get("properties") or ()
    left = [item for item in known if item["propertyUrn"] not in gone]
    return _write_values(context, urn, {"properties": left})


def _write_values(context: Context, urn: str, value: dict[str, Any]) -> Part:
    context.upsert(urn, "structuredProperties", value)
    return Part(context.loader.entity(urn), value)


def _value_entities(entry: Part, _: Arguments) -> list[str]:
    found = [
        next(iter(item.values())) if isinstance(item, Mapping) else item
        for item in entry.get("values") or ()
    ]
    return [value for value in found if isinstance(value, str) and value.startswith("urn:li:")]


def _settings_of(entity: Entity, _: Arguments) -> dict[str, Any] | None:
    settings = entity.aspect("structuredPropertySettings")
    return {name: bool(settings.get(name)) for name in _SETTINGS} if settings else None


def _filter_status(definition: Part, _: Arguments) -> str:
    owner = definition.owner
    shown = owner is not None and owner.aspect("structuredPropertySettings").get(
        "showInSearchFilters"
    )
    return "ENABLED" if shown else "DISABLED"


def _allowed_value(entry: Part, _: Arguments) -> dict[str, Any]:
    value = entry["value"]
    found = next(iter(value.values())) if isinstance(value, Mapping) else value
    if isinstance(found, str):
        return {"__typename": "StringValue", "stringValue": found}
    return {"__typename": "NumberValue", "numberValue": found}


def _data_type(entity: Entity, _: Arguments) -> dict[str, Any]:
    name = Urn.parse(entity.urn).body
    info = {"qualifiedName": name, **entity.aspect("dataTypeInfo")}
    return {**info, "type": _STANDARD_TYPES.get(name, "OTHER")}


def _entity_type(entity: Entity, _: Arguments) -> dict[str, Any]:
    name = Urn.parse(entity.urn).body
    kind = name.removeprefix("datahub.")
    known = kind in entity.context.hub.registry.entities
    info = {"qualifiedName": name, **entity.aspect("entityTypeInfo")}
    return {**info, "type": enum_name(kind) if known else None}


ROOM = Room(
    schema="structured_properties.graphql",
    mutations={
        "createStructuredProperty": _create,
        "updateStructuredProperty": _update,
        "deleteStructuredProperty": _delete,
        "upsertStructuredProperties": _upsert_values,
        "removeStructuredProperties": _remove_values,
    },
    fields={
        ("StructuredPropertyEntity", "definition"): lambda entity, _: entity.aspect(
            "propertyDefinition"
        ),
        ("StructuredPropertyEntity", "settings"): _settings_of,
        ("StructuredPropertyDefinition", "filterStatus"): _filter_status,
        ("StructuredPropertyDefinition", "immutable"): lambda part, _: bool(part.get("immutable")),
        ("AllowedValue", "value"): _allowed_value,
        ("DataTypeEntity", "info"): _data_type,
        ("EntityTypeEntity", "info"): _entity_type,
        ("StructuredPropertiesEntry", "valueEntities"): _value_entities,
    },
)
