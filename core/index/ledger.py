"""A row of the ledger: what the embedded index will hold for one urn. Pure.

`op` names the change that waits for the owner of the index, None if there is none. `vectors` is
one byte string: a JSON line with the sizes, then little-endian float32 for dense vectors, uint32
indices and float32 values for sparse ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.index.model import (
    DeletePoint,
    Hashes,
    IndexOp,
    Payload,
    SetPayload,
    UpsertPoint,
    Vector,
)
from dataspoke.core.store.texts import is_key

PendingKind = Literal["upsert", "payload", "delete"]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """`alive` False is a tombstone: the urn has no point, and `version` fences it off.

    `payload` (JSON) and `vectors` are there only while they wait.
    """

    version: int
    alive: bool
    hashes: Hashes
    op: PendingKind | None
    payload: str | None = None
    vectors: bytes | None = None


def merge(row: LedgerRow | None, op: IndexOp) -> LedgerRow | None:
    """The row after `op`; None if the operation is ignored.

    Ignored are operations older than the row, and a payload for what has no point. A payload
    onto vectors that still wait leaves them waiting. The content hash always tells what the
    vectors were made of, whatever a `SetPayload` says.
    """
    if row is not None and op.version < row.version:
        return None
    if isinstance(op, DeletePoint):
        return LedgerRow(op.version, False, Hashes("", ""), "delete")
    payload = json.dumps(op.payload, separators=(",", ":"))
    if isinstance(op, UpsertPoint):
        vectors = pack_vectors(op.dense, op.sparse)
        return LedgerRow(op.version, True, op.hashes, "upsert", payload, vectors)
    if row is None or not row.alive:
        return None
    hashes = Hashes(row.hashes.content_hash, op.hashes.payload_hash, op.hashes.source)
    waiting: PendingKind = "upsert" if row.op == "upsert" else "payload"
    return replace(row, version=op.version, hashes=hashes, op=waiting, payload=payload)


def refs_after(op: IndexOp) -> frozenset[str]:
    """What the point refers to after `op`; what cannot be a key cannot be a urn either."""
    if isinstance(op, DeletePoint):
        return frozenset()
    return frozenset(ref for ref in op.payload.get("refs") or () if is_key(ref))


def pending_op(urn: str, row: LedgerRow) -> IndexOp:
    """The operation that waits in a row."""
    if row.op == "delete":
        return DeletePoint(urn, row.version)
    payload: Payload = json.loads(row.payload or "{}")
    if row.op == "payload":
        return SetPayload(urn, row.hashes, payload, row.version)
    dense, sparse = unpack_vectors(row.vectors or b"{}\n")
    return UpsertPoint(urn, row.hashes, dense, sparse, payload, row.version)


def pack_vectors(dense: Mapping[str, Vector], sparse: Mapping[str, SparseVector]) -> bytes:
    """See the top of the module; values are rounded to float32, as the engine does."""
    sizes = {
        "dense": {name: int(vector.size) for name, vector in dense.items()},
        "sparse": {name: len(vector.indices) for name, vector in sparse.items()},
    }
    parts = [json.dumps(sizes, separators=(",", ":")).encode(), b"\n"]
    parts += [np.asarray(vector, "<f4").tobytes() for vector in dense.values()]
    for weights in sparse.values():
        parts.append(np.asarray(weights.indices, "<u4").tobytes())
        parts.append(np.asarray(weights.values, "<f4").tobytes())
    return b"".join(parts)


def unpack_vectors(body: bytes) -> tuple[dict[str, Vector], dict[str, SparseVector]]:
    """The opposite of `pack_vectors`."""
    header, _, numbers = body.partition(b"\n")
    sizes = json.loads(header)
    at = 0

    def take(count: int, kind: str) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
        nonlocal at
        values: np.ndarray[tuple[int], np.dtype[np.generic]]
        values = np.frombuffer(numbers, kind, count, offset=at)
        at += 4 * count
        return values

    dense = {
        name: take(size, "<f4").astype(np.float32) for name, size in sizes.get("dense", {}).items()
    }
    sparse = {}
    for name, size in sizes.get("sparse", {}).items():
        indices = tuple(take(size, "<u4").tolist())
        sparse[name] = SparseVector(indices, tuple(take(size, "<f4").tolist()))
    return dense, sparse
