from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataspoke.core.index.hash_embedder import HashEmbedder
from dataspoke.core.index.model import Vector
from dataspoke.core.index.remembering_embedder import RememberingEmbedder


class Counting(HashEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vector:
        self.asked += texts
        return super().embed(texts)


def test_a_text_is_embedded_once_within_and_across_batches() -> None:
    bare = Counting()
    embedder = RememberingEmbedder(bare)
    first = embedder.embed(["orders", "customers", "orders"])
    second = embedder.embed(["customers", "parcels"])
    assert bare.asked == ["orders", "customers", "parcels"]
    expected = HashEmbedder().embed(["orders", "customers", "parcels"])
    np.testing.assert_array_equal(first, expected[[0, 1, 0]])
    np.testing.assert_array_equal(second, expected[[1, 2]])


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    bare = Counting()
    embedder = RememberingEmbedder(bare, max_bytes=2 * (4 * bare.dim + 300))
    for text in ("a", "b", "a", "c", "a", "b"):
        embedder.embed([text])
    assert bare.asked == ["a", "b", "c", "b"]


def test_nothing_to_embed_is_no_row() -> None:
    embedder = RememberingEmbedder(Counting())
    assert embedder.embed([]).shape == (0, embedder.dim)


def test_it_stands_for_its_embedder() -> None:
    bare = HashEmbedder()
    assert RememberingEmbedder(bare).model_id == bare.model_id
