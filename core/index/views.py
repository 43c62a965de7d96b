"""From the views of an entity to one dense vector; pure.

A vector that stands for several texts is the normalised mean of theirs. A question's cosine to
it is, up to that length, the sum of its cosines to the views: two searches for the price of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dataspoke.core.documents.model import Document
from dataspoke.core.index.model import Vector


def distinct_texts(documents: Iterable[Document]) -> list[str]:
    """Every text to embed, once: copies of a table share their texts."""
    return list(
        dict.fromkeys(
            text for document in documents for views in document.texts.values() for text in views
        )
    )


def blend(documents: Sequence[Document], vectors: Vector) -> list[dict[str, Vector]]:
    """The dense vectors of each document, unit length.

    `vectors` are the unit rows of `distinct_texts(documents)`.
    """
    row_of = {text: row for row, text in enumerate(distinct_texts(documents))}
    return [
        {
            name: _mean([vectors[row_of[text]] for text in views])
            for name, views in document.texts.items()
        }
        for document in documents
    ]


def _mean(rows: Sequence[Vector]) -> Vector:
    if len(rows) == 1:
        return rows[0]
    total: Vector = np.sum(rows, axis=0, dtype=np.float32)
    length = float(np.linalg.norm(total))
    return np.asarray(total / length, dtype=np.float32) if length else rows[0]
