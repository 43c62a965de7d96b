"""The rooms of the GraphQL API, and their tables as one."""

from __future__ import annotations

from collections.abc import Mapping

from dataspoke.local_hub.graphql.room import FieldReader, Resolver, Room
from dataspoke.local_hub.graphql.rooms import (
    analytics,
    app,
    assertions,
    assets,
    browse,
    common,
    contracts,
    data_products,
    datasets,
    documents,
    domains,
    editing,
    entities,
    forms,
    glossary,
    health,
    identities,
    incidents,
    ingestion,
    lineage,
    lineage_counts,
    ml,
    owners,
    ownership_types,
    patches,
    people,
    policies,
    queries,
    roles,
    search,
    secrets,
    service_accounts,
    structured_properties,
    tags,
    timeline,
    tokens,
    versions,
    views,
)

ROOMS: tuple[Room, ...] = (
    common.ROOM,
    analytics.ROOM,
    app.ROOM,
    assertions.ROOM,
    assets.ROOM,
    browse.ROOM,
    contracts.ROOM,
    data_products.ROOM,
    datasets.ROOM,
    documents.ROOM,
    domains.ROOM,
    editing.ROOM,
    entities.ROOM,
    forms.ROOM,
    glossary.ROOM,
    health.ROOM,
    identities.ROOM,
    incidents.ROOM,
    ingestion.ROOM,
    lineage.ROOM,
    lineage_counts.ROOM,
    ml.ROOM,
    owners.ROOM,
    ownership_types.ROOM,
    people.ROOM,
    policies.ROOM,
    queries.ROOM,
    roles.ROOM,
    search.ROOM,
    secrets.ROOM,
    service_accounts.ROOM,
    structured_properties.ROOM,
    tags.ROOM,
    timeline.ROOM,
    tokens.ROOM,
    versions.ROOM,
    views.ROOM,
    patches.ROOM,
)

QUERIES: Mapping[str, Resolver] = {
    name: resolve for room in ROOMS for name, resolve in room.queries.items()
}
MUTATIONS: Mapping[str, Resolver] = {
    name: resolve for room in ROOMS for name, resolve in room.mutations.items()
}
FIELDS: Mapping[tuple[str, str], FieldReader] = {
    place: read for room in ROOMS for place, read in room.fields.items()
}
ASPECTS: Mapping[str, str] = {
    aspect: "\n".join(room.aspects[aspect] for room in ROOMS if aspect in room.aspects)
    for room in ROOMS
    for aspect in room.aspects
}
