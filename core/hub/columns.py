"""Columns from `schemaMetadata` and what people edited of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from dataspoke.core.entities import Column
from dataspoke.core.hub.values import text, unique

# DataHub's v2 paths: `[version=2.0].[type=struct].[type=array].[type=string].lines.sku`.
_V2_TOKEN = re.compile(r"\[(?:version|key|type)=[^\]]*\]\.?")


class Edit(NamedTuple):
    """What people said of one column."""

    description: str
    tags: tuple[str, ...]
    terms: tuple[str, ...]


def simple_path(path: str) -> str:
    """The plain dotted path that people know.

    >>> simple_path("[version=2.0].[key=True].[type=struct].lines.[type=long].sku")
    'lines.sku'
    """
    if "[" not in path:
        return path
    return _V2_TOKEN.sub("", path).strip(".")


def edits_from(editable: Mapping[str, Any]) -> dict[str, Edit]:
    """What people said of columns, by simple path. Raises as `columns_from`."""
    return {
        simple_path(field["fieldPath"]): Edit(
            text(field.get("description")),
            tag_urns(field.get("globalTags")),
            term_urns(field.get("glossaryTerms")),
        )
        for field in editable.get("editableSchemaFieldInfo") or ()
    }


def columns_from(schema: Mapping[str, Any], edits: Mapping[str, Edit]) -> tuple[Column, ...]:
    """The columns in schema order, people's words over the connector's, labels of both.

    Fields that differ only in their v2 tokens (branches of a union) are one column. Raises
    TypeError, KeyError or AttributeError for malformed aspects.
    """
    keys = {simple_path(path) for path in schema.get("primaryKeys") or ()}
    columns: dict[str, Column] = {}
    for field in schema["fields"]:
        path = simple_path(field["fieldPath"])
        if path and path not in columns:
            columns[path] = _column(path, field, edits.get(path), keys)
    return tuple(columns.values())


def tag_urns(value: Mapping[str, Any] | None) -> tuple[str, ...]:
    if not value:
        return ()
    return unique(item["tag"] for item in value.get("tags") or ())


def term_urns(value: Mapping[str, Any] | None) -> tuple[str, ...]:
    if not value:
        return ()
    return unique(item["urn"] for item in value.get("terms") or ())


def _column(path: str, field: Mapping[str, Any], edit: Edit | None, keys: set[str]) -> Column:
    description = text(field.get("description"))
    tags = tag_urns(field.get("globalTags"))
    terms = term_urns(field.get("glossaryTerms"))
    if edit:
        description = edit.description or description
        tags = unique((*tags, *edit.tags))
        terms = unique((*terms, *edit.terms))
    return Column(
        path=path,
        type=text(field.get("nativeDataType")) or _type_name(field.get("type")),
        description=description,
        tags=tags,
        terms=terms,
        is_key=path in keys or field.get("isPartOfKey") is True,
    )


def _type_name(value: Any) -> str:
    """`{"type": {"com.linkedin.schema.StringType": {}}}` → `string`; the union has one key."""
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, dict) or not kind:
        return ""
    name = str(kind.get("__type") or next(iter(kind)))
    return name.rpartition(".")[2].removesuffix("Type").lower()
