"""The proposals for domains, owners, tags and terms."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from datahub.metadata.schema_classes import ASPECT_NAME_MAP, MetadataChangeProposalClass
from datahub.utilities.urns.urn import guess_entity_type

from dataspoke.cli.quickstart.warehouse.governance import proposals
from dataspoke.cli.quickstart.warehouse.schemas import SCHEMAS


@pytest.fixture(scope="module")
def made() -> list[dict[str, Any]]:
    return list(proposals("bookshop", SCHEMAS))


def body(proposal: dict[str, Any]) -> Any:
    return json.loads(proposal["aspect"]["value"])


def operations(proposal: dict[str, Any]) -> list[dict[str, Any]]:
    found = body(proposal)
    listed: list[dict[str, Any]] = found["patch"] if isinstance(found, dict) else found
    return listed


def test_they_are_proposals_that_datahub_can_read(made: list[dict[str, Any]]) -> None:
    for proposal in made:
        assert MetadataChangeProposalClass.from_obj(proposal, tuples=False).validate()
        assert proposal["entityType"] == guess_entity_type(proposal["entityUrn"])


def test_whole_aspects_are_valid(made: list[dict[str, Any]]) -> None:
    for proposal in made:
        if proposal["changeType"] == "UPSERT":
            aspect = ASPECT_NAME_MAP[proposal["aspectName"]].from_obj(body(proposal))
            assert aspect.validate(), proposal


def test_what_people_edit_on_tables_is_only_added_to(made: list[dict[str, Any]]) -> None:
    on_tables = [proposal for proposal in made if proposal["entityType"] == "dataset"]
    assert on_tables
    assert {proposal["changeType"] for proposal in on_tables} == {"PATCH"}
    assert {each["op"] for proposal in on_tables for each in operations(proposal)} == {"add"}


def test_descriptions_of_tables_and_columns_are_left_alone(made: list[dict[str, Any]]) -> None:
    assert "editableDatasetProperties" not in {proposal["aspectName"] for proposal in made}
    for proposal in made:
        if proposal["aspectName"] == "editableSchemaMetadata":
            assert not [each for each in operations(proposal) if "description" in each["path"]]


def test_every_reference_is_defined(made: list[dict[str, Any]]) -> None:
    defined = {proposal["entityUrn"] for proposal in made if proposal["changeType"] == "UPSERT"}
    text = json.dumps([body(proposal) for proposal in made])
    kinds = ("tag", "glossaryTerm", "glossaryNode", "domain", "corpGroup", "corpuser")
    named = {
        word
        for word in text.replace('"', " ").replace("/", " ").split()
        if word.startswith(tuple(f"urn:li:{kind}:" for kind in kinds))
    }
    assert named - defined == {"urn:li:corpuser:datahub"}


def test_vocabulary_comes_before_its_use(made: list[dict[str, Any]]) -> None:
    changes = [proposal["changeType"] for proposal in made]
    assert changes == sorted(changes, key=["UPSERT", "PATCH"].index)


def test_each_table_has_a_domain_and_all_but_one_an_owner(made: list[dict[str, Any]]) -> None:
    tables = sum(len(schema.relations) for schema in SCHEMAS)
    aspects = Counter(proposal["aspectName"] for proposal in made)
    assert aspects["domains"] == tables
    assert aspects["ownership"] == tables - 1


def test_columns_with_personal_data_get_tag_and_term(made: list[dict[str, Any]]) -> None:
    customers = "urn:li:dataset:(urn:li:dataPlatform:postgres,bookshop.crm.customers,PROD)"
    paths = {
        each["path"]
        for proposal in made
        if proposal["entityUrn"] == customers and proposal["aspectName"] == "editableSchemaMetadata"
        for each in operations(proposal)
    }
    field = "/editableSchemaFieldInfo/email"
    assert f"{field}/globalTags/tags/urn:li:tag:pii" in paths
    assert f"{field}/glossaryTerms/terms/urn:li:glossaryTerm:email" in paths
    assert not any("/segment/" in path for path in paths)
