"""Taking references to an entity out of the aspects that name it."""

from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub.references import without
from dataspoke.local_hub.registry import Registry

ANN, BOB = "urn:li:corpuser:ann", "urn:li:corpuser:bob"
TABLE = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
OTHER = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.items,PROD)"
TAG = "urn:li:tag:old"
FORM = "urn:li:form:yearly"
STAMP = {"time": 0, "actor": ANN}


def owner(urn: str) -> dict[str, Any]:
    return {"owner": urn, "type": "NONE"}


@pytest.mark.parametrize(
    ("aspect", "value", "urn", "left"),
    [
        ("domains", {"domains": [TAG, "b"]}, TAG, {"domains": ["b"]}),
        ("domains", {"domains": [TAG]}, TAG, {"domains": []}),
        ("container", {"container": TAG}, TAG, None),
        (
            "ownership",
            {"owners": [owner(ANN), owner(BOB)], "lastModified": STAMP},
            ANN,
            {"owners": [owner(BOB)], "lastModified": STAMP},
        ),
        (
            "ownership",
            {"owners": [{**owner(ANN), "typeUrn": "urn:li:ownershipType:x"}]},
            "urn:li:ownershipType:x",
            {"owners": [owner(ANN)]},
        ),
        (
            "editableSchemaMetadata",
            {
                "editableSchemaFieldInfo": [
                    {"fieldPath": "a", "globalTags": {"tags": [{"tag": TAG}, {"tag": "b"}]}},
                    {"fieldPath": "b"},
                ]
            },
            TAG,
            {
                "editableSchemaFieldInfo": [
                    {"fieldPath": "a", "globalTags": {"tags": [{"tag": "b"}]}},
                    {"fieldPath": "b"},
                ]
            },
        ),
        (
            "assertionInfo",
            {"type": "DATASET", "datasetAssertion": {"dataset": TABLE, "scope": "UNKNOWN"}},
            TABLE,
            {"type": "DATASET"},
        ),
        (
            "forms",
            {"incompleteForms": [{"urn": FORM}], "completedForms": [], "verifications": []},
            FORM,
            {"incompleteForms": [], "completedForms": [], "verifications": []},
        ),
        (
            "upstreamLineage",
            {"upstreams": [{"dataset": TABLE}, {"dataset": OTHER}]},
            TABLE,
            {"upstreams": [{"dataset": OTHER}]},
        ),
    ],
)
def test_only_relationships_count_and_what_needs_them_goes(
    registry: Registry, aspect: str, value: Any, urn: str, left: Any
) -> None:
    assert without(registry.aspects[aspect], value, urn) == left


def remove_references(client: Client, urn: str, *, dry_run: bool = False) -> Any:
    body = {"urn": urn, "dryRun": dry_run}
    return client.http.post("/entities?action=deleteReferences", json=body).json()["value"]


def test_a_dry_run_counts_and_a_real_one_removes(client: Client) -> None:
    client.must_put(TABLE, "globalTags", {"tags": [{"tag": TAG}, {"tag": "urn:li:tag:new"}]})
    related = [{"entity": TABLE, "relationship": "TaggedWith", "aspect": "globalTags"}]
    for dry_run in (True, False):
        found = remove_references(client, TAG, dry_run=dry_run)
        assert found == {"total": 1, "relatedAspects": related}
    assert client.get(TABLE, "globalTags") == {"tags": [{"tag": "urn:li:tag:new"}]}
    assert remove_references(client, TAG, dry_run=True)["total"] == 0


def test_a_domain_leaves_both_forms_and_a_form_its_assignments(client: Client) -> None:
    client.must_put(TABLE, "domains", {"domains": ["urn:li:domain:a", "urn:li:domain:b"]})
    forms = {"incompleteForms": [{"urn": FORM}], "completedForms": [], "verifications": []}
    client.must_put(TABLE, "forms", forms)
    for urn in ("urn:li:domain:a", FORM):
        remove_references(client, urn)
    assert client.get(TABLE, "domains") == {
        "domains": ["urn:li:domain:b"],
        "domainAssociations": [{"domain": "urn:li:domain:b"}],
    }
    assert client.get(TABLE, "forms")["incompleteForms"] == []


def test_an_aspect_that_only_named_the_entity_is_deleted(client: Client) -> None:
    client.must_put(TABLE, "container", {"container": "urn:li:container:shop"})
    remove_references(client, "urn:li:container:shop")
    answer = client.http.get(f"/aspects/{TABLE}", params={"aspect": "container"})
    assert answer.status_code == 404
