"""What people keep in files: properties, forms, datasets, products, people, agents, assertions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datahub.ingestion.graph.client import DataHubGraph
from datahub_shell import DatahubShell

TABLE = "urn:li:dataset:(urn:li:dataPlatform:hive,defined.visits,PROD)"


def file_of(folder: Path, value: Any) -> str:
    """A YAML file (which JSON is)."""
    path = folder / "definition.yml"
    path.write_text(json.dumps(value))
    return str(path)


@pytest.fixture(scope="module")
def retention(datahub: DatahubShell, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A structured property, upserted from a file; the answer is its urn."""
    definition = {
        "id": "io.zoo.retention",
        "type": "number",
        "display_name": "Retention",
        "description": "Days to keep",
        "entity_types": ["dataset"],
        "cardinality": "SINGLE",
        "allowed_values": [{"value": 30, "description": "a month"}, {"value": 365}],
    }
    folder = tmp_path_factory.mktemp("properties")
    datahub("properties", "upsert", "-f", file_of(folder, [definition]))
    return "urn:li:structuredProperty:io.zoo.retention"


def test_properties_are_listed_and_shown(datahub: DatahubShell, retention: str) -> None:
    shown = datahub.json("properties", "get", "--urn", retention)
    assert shown["type"] == "urn:li:dataType:datahub.number"
    assert [value["value"] for value in shown["allowed_values"]] == [30.0, 365.0]
    assert retention in datahub("properties", "list", "--no-details").split()


def test_a_form_is_shown_as_it_was_written(
    datahub: DatahubShell, tmp_path: Path, retention: str
) -> None:
    prompt = {
        "id": "1",
        "title": "How long?",
        "type": "STRUCTURED_PROPERTY",
        "structured_property_urn": retention,
        "required": True,
    }
    form = {"id": "keep", "name": "Keeping", "type": "VERIFICATION", "prompts": [prompt]}
    datahub("forms", "upsert", "-f", file_of(tmp_path, [form]))
    shown = datahub.json("forms", "get", "--urn", "urn:li:form:keep")
    assert (shown["name"], shown["type"]) == ("Keeping", "VERIFICATION")
    assert shown["prompts"][0]["structured_property_urn"] == retention


def test_a_dataset_goes_both_ways(datahub: DatahubShell, tmp_path: Path, retention: str) -> None:
    definition = {
        "id": "defined.visits",
        "platform": "hive",
        "description": "Who came",
        "tags": ["pii"],
        "properties": {"source": "turnstile"},
        "structured_properties": {"io.zoo.retention": 365},
        "schema": {"fields": [{"id": "day", "type": "date", "description": "the day"}]},
    }
    path = file_of(tmp_path, definition)
    assert f"Update succeeded for urn {TABLE}" in datahub("dataset", "upsert", "-f", path)
    shown = datahub.json("dataset", "get", "--urn", TABLE)
    assert (shown["description"], shown["tags"]) == ("Who came", ["pii"])
    assert retention.endswith("io.zoo.retention")
    assert shown["structured_properties"] == {"io.zoo.retention": 365.0}
    assert shown["schema_metadata"]["fields"][0]["description"] == "the day"
    value = tmp_path / "value.json"
    value.write_text('{"description": "Who came, and when", "customProperties": {}}')
    datahub("put", "--urn", TABLE, "-a", "datasetProperties", "-d", str(value))
    datahub("dataset", "sync", "-f", path, "--from-datahub")
    assert "Who came, and when" in Path(path).read_text()
    wrong = definition | {"structured_properties": {"io.zoo.unknown": "x"}}
    assert datahub.run("dataset", "upsert", "-f", file_of(tmp_path, wrong)).returncode != 0


def test_siblings_know_each_other(datahub: DatahubShell) -> None:
    other = TABLE.replace("hive", "trino")
    datahub("dataset", "add-sibling", "--urn", TABLE, "--sibling-urns", other)
    for urn, sibling in ((TABLE, other), (other, TABLE)):
        found = datahub.json("get", "--urn", urn, "-a", "siblings")["siblings"]
        assert found["siblings"] == [sibling]


def test_a_data_product_lives_its_life(datahub: DatahubShell, tmp_path: Path) -> None:
    urn = "urn:li:dataProduct:visits"
    product = {
        "id": "visits",
        "domain": "urn:li:domain:zoo",
        "display_name": "Visits",
        "description": "All of them",
        "assets": [TABLE],
        "owners": [{"id": "urn:li:corpuser:ada", "type": "BUSINESS_OWNER"}],
        "properties": {"lifecycle": "production"},
    }
    path = file_of(tmp_path, product)

    def run(command: str, *args: str) -> str:
        return datahub("dataproduct", command, *args)

    def shown() -> Any:
        return json.loads(run("get", "--urn", urn))

    assert f"Update succeeded for urn {urn}" in run("upsert", "-f", path, "--no-validate-assets")
    assert shown() | product | {"id": urn} == shown()
    run("set_description", "--urn", urn, "--description", "Each of them")
    run("add_owner", "--urn", urn, "--owner", "bob", "--owner-type", "TECHNICAL_OWNER")
    run("add_asset", "--urn", urn, "--asset", "urn:li:container:gate", "--no-validate-assets")
    now = shown()
    assert now["description"] == "Each of them"
    assert now["assets"] == [TABLE, "urn:li:container:gate"]
    # The tool shows a technical owner by the urn alone.
    assert now["owners"] == [*product["owners"], "urn:li:corpuser:bob"]
    assert "Update needed for id visits" in run("diff", "-f", path)
    run("remove_owner", "--urn", urn, "urn:li:corpuser:bob")
    run("remove_asset", "--urn", urn, "--asset", TABLE, "--no-validate-assets")
    now = shown()
    assert now["owners"] == product["owners"]
    assert now["assets"] == ["urn:li:container:gate"]
    assert f"Data Product {urn} deleted" in run("delete", "--urn", urn)


def test_groups_and_users(datahub: DatahubShell, tmp_path: Path, reader: DataHubGraph) -> None:
    group = {"id": "keepers", "display_name": "Keepers", "members": ["ada"], "owners": ["bob"]}
    user = {"id": "ada", "display_name": "Ada", "description": "Feeds", "groups": ["keepers"]}
    datahub("group", "upsert", "-f", file_of(tmp_path, group))
    datahub("user", "upsert", "-f", file_of(tmp_path, user))
    found = datahub.json("get", "--urn", "urn:li:corpuser:ada")
    assert found["corpUserEditableInfo"]["aboutMe"] == "Feeds"
    related = reader.get_related_entities(
        "urn:li:corpGroup:keepers",
        ["IsMemberOfGroup"],
        DataHubGraph.RelationshipDirection.INCOMING,
    )
    assert [one.urn for one in related] == ["urn:li:corpuser:ada"]


def test_people_are_invited_once(datahub: DatahubShell) -> None:
    command = ("user", "add", "--email", "eve@zoo.org", "--email-as-id", "--display-name", "Eve")
    options = ("--password", "--role", "Editor")
    told = datahub(*command, *options, typed="s3cret-s3cret\ns3cret-s3cret\n")
    assert "Successfully created user" in told
    again = datahub.run(*command, *options, typed="s3cret-s3cret\ns3cret-s3cret\n")
    assert again.returncode == 1
    assert "already exists" in (again.stdout + again.stderr).lower()
    roles = datahub.json("get", "--urn", "urn:li:corpuser:eve@zoo.org", "-a", "roleMembership")
    assert roles["roleMembership"]["roles"] == ["urn:li:dataHubRole:Editor"]


@pytest.mark.parametrize(
    ("command", "options", "aspect"),
    [
        ("agent", ("--owner", "ada", "--consumes-dataset", TABLE), "ownership"),
        ("agent-skill", (), "agentSkillInfo"),
        ("api", ("--output-dataset", TABLE), "apiProperties"),
    ],
)
def test_agents_and_their_tools_are_registered(
    datahub: DatahubShell, command: str, options: tuple[str, ...], aspect: str
) -> None:
    told = datahub(
        command,
        "register",
        "--id",
        "feeder",
        "--name",
        "Feeder",
        "--description",
        "Feeds",
        *options,
    )
    urn = told.split()[-1]
    assert aspect in datahub.json("get", "--urn", urn)
    assert urn in datahub("search", "feeder", "--urns-only").split()


def test_an_assertion_is_upserted(datahub: DatahubShell, tmp_path: Path) -> None:
    assertion = {
        "entity": TABLE,
        "type": "volume",
        "metric": "row_count",
        "condition": {"type": "less_than_or_equal_to", "value": 1000},
        "schedule": {"type": "on_table_change"},
    }
    path = file_of(tmp_path, {"version": 1, "assertions": [assertion]})
    told = datahub("assertions", "upsert", "-f", path)
    urn = told.split("Update succeeded for urn ")[1].split()[0].rstrip(".")
    info = datahub.json("get", "--urn", urn, "-a", "assertionInfo")["assertionInfo"]
    assert (info["type"], info["volumeAssertion"]["entity"]) == ("VOLUME", TABLE)
