"""Users and groups as they are read."""

from __future__ import annotations

from dataspoke.local_hub.graphql.generic import aspect_field
from dataspoke.local_hub.graphql.room import Room

ROOM = Room(
    schema="people.graphql",
    fields={
        ("CorpGroup", "origin"): aspect_field("origin"),
    },
)
