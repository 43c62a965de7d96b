"""The changes of a schema that is all new, as texts: the most that one write tells, by far.

A dataset of 20 described columns makes 40 changes of two forms. They are what the differ of the
timeline tells, already in the form that they have within a JSON text within JSON; a test holds
both to be the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from dataspoke.local_hub.timeline.columns import column_urn

# Texts that JSON writes as they are.
_PLAIN = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')


def new_columns(urn: str, schema: Mapping[str, Any]) -> list[tuple[bool, str]] | None:
    """The members of each change, and whether it is about the dataset itself.

    None for what needs the differ: keys, and columns with tags or terms.
    """
    fields = {field["fieldPath"]: field for field in schema.get("fields") or ()}
    if schema.get("primaryKeys") or any(
        field.get("globalTags") or field.get("glossaryTerms") for field in fields.values()
    ):
        return None
    parent, changes = _inside(urn), []
    inside = _as_it_is if _all_plain(urn, fields) else _inside
    for path in sorted(fields):
        field = fields[path]
        inner = inside(path)
        column = inside(column_urn(urn, path))
        nullable = "true" if field.get("nullable") else "false"
        added = (
            r"\"category\":\"TECHNICAL_SCHEMA\",\"operation\":\"ADD\","
            rf"\"modifier\":\"{column}\",\"parameters\":{{\"fieldPath\":\"{inner}\","
            rf"\"fieldUrn\":\"{column}\",\"nullable\":{nullable},"
            r"\"modificationCategory\":\"OTHER\"}"
        )
        changes.append((True, added))
        description = field.get("description")
        if description is not None:
            described = (
                r"\"category\":\"DOCUMENTATION\",\"operation\":\"ADD\","
                rf"\"parameters\":{{\"description\":\"{inside(description)}\","
                rf"\"fieldPath\":\"{inner}\",\"parentUrn\":\"{parent}\"}},"
                rf"\"entityType\":\"schemaField\",\"entityUrn\":\"{column}\""
            )
            changes.append((False, described))
    return changes


def _all_plain(urn: str, fields: Mapping[str, Any]) -> bool:
    """One look at everything, since most schemas have nothing to escape."""
    texts = [field.get("description") or "" for field in fields.values()]
    return _PLAIN.fullmatch("".join((urn, *fields, *texts))) is not None


def _as_it_is(text: str) -> str:
    return text


def _inside(text: str) -> str:
    """A text as it is within a JSON text within JSON."""
    if _PLAIN.fullmatch(text):
        return text
    return orjson.dumps(orjson.dumps(text)[1:-1].decode())[1:-1].decode()
