"""What the index needs, as values."""

from __future__ import annotations

import numpy as np
import pytest

from dataspoke.actions.vector_sync.decide import Changed, decide, texts_of, upserts
from dataspoke.core.documents.model import Document
from dataspoke.core.index.model import DeletePoint, Hashes, SetPayload, UpsertPoint


def document(urn: str, content: str = "c1", payload: str = "p1") -> Document:
    return Document(urn, {"meaning": (f"text of {urn}",)}, {}, {"urn": urn}, content, payload)


@pytest.mark.parametrize(
    ("known", "ready", "changed", "unchanged"),
    [
        (None, [], 1, 0),
        (Hashes("c1", "p1"), [], 0, 1),
        (Hashes("c1", "old"), [SetPayload], 0, 0),
        (Hashes("old", "p1"), [], 1, 0),
        (Hashes("old", "old"), [], 1, 0),
    ],
)
def test_fingerprints_decide_how_much_is_written(
    known: Hashes | None, ready: list[type], changed: int, unchanged: int
) -> None:
    plan = decide(
        {"u": document("u")},
        [],
        known={} if known is None else {"u": known},
        versions={"u": 7},
    )
    assert [type(op) for op in plan.ready] == ready
    assert all(op.version == 7 for op in plan.ready)
    assert len(plan.changed) == changed
    assert len(plan.unchanged) == unchanged


def test_what_is_gone_is_deleted_whether_or_not_the_index_knows_it() -> None:
    plan = decide({}, ["a", "b"], known={"a": Hashes("c", "p")}, versions={"a": 1, "b": 2})
    assert plan.ready == (DeletePoint("a", 1), DeletePoint("b", 2))
    assert plan.deletions == 2


def test_each_point_gets_the_blended_vectors_of_its_own_texts() -> None:
    two = Document("two", {"meaning": ("x", "y"), "title": ("y",)}, {}, {}, "c", "p")
    changed = [Changed(document("one"), 1), Changed(two, 2)]
    assert texts_of(changed) == ["text of one", "x", "y"]
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    first, second = upserts(changed, vectors)
    assert isinstance(first, UpsertPoint)
    assert isinstance(second, UpsertPoint)
    assert first.dense["meaning"].tolist() == [1, 0]
    assert second.dense["meaning"].tolist() == pytest.approx([0.5**0.5, 0.5**0.5])
    assert second.dense["title"].tolist() == [0, 1]
    assert second.version == 2
