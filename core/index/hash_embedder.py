"""A fast embedder without a model: texts that share words are near, nothing more is known.

Made for tests and scale runs. Each distinct word adds a fixed pattern of signs at a few
positions (feature hashing); a row is the sum over the words of its text, scaled to length 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from dataspoke.core.index.model import Vector

DIM = 384
_POSITIONS_PER_WORD = 8
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


class HashEmbedder:
    """Deterministic on every machine and in every process; safe to share between threads."""

    model_id = "hash-1"
    dim = DIM

    def embed(self, texts: Sequence[str]) -> Vector:
        """(n, 384) float32, unit rows. A text without any word gets the first axis."""
        rows = np.zeros((len(texts), DIM), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            words = {word.lower() for word in _WORD.findall(text)}
            if not words:
                row[0] = 1.0
                continue
            # Signed positions: +p adds 1 at p, -p - 1 takes 1 away there.
            signed = np.concatenate([_pattern(word) for word in words])
            row += np.bincount(signed[signed >= 0], minlength=DIM)
            row -= np.bincount(-1 - signed[signed < 0], minlength=DIM)
            length = float(np.linalg.norm(row))
            if length > 0.0:
                row /= length
            else:
                row[0] = 1.0
        return rows


@lru_cache(maxsize=200_000)
def _pattern(word: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    digest = blake2b(word.encode(), digest_size=4 * _POSITIONS_PER_WORD).digest()
    numbers = np.frombuffer(digest, dtype="<u4").astype(np.int64)
    positions = (numbers >> 1) % DIM
    return np.where(numbers & 1, positions, -1 - positions)
