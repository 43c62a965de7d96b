"""What the collection of an embedder looks like."""

from __future__ import annotations

from typing import Protocol

from dataspoke.core.documents.model import CHARACTERS_VECTOR, DENSE_VECTOR, SPARSE_VECTOR
from dataspoke.core.index.model import IndexSpec

# Another number makes another collection, filled from DataHub by reconcile. Raise it when the
# vectors or the bookkeeping of a point change; a changed text is a changed content hash.
LAYOUT_VERSION = 2

VERSION_FIELD = "_version"
SOURCE_FIELD = "_source"
FACTS_FIELD = "_facts"
DOCUMENT_FIELD = "_document"

# Number fields that get an index (of floats, which holds milliseconds exactly); others are
# filtered by looking at each point.
NUMBER_FIELDS = ("created", "last_modified", "column_count")


class _HasModel(Protocol):
    @property
    def model_id(self) -> str: ...
    @property
    def dim(self) -> int: ...


def spec_for(embedder: _HasModel) -> IndexSpec:
    """One dense vector of the embedder's size, sparse vectors of words and of characters."""
    return IndexSpec(
        model_id=f"{embedder.model_id}-v{LAYOUT_VERSION}",
        dense={DENSE_VECTOR: embedder.dim},
        sparse=(SPARSE_VECTOR, CHARACTERS_VECTOR),
    )
