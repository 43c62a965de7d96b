"""Structured properties: definitions, values, and what readers see of them."""

from __future__ import annotations

from typing import Any

import pytest

from dataspoke.local_hub.effects import CONSEQUENCES, RULES
from dataspoke.local_hub.effects.values import without
from dataspoke.local_hub.errors import InvalidAspect

PROPERTY = "urn:li:structuredProperty:shop.retention"
OTHER = "urn:li:structuredProperty:shop.steward"
TABLE = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
DATASETS = "urn:li:entityType:datahub.dataset"
REMOVED = {"removed": True}


def definition(kind: str = "string", **fields: Any) -> dict[str, Any]:
    return {
        "qualifiedName": "shop.retention",
        "valueType": f"urn:li:dataType:datahub.{kind}",
        "entityTypes": [DATASETS],
        **fields,
    }


def assigned(*values: Any, urn: str = PROPERTY) -> dict[str, Any]:
    wrapped = [{"string" if isinstance(value, str) else "double": value} for value in values]
    return {"propertyUrn": urn, "values": wrapped}


def choices(*values: str) -> list[dict[str, Any]]:
    return [{"value": {"string": value}} for value in values]


@pytest.fixture
def catalogue(catalogue: Any) -> Any:
    for kind in ("string", "number", "date", "urn", "rich_text"):
        catalogue.put(f"urn:li:dataType:datahub.{kind}", "dataTypeInfo", {})
    catalogue.put(DATASETS, "entityTypeInfo", {})
    return catalogue


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"version": "2"}, "Invalid version"),
        ({"qualifiedName": "shop. retention"}, "Qualified names cannot have spaces"),
        ({"valueType": "urn:li:dataType:datahub.colour"}, "does not exist"),
        ({"valueType": "urn:li:tag:a"}, "Invalid entity type"),
        ({"valueType": "urn:li:dataType:(datahub.string"}, "Invalid urn"),
        ({"entityTypes": ["urn:li:entityType:datahub.planet"]}, "does not exist"),
        ({"typeQualifier": {"allowedTypes": ["dataset"]}}, "must be entity type urns"),
        ({"typeQualifier": {"allowedTypes": ["urn:li:tag:a"]}}, "not an entityType entity"),
        ({"typeQualifier": {"allowedTypes": ["urn:li:entityType:x"]}}, "that does not exist"),
    ],
)
def test_a_malformed_definition_is_refused(
    catalogue: Any, write: Any, fields: dict[str, Any], reason: str
) -> None:
    change = write(PROPERTY, "propertyDefinition", {**definition(), **fields})
    with pytest.raises(InvalidAspect, match=reason):
        RULES["propertyDefinition"](catalogue, change)


def test_an_id_with_spaces_is_refused(catalogue: Any, write: Any) -> None:
    change = write("urn:li:structuredProperty:a b", "propertyDefinition", definition())
    with pytest.raises(InvalidAspect, match="Urn ID cannot have spaces"):
        RULES["propertyDefinition"](catalogue, change)


BEFORE = definition(cardinality="MULTIPLE", allowedValues=choices("a", "b"))


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ({"valueType": "urn:li:dataType:datahub.number"}, "Value type cannot be changed"),
        ({"cardinality": "SINGLE"}, "from MULTI to SINGLE"),
        ({"qualifiedName": "shop.other"}, "fully qualified name"),
        ({"allowedValues": choices("a", "c")}, "Cannot restrict values"),
        ({"allowedValues": choices("a", "b", "c")}, None),
        ({"cardinality": "SINGLE", "version": "20260101000000"}, None),
        ({"description": "for how long"}, None),
    ],
)
def test_a_definition_only_grows_unless_its_version_does(
    catalogue: Any, write: Any, after: dict[str, Any], reason: str | None
) -> None:
    catalogue.put(PROPERTY, "propertyDefinition", BEFORE)
    change = write(PROPERTY, "propertyDefinition", {**BEFORE, **after})
    if reason is None:
        RULES["propertyDefinition"](catalogue, change)
    else:
        with pytest.raises(InvalidAspect, match=reason):
            RULES["propertyDefinition"](catalogue, change)


def test_values_that_were_free_cannot_be_restricted(catalogue: Any, write: Any) -> None:
    catalogue.put(PROPERTY, "propertyDefinition", definition())
    change = write(PROPERTY, "propertyDefinition", definition(allowedValues=choices("a")))
    with pytest.raises(InvalidAspect, match="Cannot restrict values"):
        RULES["propertyDefinition"](catalogue, change)


def test_a_soft_deleted_property_takes_neither_changes_nor_values(
    catalogue: Any, write: Any
) -> None:
    catalogue.put(PROPERTY, "propertyDefinition", definition())
    catalogue.put(PROPERTY, "status", REMOVED)
    with pytest.raises(InvalidAspect, match="Cannot mutate a soft deleted"):
        RULES["propertyDefinition"](catalogue, write(PROPERTY, "propertyDefinition", definition()))
    with pytest.raises(InvalidAspect, match="Cannot apply a soft deleted"):
        RULES["structuredProperties"](
            catalogue, write(TABLE, "structuredProperties", {"properties": [assigned("a")]})
        )


DATASETS_ONLY = {"typeQualifier": {"allowedTypes": [DATASETS]}}


@pytest.mark.parametrize(
    ("defined", "values", "reason"),
    [
        (definition(), ("a",), None),
        (definition(), (1.0,), "should be a string"),
        (definition(), ("a", "b"), "has cardinality 1"),
        (definition(cardinality="MULTIPLE"), ("a", "b"), None),
        (definition(allowedValues=choices("a", "b")), ("a",), None),
        (
            definition(allowedValues=choices("a", "b")),
            ("c",),
            r"value: \{string=c\} should be one of \[\{string=a\}, \{string=b\}\]",
        ),
        (definition("number"), (1.5,), None),
        (definition("number"), ("15",), None),
        (definition("number"), ("15 days",), "should be a number"),
        (definition("date"), ("2026-02-28",), None),
        (definition("date"), ("2026-02-30",), "should be a date"),
        (definition("date"), ("20260228",), "should be a date"),
        (definition("date"), (20260228.0,), "should be a string"),
        (definition("urn"), (TABLE,), None),
        (definition("urn"), ("shop.orders",), "should be an urn"),
        (definition("urn", **DATASETS_ONLY), (TABLE,), None),
        (definition("urn", **DATASETS_ONLY), ("urn:li:tag:a",), "is not of any supported urn"),
        (definition("rich_text"), ("<b>a</b>",), None),
    ],
)
def test_values_fit_their_definition(
    catalogue: Any, write: Any, defined: Any, values: Any, reason: str | None
) -> None:
    catalogue.put(PROPERTY, "propertyDefinition", defined)
    change = write(TABLE, "structuredProperties", {"properties": [assigned(*values)]})
    if reason is None:
        RULES["structuredProperties"](catalogue, change)
    else:
        with pytest.raises(InvalidAspect, match=reason):
            RULES["structuredProperties"](catalogue, change)


@pytest.mark.parametrize(
    ("assignments", "reason"),
    [
        ([assigned("a", urn=OTHER)], "Unexpected null value found"),
        ([assigned("a", urn="urn:li:tag:a")], "Unexpected entity type"),
        ([assigned("a"), assigned("b")], "has multiple entries"),
    ],
)
def test_assignments_name_each_known_property_once(
    catalogue: Any, write: Any, assignments: Any, reason: str
) -> None:
    catalogue.put(PROPERTY, "propertyDefinition", definition())
    change = write(TABLE, "structuredProperties", {"properties": assignments})
    with pytest.raises(InvalidAspect, match=reason):
        RULES["structuredProperties"](catalogue, change)


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ([assigned("b")], "Cannot mutate an immutable property"),
        ([], "Cannot delete an immutable property"),
        (None, "Cannot delete an immutable property"),
        ([assigned("a")], None),
    ],
)
def test_an_immutable_value_stays(
    catalogue: Any, write: Any, after: Any, reason: str | None
) -> None:
    catalogue.put(PROPERTY, "propertyDefinition", definition(immutable=True))
    catalogue.put(TABLE, "structuredProperties", {"properties": [assigned("a")]})
    new = None if after is None else {"properties": after}
    change = write(TABLE, "structuredProperties", new, "UPSERT" if new else "DELETE")
    if reason is None:
        RULES["structuredProperties"](catalogue, change)
    else:
        with pytest.raises(InvalidAspect, match=reason):
            RULES["structuredProperties"](catalogue, change)


def test_a_patch_answers_only_for_what_it_touches(catalogue: Any, write: Any) -> None:
    catalogue.put(OTHER, "propertyDefinition", definition(qualifiedName="shop.steward"))
    kept = assigned("a")  # its definition is gone
    catalogue.put(TABLE, "structuredProperties", {"properties": [kept]})
    after = {"properties": [kept, assigned("b", urn=OTHER)]}
    RULES["structuredProperties"](catalogue, write(TABLE, "structuredProperties", after, "PATCH"))
    with pytest.raises(InvalidAspect, match="Unexpected null value"):
        RULES["structuredProperties"](catalogue, write(TABLE, "structuredProperties", after))


@pytest.mark.parametrize("aspect", ["propertyDefinition", "structuredPropertyKey"])
def test_a_deleted_property_is_taken_off_every_entity(
    catalogue: Any, write: Any, aspect: str
) -> None:
    catalogue.put(TABLE, "structuredProperties", {"properties": [assigned("a")]})
    (proposal,) = CONSEQUENCES[aspect](
        catalogue, write(PROPERTY, aspect, None, "DELETE", old=definition())
    )
    assert (proposal.urn, proposal.aspect.name, proposal.change) == (
        TABLE,
        "structuredProperties",
        "PATCH",
    )
    assert proposal.value["patch"] == [{"op": "remove", "path": f"/properties/{PROPERTY}"}]


def test_a_changed_property_keeps_its_values(catalogue: Any, write: Any) -> None:
    catalogue.put(TABLE, "structuredProperties", {"properties": [assigned("a")]})
    change = write(PROPERTY, "propertyDefinition", definition())
    assert list(CONSEQUENCES["propertyDefinition"](catalogue, change)) == []


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"isHidden": True}, None),
        ({"isHidden": True, "showInSearchFilters": True}, "isHidden = true"),
        ({"isHidden": False, "showAsAssetBadge": True}, "more than one property"),
    ],
)
def test_display_settings_do_not_contradict(
    catalogue: Any, write: Any, settings: Any, reason: str | None
) -> None:
    catalogue.put(OTHER, "structuredPropertySettings", {"showAsAssetBadge": True})
    change = write(PROPERTY, "structuredPropertySettings", settings)
    if reason is None:
        RULES["structuredPropertySettings"](catalogue, change)
    else:
        with pytest.raises(InvalidAspect, match=reason):
            RULES["structuredPropertySettings"](catalogue, change)


def test_readers_do_not_see_the_values_of_hidden_properties() -> None:
    value = {"properties": [assigned("a"), assigned("b", urn=OTHER)]}
    assert without(value, {PROPERTY}) == {"properties": [assigned("b", urn=OTHER)]}
