"""The timeline of an entity."""

from __future__ import annotations

from typing import Any

from dataspoke.cli.conformance.context import Context
from dataspoke.cli.conformance.expect import expect, expect_equal, expect_status
from dataspoke.cli.conformance.http import quoted
from dataspoke.cli.conformance.model import check

_BY = "quality plugins: what changed before a value broke; `datahub timeline`"


@check(by=_BY)
def schema_changes_are_told(c: Context) -> None:
    """A column that was added is an ADD of TECHNICAL_SCHEMA with its path.

    GMS: TimelineControllerV2.java; smoke test openapi/v2/timeline.json.
    """
    urn = c.dataset()
    c.put(urn, "schemaMetadata", schema(c, "id"))
    c.put(urn, "schemaMetadata", schema(c, "id", "email"))
    changes = _changes(c, urn, "TECHNICAL_SCHEMA")
    added = [
        (change.get("parameters") or {}).get("fieldPath")
        for change in changes
        if change["operation"] == "ADD"
    ]
    expect("email" in added, "Added the column email and read the timeline", added)


@check(by=_BY)
def tag_changes_are_told(c: Context) -> None:
    """A tag that was added and removed is told as both."""
    urn, tag = c.dataset(), c.urn("tag", "pii")
    c.put(urn, "globalTags", {"tags": []})
    c.put(urn, "globalTags", {"tags": [{"tag": tag}]})
    c.put(urn, "globalTags", {"tags": []})
    found = [c["operation"] for c in _changes(c, urn, "TAG") if tag in str(c.get("modifier"))]
    expect_equal("Added and removed a tag and read the timeline", sorted(found), ["ADD", "REMOVE"])


def schema(c: Context, *columns: str) -> dict[str, Any]:
    """A schemaMetadata of text columns."""
    fields = [
        {
            "fieldPath": column,
            "type": {"type": {"com.linkedin.schema.StringType": {}}},
            "nativeDataType": "text",
        }
        for column in columns
    ]
    return {
        "schemaName": "t",
        "platform": c.platform,
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": fields,
    }


def _changes(c: Context, urn: str, category: str) -> list[dict[str, Any]]:
    path = f"/openapi/v2/timeline/v1/{quoted(urn)}"
    reply = c.http.get(path, startTime=-1, endTime=0, raw="false", categories=category)
    c.older_may_lack(reply, "timeline")
    expect_status("Read the timeline", reply.status, (200,), reply.body)
    return [change for step in reply.body for change in step.get("changeEvents") or ()]
