from __future__ import annotations

import numpy as np
import pytest

from dataspoke.core.documents.model import Document
from dataspoke.core.index.views import blend, distinct_texts


def document(*views: str) -> Document:
    return Document("u", {"meaning": views}, {}, {}, "c", "p")


def test_a_text_that_two_entities_share_is_embedded_once() -> None:
    assert distinct_texts([document("a", "b"), document("a", "c")]) == ["a", "b", "c"]


def test_a_question_is_as_near_to_the_blend_as_to_its_views_on_average() -> None:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(3, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    question = rows[2]
    found = blend([document("x", "y")], rows[:2])[0]["meaning"]
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)
    scale = np.linalg.norm(rows[0] + rows[1])
    assert question @ found == pytest.approx((question @ rows[0] + question @ rows[1]) / scale)


def test_views_that_cancel_each_other_out_leave_the_first() -> None:
    rows = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    assert blend([document("x", "y")], rows)[0]["meaning"].tolist() == [1, 0]
