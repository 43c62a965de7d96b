"""Structured properties: their definition, their values, and what is refused.

All checks share one definition: a search index keeps a column for every definition that it
ever saw.
"""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect_equal, expect_part, expect_status
from dataspoke.cli.conformance.http import Reply
from dataspoke.cli.conformance.model import check

_BY = "quality and health plugins, which can write results as structured properties"
_REFUSED = (400, 422)


@check(by=_BY)
def definition_is_kept(c: Context) -> None:
    """A definition is read back as it was written."""
    urn = _defined(c)
    expect_part(
        "Wrote a definition and read it",
        c.value(urn, "propertyDefinition"),
        {"valueType": "urn:li:dataType:datahub.string", "cardinality": "SINGLE"},
    )


@check(by=_BY)
def allowed_value_is_assigned(c: Context) -> None:
    """A value that the definition allows is assigned and read back."""
    urn, dataset = _defined(c), c.dataset()
    reply = _assign(c, dataset, urn, "good")
    expect_status("Assigned an allowed value", reply.status, (200,), reply.body)
    found = c.value(dataset, "structuredProperties")["properties"]
    expect_part("Read it", found[0], {"propertyUrn": urn, "values": [{"string": "good"}]})


@check(by=_BY)
def value_that_is_not_allowed_is_refused(c: Context) -> None:
    """A value outside the allowed ones is refused.

    GMS: StructuredPropertiesValidator.java.
    """
    reply = _assign(c, c.dataset(), _defined(c), "splendid")
    expect_status("Assigned a value that is not allowed", reply.status, _REFUSED, reply.body)


@check(by=_BY)
def value_of_a_wrong_type_is_refused(c: Context) -> None:
    """A number for a property of texts is refused.

    GMS: StructuredPropertiesValidator.java.
    """
    reply = _assign(c, c.dataset(), _defined(c), 5.0)
    expect_status("Assigned a number to a text property", reply.status, _REFUSED, reply.body)


@check(by=_BY)
def second_value_of_a_single_property_is_refused(c: Context) -> None:
    """Two values for a property of one value are refused.

    GMS: StructuredPropertiesValidator.java.
    """
    reply = _assign(c, c.dataset(), _defined(c), "good", "bad")
    expect_status("Assigned two values", reply.status, _REFUSED, reply.body)


@check(by=_BY)
def unknown_property_is_refused(c: Context) -> None:
    """A value for a property without a definition is refused.

    GMS: StructuredPropertiesValidator.java.
    """
    unknown = f"urn:li:structuredProperty:{c.target.marker}.unknown"
    reply = _assign(c, c.dataset(), unknown, "good")
    expect_status("Assigned an undefined property", reply.status, _REFUSED, reply.body)


@check(by=_BY)
def type_of_a_definition_stays(c: Context) -> None:
    """The value type of a definition cannot be changed.

    GMS: PropertyDefinitionValidator.java.
    """
    urn = _defined(c)
    changed = {**_definition(c), "valueType": "urn:li:dataType:datahub.number"}
    changed.pop("allowedValues")
    reply = c.write(urn, "propertyDefinition", changed)
    expect_status("Changed the type of a definition", reply.status, _REFUSED, reply.body)


@check(by=_BY, each_mode=True)
def stock_builder_sets_and_removes(c: Context) -> None:
    """The stock patch builder sets a structured property and removes it again."""
    from datahub.specific.dataset import DatasetPatchBuilder

    urn, dataset = _defined(c), c.dataset()
    for mcp in DatasetPatchBuilder(dataset).set_structured_property(urn, "bad").build():
        c.graph.emit(mcp)
    found = c.value(dataset, "structuredProperties")["properties"]
    expect_part("Set a property with the builder", found[0], {"values": [{"string": "bad"}]})
    for mcp in DatasetPatchBuilder(dataset).remove_structured_property(urn).build():
        c.graph.emit(mcp)
    found = c.value(dataset, "structuredProperties")["properties"]
    expect_equal("Removed the property with the builder", found, [])


def _definition(c: Context) -> dict[str, Any]:
    return {
        "qualifiedName": f"{c.target.marker}.verdict",
        "displayName": f"{c.target.marker} verdict",
        "valueType": "urn:li:dataType:datahub.string",
        "cardinality": "SINGLE",
        "entityTypes": ["urn:li:entityType:datahub.dataset"],
        "allowedValues": [{"value": {"string": value}} for value in ("good", "bad")],
    }


def _defined(c: Context) -> str:
    urn = c.own(f"urn:li:structuredProperty:{c.target.marker}.verdict")
    c.put(urn, "propertyDefinition", _definition(c))
    return urn


def _assign(c: Context, dataset: str, urn: str, *values: str | float) -> Reply:
    given = [{"string" if isinstance(value, str) else "double": value} for value in values]
    return c.write(
        dataset, "structuredProperties", {"properties": [{"propertyUrn": urn, "values": given}]}
    )
