"""Tags: making them, and putting them on entities."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.room import Arguments, Context, Resolver, Room, path_step


def _create_tag(context: Context, arguments: Arguments) -> str:
    given = arguments["input"]
    urn = f"urn:li:tag:{given.get('id') or given['name']}"
    if context.exists(urn):
        raise BadRequest("This Tag already exists!")
    value = {"name": given["name"], "description": given.get("description") or ""}
    context.upsert(urn, "tagProperties", value)
    return urn


def _tag_patch(operation: str) -> Resolver:
    def change(context: Context, arguments: Arguments) -> bool:
        given = arguments["input"]
        step: dict[str, Any] = {"op": operation, "path": f"/tags/{path_step(given['tagUrn'])}"}
        if operation == "add":
            step["value"] = {"tag": given["tagUrn"]}
        context.patch(given["resourceUrn"], "globalTags", [step])
        return True

    return change


ROOM = Room(
    schema="tags.graphql",
    mutations={
        "createTag": _create_tag,
        "addTag": _tag_patch("add"),
        "removeTag": _tag_patch("remove"),
    },
)
