"""Models, their groups, features and keys."""

from __future__ import annotations

from dataspoke.local_hub.graphql.generic import aspect_field
from dataspoke.local_hub.graphql.room import Room

ROOM = Room(
    schema="ml.graphql",
    fields={
        ("MLFeature", "featureProperties"): aspect_field("mlFeatureProperties"),
        ("MLPrimaryKey", "primaryKeyProperties"): aspect_field("mlPrimaryKeyProperties"),
        ("MLFeatureTable", "featureTableProperties"): aspect_field("mlFeatureTableProperties"),
    },
)
