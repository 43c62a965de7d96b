"""Rules in, additions out."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dataspoke.ingestion_sources.enrich.config import EnrichConfig, Rule
from dataspoke.ingestion_sources.enrich.rules import (
    Additions,
    column_additions,
    dataset_additions,
    owner_urn,
    to_urn,
)

CUSTOMERS = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.crm.customers,PROD)"


def rules(*items: dict[str, Any]) -> list[Rule]:
    return EnrichConfig.model_validate({"rules": list(items)}).rules


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ({}, True),
        ({"platform": "postgres"}, True),
        ({"platform": "Postgres"}, True),
        ({"platform": "snowflake"}, False),
        ({"name": r"shop\.crm\..*"}, True),
        ({"name": r"SHOP\.CRM\..*"}, True),
        ({"name": "crm"}, False),
        ({"name": r"shop\.sales\..*"}, False),
        ({"platform": "snowflake", "name": ".*"}, False),
    ],
)
def test_a_dataset_rule_applies_when_all_its_conditions_hold(
    match: dict[str, str], matches: bool
) -> None:
    found = dataset_additions(rules({"match": match, "add": {"tags": ["core"]}}), CUSTOMERS)
    assert bool(found) is matches


def test_all_matching_rules_add_up_without_repetitions() -> None:
    found = dataset_additions(
        rules(
            {"match": {}, "add": {"tags": ["a", "b"], "owners": ["group:crm"]}},
            {"match": {}, "add": {"tags": ["b", "urn:li:tag:a"], "domain": "sales"}},
        ),
        CUSTOMERS,
    )
    assert found == Additions(
        tags=("urn:li:tag:a", "urn:li:tag:b"),
        owners=("urn:li:corpGroup:crm",),
        domains=("urn:li:domain:sales",),
    )


def test_a_column_rule_leaves_the_dataset_alone_and_finds_v1_and_v2_paths() -> None:
    found_rules = rules(
        {"match": {"column": "(.*_)?email"}, "add": {"tags": ["PII"], "terms": ["email"]}}
    )
    v2 = "[version=2.0].[type=struct].contact.[type=string].home_email"
    assert not dataset_additions(found_rules, CUSTOMERS)
    assert column_additions(
        found_rules, CUSTOMERS, ["id", "Email", "email_hash", "contact.home_email", v2]
    ) == [
        Additions(column=c, tags=("urn:li:tag:PII",), terms=("urn:li:glossaryTerm:email",))
        for c in ("Email", "contact.home_email", v2)
    ]


@pytest.mark.parametrize(
    ("given", "urn"),
    [
        ("user:ada", "urn:li:corpuser:ada"),
        ("group:crm-team", "urn:li:corpGroup:crm-team"),
        ("urn:li:corpuser:ada", "urn:li:corpuser:ada"),
    ],
)
def test_owners_may_be_written_short(given: str, urn: str) -> None:
    assert owner_urn(given) == urn


def test_names_become_urns_and_urns_stay() -> None:
    assert to_urn("tag", "PII") == to_urn("tag", "urn:li:tag:PII") == "urn:li:tag:PII"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"rules": []}, "at least 1"),
        ({"rules": [{"match": {}, "add": {}}]}, "`add` is empty"),
        ({"rules": [{"match": {"name": "("}, "add": {"tags": ["a"]}}]}, "no regular expression"),
        ({"rules": [{"match": {}, "add": {"owners": ["ada"]}}]}, "neither a person nor a group"),
        ({"rules": [{"match": {"column": "a"}, "add": {"domain": "d"}}]}, "a column has no owners"),
        ({"rules": [{"match": {"nam": "a"}, "add": {"tags": ["a"]}}]}, "nam"),
    ],
)
def test_an_impossible_rule_is_refused_with_the_reason(
    config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence.replace("(", r"\(")):
        EnrichConfig.model_validate(config)
