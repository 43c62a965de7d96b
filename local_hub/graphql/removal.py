"""Deleting an entity together with what refers to it, as GMS's delete mutations do."""

from __future__ import annotations

from dataspoke.local_hub.graphql.room import Context
from dataspoke.local_hub.references import references, without_references


def remove_entity(context: Context, urn: str) -> None:
    """Delete an entity for good and take it out of the aspects that name it."""
    found = references(context.index, urn)
    context.delete(urn)
    proposals = without_references(context.hub, urn, found)
    if proposals:
        context.hub.ingest(proposals, context.actor).result()
        context.loader.forget(proposal.urn for proposal in proposals)
