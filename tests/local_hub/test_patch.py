from __future__ import annotations

import copy
from typing import Any

import pytest

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.patch import TEMPLATES, apply_patch, empty_aspect
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.validate import Validator

TAG, OTHER = "urn:li:tag:a", "urn:li:tag:b"
FIELD = "urn:li:schemaField:(urn:li:dataset:(urn:li:dataPlatform:x,{},PROD),c)"
UP, UP2, DOWN = FIELD.format("up"), FIELD.format("up2"), FIELD.format("down")
BY_SOURCE = {"tags": ["attribution␟source", "tag"]}


def _add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def _remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


def _attributed(tag: str, source: str) -> dict[str, Any]:
    return {"tag": tag, "attribution": {"source": source, "time": 0, "actor": "urn:li:corpuser:x"}}


def _lineage(*upstreams: str, **more: Any) -> dict[str, Any]:
    return {
        "upstreamType": "FIELD_SET",
        "upstreams": list(upstreams),
        "downstreamType": "FIELD",
        "downstreams": [DOWN],
        "confidenceScore": 1.0,
        "transformOperation": "NONE",
        **more,
    }


@pytest.mark.parametrize(
    ("aspect", "current", "patch", "result"),
    [
        pytest.param(
            "globalTags",
            {"tags": [{"tag": TAG}]},
            [_add(f"/tags/{OTHER}", {"tag": OTHER})],
            {"tags": [{"tag": TAG}, {"tag": OTHER}]},
            id="an item is added by its key",
        ),
        pytest.param(
            "globalTags",
            {"tags": [{"tag": TAG}]},
            [_add(f"/tags/{TAG}", {"tag": TAG, "context": "x"})],
            {"tags": [{"tag": TAG, "context": "x"}]},
            id="adding what is there replaces it",
        ),
        pytest.param(
            "globalTags",
            {"tags": [{"tag": TAG}, {"tag": OTHER}]},
            [_remove(f"/tags/{TAG}")],
            {"tags": [{"tag": OTHER}]},
            id="an item is removed by its key",
        ),
        pytest.param(
            "globalTags",
            {"tags": [{"tag": TAG}]},
            [_remove(f"/tags/{OTHER}")],
            {"tags": [{"tag": TAG}]},
            id="removing what is not there changes nothing",
        ),
        pytest.param(
            "globalTags", {}, [_remove(f"/tags/{OTHER}")], {}, id="nor in an empty aspect"
        ),
        pytest.param(
            "globalTags",
            {},
            [_add("/tags/urn:li:tag:a~1b", {"tag": "urn:li:tag:a/b"})],
            {"tags": [{"tag": "urn:li:tag:a/b"}]},
            id="slashes of a key are escaped",
        ),
        pytest.param(
            "globalTags",
            {"tags": [{"tag": TAG}]},
            [_add("/tags", [{"tag": OTHER}])],
            {"tags": [{"tag": OTHER}]},
            id="a whole array is replaced",
        ),
        pytest.param(
            "globalTags",
            {"tags": [_attributed(TAG, "s1"), {"tag": TAG}]},
            {
                "arrayPrimaryKeys": BY_SOURCE,
                "patch": [_add(f"/tags/s2/{TAG}", _attributed(TAG, "s2"))],
            },
            {"tags": [_attributed(TAG, "s1"), {"tag": TAG}, _attributed(TAG, "s2")]},
            id="given keys tell sources apart",
        ),
        pytest.param(
            "globalTags",
            {"tags": [_attributed(TAG, "s1"), {"tag": TAG}, {"tag": OTHER}]},
            {"arrayPrimaryKeys": BY_SOURCE, "patch": [_remove(f"/tags/*/{TAG}")]},
            {"tags": [{"tag": OTHER}]},
            id="a star removes under every key",
        ),
        pytest.param(
            "globalTags",
            {"tags": [_attributed(TAG, "s1"), _attributed(OTHER, "s1"), {"tag": OTHER}]},
            {"arrayPrimaryKeys": BY_SOURCE, "patch": [_remove("/tags/s1")]},
            {"tags": [{"tag": OTHER}]},
            id="a short path removes all below",
        ),
        pytest.param(
            "ownership",
            {"owners": [{"owner": "u", "type": "NONE"}]},
            [_add("/owners/u/DATAOWNER", {"owner": "u", "type": "DATAOWNER"})],
            {"owners": [{"owner": "u", "type": "NONE"}, {"owner": "u", "type": "DATAOWNER"}]},
            id="owners are keyed by type as well",
        ),
        pytest.param(
            "datasetProperties",
            {"customProperties": {"a": "1"}},
            [_add("/customProperties/b", "2"), _remove("/customProperties/a"), _add("/name", "n")],
            {"customProperties": {"b": "2"}, "name": "n"},
            id="maps and plain fields",
        ),
        pytest.param(
            "datasetProperties",
            {},
            [_add("/customProperties/b", "2")],
            {"customProperties": {"b": "2"}},
            id="missing parents are made",
        ),
        pytest.param(
            "siblings",
            {"siblings": ["u1"], "primary": True},
            [_add("/siblings/u2", "u2"), _remove("/siblings/u1")],
            {"siblings": ["u2"], "primary": True},
            id="items without keys are their own",
        ),
        pytest.param(
            "editableSchemaMetadata",
            {"editableSchemaFieldInfo": [{"fieldPath": "a", "description": "x"}]},
            [_add(f"/editableSchemaFieldInfo/a/globalTags/tags/{TAG}", {"tag": TAG})],
            {
                "editableSchemaFieldInfo": [
                    {
                        "fieldPath": "a",
                        "description": "x",
                        "globalTags": {"tags": [{"tag": TAG}]},
                    }
                ]
            },
            id="arrays within arrays",
        ),
        pytest.param(
            "editableSchemaMetadata",
            {},
            [_add(f"/editableSchemaFieldInfo/a/globalTags/tags/{TAG}", {"tag": TAG})],
            {
                "editableSchemaFieldInfo": [
                    {"globalTags": {"tags": [{"tag": TAG}]}, "fieldPath": "a"}
                ]
            },
            id="an item made by a deep path gets its key",
        ),
        pytest.param(
            "upstreamLineage",
            {"upstreams": []},
            [_add(f"/fineGrainedLineages/NONE/{DOWN}/NONE/{UP}", {"confidenceScore": 1.0})],
            {"upstreams": [], "fineGrainedLineages": [_lineage(UP)]},
            id="column lineage is added to the tree",
        ),
        pytest.param(
            "upstreamLineage",
            {"upstreams": [], "fineGrainedLineages": [_lineage(UP, query="q")]},
            [_add(f"/fineGrainedLineages/NONE/{DOWN}/q/{UP2}", {"confidenceScore": 0.5})],
            {
                "upstreams": [],
                "fineGrainedLineages": [_lineage(UP, UP2, confidenceScore=0.5, query="q")],
            },
            id="the lowest confidence counts",
        ),
        pytest.param(
            "upstreamLineage",
            {"upstreams": [], "fineGrainedLineages": [_lineage(UP)]},
            [_remove(f"/fineGrainedLineages/NONE/{DOWN}/NONE/{UP}")],
            {"upstreams": [], "fineGrainedLineages": []},
            id="column lineage without upstreams goes",
        ),
    ],
)
def test_a_patch_does_what_gms_does(
    aspect: str, current: dict[str, Any], patch: Any, result: dict[str, Any]
) -> None:
    before = copy.deepcopy(current)
    assert apply_patch(aspect, current, patch) == result
    assert current == before


@pytest.mark.parametrize(
    "patch",
    [
        "nonsense",
        {"arrayPrimaryKeys": {}},
        {"patch": [], "arrayPrimaryKeys": ["tags"]},
        {"patch": [], "arrayPrimaryKeys": {"tags": "tag"}},
        ["nonsense"],
        [{"op": "test", "path": "/a", "value": 1}],
        [{"op": "add", "path": "a", "value": 1}],
        [{"op": "add", "path": "/a"}],
        [_add("/name/deeper", 1)],
        [{"op": "add", "path": None, "value": 1}],
    ],
)
def test_a_patch_that_makes_no_sense_is_refused(patch: Any) -> None:
    with pytest.raises(BadRequest):
        apply_patch("datasetProperties", {"name": "x"}, patch)


def test_column_lineage_with_two_downstreams_cannot_be_patched() -> None:
    current = {"fineGrainedLineages": [_lineage(UP, downstreams=[DOWN, UP2])]}
    with pytest.raises(BadRequest, match="exactly one downstream"):
        apply_patch("upstreamLineage", current, [_remove("/fineGrainedLineages/NONE")])


def test_a_patch_of_nothing_starts_from_empty_collections(registry: Registry) -> None:
    stamp = {"actor": "urn:li:corpuser:x", "time": 1}
    assert empty_aspect(registry.aspects["datasetProperties"].schema, stamp) == {
        "customProperties": {},
        "tags": [],
    }
    assert empty_aspect(registry.aspects["glossaryTerms"].schema, stamp) == {
        "terms": [],
        "auditStamp": stamp,
    }
    ownership = empty_aspect(registry.aspects["ownership"].schema, stamp)
    assert (ownership["owners"], ownership["ownerTypes"]) == ([], {})
    dashboard = empty_aspect(registry.aspects["dashboardInfo"].schema, stamp)
    assert dashboard["title"] == ""
    assert dashboard["lastModified"] == {"created": stamp, "lastModified": stamp}


# What only the patch itself can say.
_NAMED_BY_THE_PATCH = {"propertyDefinition", "formInfo"}


@pytest.mark.parametrize("name", sorted(TEMPLATES.keys() - _NAMED_BY_THE_PATCH))
def test_the_start_of_a_patch_is_itself_valid(registry: Registry, name: str) -> None:
    schema = registry.aspects[name].schema
    start = empty_aspect(schema, {"actor": "urn:li:corpuser:x", "time": 1})
    Validator().check(registry.aspects[name], start)


def _operation(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **more}


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([_operation("move", "/name", **{"from": "/title"})], {"name": "t", "tags": ["a"]}),
        (
            [_operation("copy", "/name", **{"from": "/tags/0"})],
            {"name": "a", "title": "t", "tags": ["a"]},
        ),
        (
            [_operation("test", "/title", value="t"), _operation("remove", "/title")],
            {"tags": ["a"]},
        ),
    ],
)
def test_values_are_moved_copied_and_tested(operations: Any, result: dict[str, Any]) -> None:
    assert apply_patch("chartInfo", {"title": "t", "tags": ["a"]}, operations) == result


@pytest.mark.parametrize(
    "operation",
    [
        _operation("test", "/title", value="other"),
        _operation("test", "/absent", value=None),
        _operation("move", "/name", **{"from": "/absent"}),
        _operation("copy", "/name"),
    ],
)
def test_what_cannot_be_moved_copied_or_confirmed_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        apply_patch("chartInfo", {"title": "t"}, [operation])


def test_a_generic_patch_sees_arrays_as_arrays() -> None:
    tags = {"tags": [{"tag": "urn:li:tag:a"}, {"tag": "urn:li:tag:b"}]}
    patch = {"patch": [_operation("remove", "/tags/0")], "forceGenericPatch": True}
    assert apply_patch("globalTags", tags, patch) == {"tags": [{"tag": "urn:li:tag:b"}]}


def test_owners_are_told_apart_by_type_and_type_urn() -> None:
    first = {"owner": "urn:li:corpuser:a", "type": "CUSTOM", "typeUrn": "urn:li:ownershipType:x"}
    second = {**first, "typeUrn": "urn:li:ownershipType:y"}
    path = "/owners/urn:li:corpuser:a/CUSTOM/urn:li:ownershipType:y"
    both = apply_patch("ownership", {"owners": [first]}, [_operation("add", path, value=second)])
    assert both == {"owners": [first, second]}
    older = {"owner": "urn:li:corpuser:b", "type": "DATAOWNER"}
    path = "/owners/urn:li:corpuser:b/DATAOWNER"
    added = apply_patch("ownership", both, [_operation("add", path, value=older)])
    assert added == {"owners": [first, second, older]}
    assert apply_patch("ownership", added, [_operation("remove", path)]) == both


def test_terms_that_a_patch_gives_to_a_column_are_stamped() -> None:
    stamp = {"actor": "urn:li:corpuser:a", "time": 1}
    path = "/editableSchemaFieldInfo/a/glossaryTerms/terms/urn:li:glossaryTerm:x"
    patch = [_operation("add", path, value={"urn": "urn:li:glossaryTerm:x"})]
    result = apply_patch("editableSchemaMetadata", {}, patch, stamp)
    (column,) = result["editableSchemaFieldInfo"]
    assert column["glossaryTerms"] == {
        "terms": [{"urn": "urn:li:glossaryTerm:x"}],
        "auditStamp": stamp,
    }
