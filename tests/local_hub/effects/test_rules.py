"""Rules about one aspect: fields, policies, users, forms, urns."""

from __future__ import annotations

from typing import Any

import pytest

from dataspoke.local_hub.effects import RULES
from dataspoke.local_hub.errors import InvalidAspect

TABLE = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
FORM, OTHER_FORM = "urn:li:form:one", "urn:li:form:two"


def fields(*paths: str) -> dict[str, Any]:
    return {"fields": [{"fieldPath": path} for path in paths]}


def edited(*paths: str) -> dict[str, Any]:
    return {"editableSchemaFieldInfo": [{"fieldPath": path} for path in paths]}


def policy(field: str) -> dict[str, Any]:
    return {"resources": {"filter": {"criteria": [{"field": field, "values": []}]}}}


def asserted(urn: str) -> dict[str, Any]:
    return {"datasetAssertion": {"dataset": urn}}


@pytest.mark.parametrize(
    ("urn", "aspect", "value", "reason"),
    [
        (TABLE, "schemaMetadata", fields("a", "b"), None),
        (TABLE, "schemaMetadata", fields("a", "a"), "SchemaMetadata aspect has duplicated"),
        (TABLE, "schemaMetadata", fields(""), "empty field path"),
        (TABLE, "editableSchemaMetadata", edited("a", "b"), None),
        (TABLE, "editableSchemaMetadata", edited("a", "a"), "EditableSchemaMetadata aspect has"),
        ("urn:li:dataHubPolicy:p", "dataHubPolicyInfo", policy("TYPE"), None),
        ("urn:li:dataHubPolicy:p", "dataHubPolicyInfo", policy("COLOUR"), "Invalid field type"),
        ("urn:li:assertion:a", "assertionInfo", asserted(TABLE), None),
        ("urn:li:assertion:a", "assertionInfo", asserted("urn:li:tag:a"), "Invalid entity type"),
        ("urn:li:assertion:a", "assertionInfo", asserted("orders"), "Invalid urn"),
        (FORM, "formInfo", {"prompts": [{"id": "1"}, {"id": "2"}]}, None),
        (FORM, "formInfo", {"prompts": [{"id": "1"}, {"id": "1"}]}, "must be unique"),
        (FORM, "formInfo", {"prompts": [{"id": "taken"}]}, "globally unique"),
    ],
)
def test_a_value_keeps_its_rule(
    catalogue: Any, write: Any, urn: str, aspect: str, value: Any, reason: str | None
) -> None:
    catalogue.put(OTHER_FORM, "formInfo", {"prompts": [{"id": "taken"}]})
    if reason is None:
        RULES[aspect](catalogue, write(urn, aspect, value))
    else:
        with pytest.raises(InvalidAspect, match=reason):
            RULES[aspect](catalogue, write(urn, aspect, value))


def test_a_form_may_be_written_again(catalogue: Any, write: Any) -> None:
    catalogue.put(FORM, "formInfo", {"prompts": [{"id": "1"}]})
    RULES["formInfo"](catalogue, write(FORM, "formInfo", {"prompts": [{"id": "1"}]}))


@pytest.mark.parametrize("system", [True, False])
def test_only_users_of_datahub_itself_cannot_be_deleted(
    catalogue: Any, write: Any, system: bool
) -> None:
    user = "urn:li:corpuser:someone"
    catalogue.put(user, "corpUserInfo", {"active": True, "system": system})
    change = write(user, "corpUserKey", None, "DELETE")
    if system:
        with pytest.raises(InvalidAspect, match="System users"):
            RULES["corpUserKey"](catalogue, change)
    else:
        RULES["corpUserKey"](catalogue, change)


def test_every_rule_lets_a_deletion_pass_that_it_does_not_guard(catalogue: Any, write: Any) -> None:
    for aspect, rule in RULES.items():
        entity = next(
            spec for spec in catalogue.registry.entities.values() if aspect in spec.aspects
        )
        urn = f"urn:li:{entity.name}:x"
        change = write(urn, aspect, None, "DELETE", old={"properties": []})
        rule(catalogue, change)
