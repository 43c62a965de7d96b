"""What the collection of an embedder looks like, and which payload fields can be filtered."""

from __future__ import annotations

from typing import Protocol

from dataspoke.core.documents.keys import KEYS_FIELD
from dataspoke.core.documents.model import DENSE_VECTOR, SPARSE_VECTOR
from dataspoke.core.index.model import IndexSpec

# Another number makes another collection, filled from DataHub by reconcile. Raise it when the
# vectors or the bookkeeping of a point change; a changed text is a changed content hash.
LAYOUT_VERSION = 1

VERSION_FIELD = "_version"
LIVE_FIELD = "_live"
FLAGS_FIELD = "_flags"

# `prefix` conditions are answered from the index for these, by a scan for others.
PREFIX_FIELDS = frozenset({"name", "qualified_name", "urn", KEYS_FIELD})
KEYWORD_FIELDS = (
    "urn",
    "entity_type",
    "name",
    "qualified_name",
    "platform",
    "platform_instance",
    "env",
    "subtypes",
    "container",
    "path",
    "tags",
    "tag_names",
    "terms",
    "term_names",
    "owners",
    "owner_names",
    "domains",
    "domain_names",
    "upstreams",
    "upstream_names",
    "refs",
    KEYS_FIELD,
    FLAGS_FIELD,
)
INTEGER_FIELDS = ("created", "last_modified", "column_count", VERSION_FIELD, LIVE_FIELD)


class _HasModel(Protocol):
    @property
    def model_id(self) -> str: ...
    @property
    def dim(self) -> int: ...


def spec_for(embedder: _HasModel) -> IndexSpec:
    """One dense vector of the embedder's size and one sparse vector of words."""
    return IndexSpec(
        model_id=f"{embedder.model_id}-v{LAYOUT_VERSION}",
        dense={DENSE_VECTOR: embedder.dim},
        sparse=(SPARSE_VECTOR,),
    )
