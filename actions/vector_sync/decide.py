"""What the index needs, given what DataHub says and what the index holds. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dataspoke.core.documents.model import Document
from dataspoke.core.index.model import (
    DeletePoint,
    Hashes,
    IndexOp,
    SetPayload,
    UpsertPoint,
    Vector,
)
from dataspoke.core.index.views import blend, distinct_texts


@dataclass(frozen=True, slots=True)
class Changed:
    """A document whose texts must be embedded before its point can be written."""

    document: Document
    version: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """`ready` may be applied as it is; `changed` waits for vectors; `unchanged` is right in the
    index, but for its source, which is another one than before."""

    ready: tuple[DeletePoint | SetPayload, ...]
    changed: tuple[Changed, ...]
    unchanged: Mapping[str, Hashes]

    @property
    def deletions(self) -> int:
        return sum(isinstance(op, DeletePoint) for op in self.ready)


def decide(
    documents: Mapping[str, Document],
    gone: Collection[str],
    *,
    known: Mapping[str, Hashes],
    versions: Mapping[str, int],
    sources: Mapping[str, str] | None = None,
) -> Plan:
    """Compare fingerprints; `gone` are urns that are removed for certain.

    `sources` are the fingerprints of what the documents were made from, as far as known. A gone
    urn is deleted whether or not the index knows it: the operation also fences off a
    worker that still holds an older state of it.
    """
    ready: list[DeletePoint | SetPayload] = [DeletePoint(urn, versions[urn]) for urn in gone]
    changed: list[Changed] = []
    unchanged: dict[str, Hashes] = {}
    for urn, document in documents.items():
        held = known.get(urn)
        hashes = hashes_of(document, (sources or {}).get(urn, ""))
        if held is None or held.content_hash != document.content_hash:
            changed.append(Changed(document, versions[urn], hashes.source))
        elif held.payload_hash != document.payload_hash:
            ready.append(SetPayload(urn, hashes, document.payload, versions[urn]))
        else:
            unchanged[urn] = hashes
    return Plan(tuple(ready), tuple(changed), unchanged)


def texts_of(changed: Sequence[Changed]) -> list[str]:
    """Every text to embed, once, in the order that `upserts` expects its vectors."""
    return distinct_texts(one.document for one in changed)


def upserts(changed: Sequence[Changed], vectors: Vector) -> list[IndexOp]:
    """Points from documents and the rows of `vectors`, shape (len(texts_of(changed)), dim)."""
    blended = blend([one.document for one in changed], vectors)
    return [
        UpsertPoint(
            urn=one.document.urn,
            hashes=hashes_of(one.document, one.source),
            dense=dense,
            sparse=one.document.sparse,
            payload=one.document.payload,
            version=one.version,
        )
        for one, dense in zip(changed, blended, strict=True)
    ]


def hashes_of(document: Document, source: str = "") -> Hashes:
    return Hashes(document.content_hash, document.payload_hash, source)
