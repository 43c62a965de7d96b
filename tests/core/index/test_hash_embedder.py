from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from dataspoke.core.index.embedder import describe_model, load_embedder
from dataspoke.core.index.hash_embedder import HashEmbedder


def test_texts_that_share_words_are_near() -> None:
    rows = HashEmbedder().embed(
        ["customer orders", "orders of the customer", "customerOrders", "weather station"]
    )
    near = rows @ rows[0]
    assert near[1] > 0.6
    assert near[2] == pytest.approx(1.0)
    assert abs(near[3]) < 0.4


@pytest.mark.parametrize("text", ["", " ", "!?", "x", "日本語", "a" * 100_000])
def test_every_row_has_length_one(text: str) -> None:
    [row] = HashEmbedder().embed([text])
    assert row.dtype == np.float32
    assert np.linalg.norm(row) == pytest.approx(1.0)


def test_no_texts_are_no_rows() -> None:
    assert HashEmbedder().embed([]).shape == (0, 384)


def test_another_process_computes_the_same() -> None:
    code = (
        "from dataspoke.core.index.hash_embedder import HashEmbedder;"
        "print(HashEmbedder().embed(['customer orders'])[0].tobytes().hex())"
    )
    environment = {"PYTHONHASHSEED": "7"}
    other = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert other.strip() == HashEmbedder().embed(["customer orders"])[0].tobytes().hex()


def test_it_is_loaded_and_described_by_the_name_hash() -> None:
    assert isinstance(load_embedder("hash"), HashEmbedder)
    assert describe_model("hash") == {
        "model": "hash",
        "id": "hash-1",
        "dim": "384",
        "engine": "hash",
    }
