"""An embedder that does not embed the same text twice: copies and shards of a table repeat it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from dataspoke.core.index.embedder import Embedder
from dataspoke.core.index.model import Vector

MAX_BYTES = 64_000_000
# Of a remembered vector beyond its numbers: key, array and entry.
_OVERHEAD = 300


class RememberingEmbedder:
    """Passes on what it has not seen of late; holds some `max_bytes`. Threads may share it."""

    def __init__(self, embedder: Embedder, *, max_bytes: int = MAX_BYTES) -> None:
        self._embedder = embedder
        self._room = max(0, max_bytes // (4 * embedder.dim + _OVERHEAD))
        self._known: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    @property
    def dim(self) -> int:
        return self._embedder.dim

    def embed(self, texts: Sequence[str]) -> Vector:
        """(n, dim) float32, unit rows, in the order of `texts`."""
        keys = [blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in texts]
        rows = self._recall(keys)
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in rows}
        if fresh:
            made = self._embedder.embed(list(fresh.values()))
            # Rows of their own: a view would keep the whole batch in memory.
            new = {key: row.copy() for key, row in zip(fresh, made, strict=True)}
            self._keep(new)
            rows |= new
        if not keys:
            return np.empty((0, self.dim), dtype=np.float32)
        return np.stack([rows[key] for key in keys])

    def _recall(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
            for key in found:
                self._known.move_to_end(key)
        return found

    def _keep(self, rows: dict[bytes, Vector]) -> None:
        with self._lock:
            self._known.update(rows)
            while len(self._known) > self._room:
                self._known.popitem(last=False)
