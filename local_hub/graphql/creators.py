"""Who makes an entity through GraphQL owns it."""

from __future__ import annotations

from typing import Any

from dataspoke.local_hub.graphql.room import Context

_TECHNICAL_OWNER = "urn:li:ownershipType:__system__technical_owner"


def owned_by_creator(context: Context) -> dict[str, Any]:
    """The `ownership` of an entity that the actor of this request makes."""
    owner = {
        "owner": context.actor,
        "type": "TECHNICAL_OWNER",
        "typeUrn": _TECHNICAL_OWNER,
        "source": {"type": "MANUAL"},
    }
    return {"owners": [owner], "lastModified": context.stamp}


def groups_of(context: Context, user: str) -> list[str]:
    """The urns of the groups that a user belongs to."""
    return [
        group
        for aspect, name in (
            ("groupMembership", "groups"),
            ("nativeGroupMembership", "nativeGroups"),
        )
        for group in (context.value(user, aspect) or {}).get(name) or ()
    ]
