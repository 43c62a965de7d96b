"""PATCH with the stock builders, and raw JSON patches with keys for arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_part
from dataspoke.cli.conformance.model import check

if TYPE_CHECKING:
    from datahub.specific.dataset import DatasetPatchBuilder

_BY = "dataspoke-enrich"


@check(by=_BY, each_mode=True)
def tags_are_added_and_removed(c: Context) -> None:
    """Adding a tag keeps the others, adding it twice is one, removing it leaves the others."""
    from datahub.metadata.schema_classes import TagAssociationClass

    urn = c.dataset()
    tags = [f"urn:li:tag:{c.name(letter)}" for letter in "ab"]
    _emit(c, _builder(urn).add_tag(TagAssociationClass(tag=tags[0])))
    _emit(c, _builder(urn).add_tag(TagAssociationClass(tag=tags[1])))
    _emit(c, _builder(urn).add_tag(TagAssociationClass(tag=tags[0])))
    expect_equal("Added two tags, one twice", _tags(c, urn), set(tags))
    count = len(c.value(urn, "globalTags")["tags"])
    expect_equal("Counted the tags after adding one twice", count, 2)
    _emit(c, _builder(urn).remove_tag(tags[0]))
    expect_equal("Removed one of two tags", _tags(c, urn), {tags[1]})


@check(by=_BY, each_mode=True)
def terms_are_added_and_removed(c: Context) -> None:
    """A glossary term is added beside another, and removed alone."""
    from datahub.metadata.schema_classes import GlossaryTermAssociationClass

    urn = c.dataset()
    terms = [f"urn:li:glossaryTerm:{c.name(letter)}" for letter in "ab"]
    for term in terms:
        _emit(c, _builder(urn).add_term(GlossaryTermAssociationClass(urn=term)))
    _emit(c, _builder(urn).remove_term(terms[0]))
    found = [item["urn"] for item in c.value(urn, "glossaryTerms")["terms"]]
    expect_equal("Added two terms and removed one", found, [terms[1]])


@check(by=_BY, each_mode=True)
def owners_are_told_apart_by_type(c: Context) -> None:
    """One owner may have two kinds of ownership; removing one kind leaves the other."""
    from datahub.metadata.schema_classes import OwnerClass, OwnershipTypeClass

    urn, owner = c.dataset(), f"urn:li:corpuser:{c.name('owner')}"
    for kind in (OwnershipTypeClass.TECHNICAL_OWNER, OwnershipTypeClass.BUSINESS_OWNER):
        _emit(c, _builder(urn).add_owner(OwnerClass(owner=owner, type=kind)))
    expect_equal("Added an owner with two types", len(c.value(urn, "ownership")["owners"]), 2)
    _emit(c, _builder(urn).remove_owner(owner, OwnershipTypeClass.TECHNICAL_OWNER))
    kinds = [item["type"] for item in c.value(urn, "ownership")["owners"]]
    expect_equal("Removed one of two types", kinds, ["BUSINESS_OWNER"])


@check(by=_BY, each_mode=True)
def properties_are_set_one_by_one(c: Context) -> None:
    """Description, name and single custom properties are set without touching the rest."""
    urn = c.dataset()
    start = {"name": "orders", "customProperties": {"kept": "1", "dropped": "2"}}
    c.put(urn, "datasetProperties", start)
    builder = _builder(urn).set_description("all orders").add_custom_property("new/key", "3")
    _emit(c, builder.remove_custom_property("dropped"))
    expect_part(
        "Patched the description and two custom properties",
        c.value(urn, "datasetProperties"),
        {
            "name": "orders",
            "description": "all orders",
            "customProperties": {"kept": "1", "new/key": "3"},
        },
    )


@check(by="dataspoke-query-log", each_mode=True)
def upstreams_are_added_and_removed(c: Context) -> None:
    """An upstream is added beside another, and removed alone."""
    from datahub.metadata.schema_classes import DatasetLineageTypeClass, UpstreamClass

    urn, ups = c.dataset(), [c.dataset("up1"), c.dataset("up2")]
    for up in ups:
        _emit(
            c,
            _builder(urn).add_upstream_lineage(
                UpstreamClass(dataset=up, type=DatasetLineageTypeClass.TRANSFORMED)
            ),
        )
    _emit(c, _builder(urn).remove_upstream_lineage(ups[0]))
    found = [item["dataset"] for item in c.value(urn, "upstreamLineage")["upstreams"]]
    expect_equal("Added two upstreams and removed one", found, [ups[1]])


@check(by=_BY, each_mode=True)
def columns_are_patched_by_path(c: Context) -> None:
    """A tag on one column leaves the tags of another column alone."""
    from datahub.metadata.schema_classes import TagAssociationClass

    urn, tag = c.dataset(), f"urn:li:tag:{c.name('pii')}"
    for column in ("email", "phone"):
        builder = _builder(urn)
        builder.for_field(column).add_tag(TagAssociationClass(tag=tag))
        _emit(c, builder)
    builder = _builder(urn)
    builder.for_field("phone").remove_tag(tag)
    _emit(c, builder)
    fields = c.value(urn, "editableSchemaMetadata")["editableSchemaFieldInfo"]
    tagged = [item["fieldPath"] for item in fields if (item.get("globalTags") or {}).get("tags")]
    expect_equal("Tagged two columns and untagged one", tagged, ["email"])


@check(by=_BY, each_mode=True)
def missing_aspect_is_made(c: Context) -> None:
    """A patch of an aspect that is not there makes it, on an entity that is not there."""
    urn = c.dataset()
    patch = [{"op": "add", "path": "/description", "value": "made by a patch"}]
    c.put(urn, "datasetProperties", {"patch": patch, "arrayPrimaryKeys": {}}, "PATCH")
    expect_part(
        "Patched an aspect that was not there",
        c.value(urn, "datasetProperties"),
        {"description": "made by a patch", "customProperties": {}},
    )


@check(by=_BY, each_mode=True)
def raw_patch_addresses_arrays_by_key(c: Context) -> None:
    """With arrayPrimaryKeys, a raw patch addresses items of an array by their key.

    GMS: GenericPatchTemplate.java.
    """
    urn = c.dataset()
    tags = [f"urn:li:tag:{c.name(letter)}" for letter in "ab"]
    c.put(urn, "globalTags", {"tags": [{"tag": tags[0], "context": "kept"}]})
    value = {
        "patch": [{"op": "add", "path": f"/tags/{tags[1]}", "value": {"tag": tags[1]}}],
        "arrayPrimaryKeys": {"tags": ["tag"]},
    }
    c.put(urn, "globalTags", value, "PATCH")
    found = {item["tag"]: item.get("context") for item in c.value(urn, "globalTags")["tags"]}
    expect_equal("Added a tag with a raw patch", found, {tags[0]: "kept", tags[1]: None})


@check(by=_BY, each_mode=True)
def several_operations_apply_in_order(c: Context) -> None:
    """The operations of one patch are applied in their order, all together."""
    urn = c.dataset()
    c.put(urn, "datasetProperties", {"name": "orders"})
    patch = [
        {"op": "add", "path": "/customProperties/a", "value": "1"},
        {"op": "add", "path": "/customProperties/a", "value": "2"},
        {"op": "add", "path": "/customProperties/b", "value": "3"},
        {"op": "remove", "path": "/customProperties/b"},
    ]
    c.put(urn, "datasetProperties", {"patch": patch, "arrayPrimaryKeys": {}}, "PATCH")
    found = c.value(urn, "datasetProperties")["customProperties"]
    expect_equal("Sent four operations in one patch", found, {"a": "2"})


@check(by=_BY, each_mode=True)
def patched_aspect_keeps_its_run_id(c: Context) -> None:
    """The run id of a patch is that of its sender, so that a run can be rolled back."""
    urn = c.dataset()
    patch = [{"op": "add", "path": "/description", "value": "x"}]
    c.put(
        urn,
        "datasetProperties",
        {"patch": patch, "arrayPrimaryKeys": {}},
        "PATCH",
        run_id=f"{c.target.run_id}-patch",
    )
    found = c.metadata(urn, "datasetProperties").get("runId")
    expect(found == f"{c.target.run_id}-patch", "Read the run id of a patched aspect", found)


def _builder(urn: str) -> DatasetPatchBuilder:
    from datahub.specific.dataset import DatasetPatchBuilder

    return DatasetPatchBuilder(urn)


def _emit(c: Context, builder: Any) -> None:
    for mcp in builder.build():
        c.graph.emit(mcp)


def _tags(c: Context, urn: str) -> set[str]:
    return {item["tag"] for item in c.value(urn, "globalTags")["tags"]}
