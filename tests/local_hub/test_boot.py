"""What an empty hub starts with."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_client import Client

from dataspoke.local_hub.boot.bootstrap import bootstrap
from dataspoke.local_hub.boot.platforms import DELIMITERS, platforms
from dataspoke.local_hub.boot.policies import policies
from dataspoke.local_hub.hub import Hub
from dataspoke.local_hub.registry import Registry


@pytest.mark.parametrize(
    ("urn", "aspect", "name"),
    [
        ("urn:li:corpuser:datahub", "corpUserInfo", "displayName"),
        ("urn:li:dataPlatform:snowflake", "dataPlatformInfo", "displayName"),
        ("urn:li:ownershipType:__system__data_steward", "ownershipTypeInfo", "name"),
        ("urn:li:dataType:datahub.rich_text", "dataTypeInfo", "displayName"),
        ("urn:li:entityType:datahub.schemaField", "entityTypeInfo", "qualifiedName"),
        ("urn:li:dataHubRole:Editor", "dataHubRoleInfo", "name"),
        ("urn:li:dataHubPolicy:view-entity-page-all", "dataHubPolicyInfo", "displayName"),
    ],
)
def test_what_clients_look_up_is_there(client: Client, urn: str, aspect: str, name: str) -> None:
    assert client.get(urn, aspect)[name]


def test_every_entity_of_the_models_has_its_type(client: Client, registry: Registry) -> None:
    body = {"entities": ["entityType"], "aspects": []}
    page = client.http.post("/openapi/v3/entity/scroll", params={"count": 500}, json=body).json()
    named = {entity["urn"].rpartition("datahub.")[2] for entity in page["entities"]}
    assert named == set(registry.entities)


def test_ids_are_unique_and_policies_name_each_privilege_once() -> None:
    assert len(dict(platforms())) == len(list(platforms())) == len(DELIMITERS)
    assert len(dict(policies())) == len(list(policies()))
    for _, info in policies():
        assert len(set(info["privileges"])) == len(info["privileges"])


def test_a_second_start_changes_nothing_and_keeps_what_was_edited(tmp_path: Path) -> None:
    hub = Hub.open(tmp_path)
    try:
        bootstrap(hub)
        urn, aspect = "urn:li:dataPlatform:kafka", "dataPlatformInfo"
        mine = {"name": "kafka", "type": "OTHERS", "datasetNameDelimiter": "/"}
        hub.ingest([hub.proposals.build("dataPlatform", urn, aspect, "UPSERT", mine)]).result()
        offset = hub.store.last_offset()
        bootstrap(hub)
        assert hub.store.last_offset() == offset
    finally:
        hub.close()
