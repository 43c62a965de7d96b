from __future__ import annotations

from typing import Any

import pytest

from dataspoke.local_hub.timeline.differ import DIFFERS
from dataspoke.local_hub.timeline.documents import document
from dataspoke.local_hub.timeline.model import ChangeEvent

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"


def _tags(*names: str) -> dict[str, Any]:
    return {"tags": [{"tag": f"urn:li:tag:{name}"} for name in names]}


def _owner(name: str, kind: str = "DATAOWNER", **more: str) -> dict[str, Any]:
    return {"owner": f"urn:li:corpuser:{name}", "type": kind, **more}


def _links(*links: tuple[str, str]) -> dict[str, Any]:
    return {"elements": [{"url": url, "description": text} for url, text in links]}


def _property(name: str, *values: Any) -> dict[str, Any]:
    return {"propertyUrn": f"urn:li:structuredProperty:{name}", "values": list(values)}


def _told(aspect: str, old: Any, new: Any) -> list[ChangeEvent]:
    return list(DIFFERS[aspect](URN, old, new))


@pytest.mark.parametrize(
    ("aspect", "old", "new", "told"),
    [
        ("globalTags", _tags("b", "a"), _tags("c", "b"), ["REMOVE tag:a", "ADD tag:c"]),
        ("globalTags", {}, _tags("a", "a"), ["ADD tag:a", "ADD tag:a"]),
        (
            "glossaryTerms",
            {"terms": [{"urn": "urn:li:glossaryTerm:x"}]},
            {},
            ["REMOVE glossaryTerm:x"],
        ),
        (
            "ownership",
            {"owners": [_owner("ann")]},
            {"owners": [_owner("ann", "TECHNICAL_OWNER"), _owner("bob")]},
            ["REMOVE corpuser:ann", "ADD corpuser:bob", "ADD corpuser:ann"],
        ),
        ("domains", {"domains": []}, {"domains": ["urn:li:domain:a"]}, ["ADD domain:a"]),
        (
            "domains",
            {"domains": ["urn:li:domain:a"]},
            {"domains": ["urn:li:domain:b", "urn:li:domain:c"]},
            ["REMOVE domain:a", "ADD domain:b"],
        ),
        (
            "applications",
            {},
            {"applications": ["urn:li:application:shop"]},
            ["ADD application:shop"],
        ),
        (
            "dataProductProperties",
            {"name": "n", "assets": [{"destinationUrn": "urn:li:tag:a"}]},
            {"name": "n", "assets": [{"destinationUrn": "urn:li:tag:b"}]},
            ["REMOVE tag:a", "ADD tag:b"],
        ),
        (
            "glossaryRelatedTerms",
            {"isRelatedTerms": ["urn:li:glossaryTerm:a"]},
            {"hasRelatedTerms": ["urn:li:glossaryTerm:a"]},
            ["REMOVE glossaryTerm:a", "ADD glossaryTerm:a"],
        ),
        (
            "structuredProperties",
            {"properties": [_property("a", {"string": "x"}), _property("b", {"double": 1.0})]},
            {"properties": [_property("a", {"string": "y"}), _property("c", {"string": "z"})]},
            [
                "MODIFY structuredProperty:a",
                "REMOVE structuredProperty:b",
                "ADD structuredProperty:c",
            ],
        ),
    ],
)
def test_members_come_and_go_in_the_order_of_their_urns(
    aspect: str, old: Any, new: Any, told: list[str]
) -> None:
    events = _told(aspect, old, new)
    assert [f"{e.operation} {(e.modifier or '').removeprefix('urn:li:')}" for e in events] == told


@pytest.mark.parametrize(
    ("aspect", "old", "new", "told"),
    [
        ("datasetProperties", {}, {"description": "a"}, ["ADD MINOR"]),
        ("datasetProperties", {"description": "a"}, {"description": ""}, ["MODIFY MINOR"]),
        ("editableDatasetProperties", {"description": "a"}, {}, ["REMOVE MINOR"]),
        ("glossaryTermInfo", {"definition": "a"}, {"definition": "b"}, ["MODIFY MINOR"]),
        ("institutionalMemory", _links(("u", "a")), _links(("u", "b")), ["MODIFY PATCH"]),
        (
            "institutionalMemory",
            _links(("v", "a")),
            _links(("u", "a"), ("u", "a")),
            ["ADD MINOR", "ADD MINOR", "REMOVE MINOR"],
        ),
        (
            "domainProperties",
            {"name": "a", "description": "x"},
            {"name": "b"},
            ["MODIFY MINOR", "REMOVE MINOR"],
        ),
        (
            "documentation",
            {"documentations": [{"documentation": "a"}]},
            {
                "documentations": [
                    {"documentation": "b"},
                    {"documentation": "c", "attribution": {"source": "urn:li:dataHubAction:x"}},
                ]
            },
            ["MODIFY PATCH", "ADD MINOR"],
        ),
    ],
)
def test_texts_are_documentation(aspect: str, old: Any, new: Any, told: list[str]) -> None:
    events = _told(aspect, old, new)
    assert {event.category for event in events} == {"DOCUMENTATION"}
    assert [f"{event.operation} {event.severity}" for event in events] == told


def test_an_event_says_what_happened_in_words_and_in_parameters() -> None:
    (event,) = _told("ownership", {}, {"owners": [_owner("ann", typeUrn="urn:li:ownershipType:x")]})
    assert event.as_json() == {
        "entityUrn": URN,
        "category": "OWNERSHIP",
        "operation": "ADD",
        "modifier": "urn:li:corpuser:ann",
        "parameters": {
            "ownerUrn": "urn:li:corpuser:ann",
            "ownerType": "DATAOWNER",
            "ownerTypeUrn": "urn:li:ownershipType:x",
        },
        "semVerChange": "MINOR",
        "description": f"'ann' added as a `DATAOWNER` of '{URN}'.",
    }


def test_the_values_of_a_property_are_told_plainly() -> None:
    new = {"properties": [_property("a", {"string": "x"}, {"double": 2.5})]}
    (event,) = _told("structuredProperties", {}, new)
    assert (event.parameters or {})["propertyValues"] == '["x",2.5]'


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({}, {"title": "a", "contents": {"text": "x"}}, ["LIFECYCLE CREATE"]),
        ({"title": "a"}, {"title": "b"}, ["DOCUMENTATION MODIFY"]),
        ({"contents": {"text": "x"}}, {"contents": {"text": "y"}}, ["DOCUMENTATION MODIFY"]),
        ({"title": "a"}, {"title": "a", "parentDocument": {"document": "p"}}, ["PARENT MODIFY"]),
        (
            {"title": "a", "relatedAssets": [{"asset": "x"}]},
            {"title": "a", "relatedAssets": [{"asset": "y"}]},
            ["RELATED_ENTITIES ADD", "RELATED_ENTITIES REMOVE"],
        ),
        (
            {"status": {"state": "UNPUBLISHED"}},
            {"status": {"state": "PUBLISHED"}},
            ["LIFECYCLE MODIFY"],
        ),
    ],
)
def test_documents_tell_of_their_parts(old: Any, new: Any, told: list[str]) -> None:
    assert [f"{e.category} {e.operation}" for e in document(URN, old, new)] == told
