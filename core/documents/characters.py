"""Names and questions as weighted runs of three characters, for misspelt and half-known names.

Each word, with a space on both sides, falls apart into its trigrams: ` cu`, `cus`, …, `er `. A
name is read twice, as it is and with data people's abbreviations in full. With tf(g) the count of
a trigram in the names, a document's weights are those of the vector space model [1],

    weight(g) = (1 + ln tf(g)) / sqrt(sum over all g of (1 + ln tf(g))^2)

so that a long name wins nothing by its length; the engine multiplies by the inverse document
frequency. A question's weights are 1.

[1] G. Salton, C. Buckley: Term-weighting approaches in automatic text retrieval (1988).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.documents.vocabulary import STOP_WORDS
from dataspoke.core.documents.words import humanise, spell_out, token_id

SIZE = 3
MAX_WORDS = 64
"""Of a question: a pasted page would match everything."""

_CHUNK = re.compile(r"\w+")


def name_vector(names: Iterable[str]) -> SparseVector:
    """The trigram weights of an entity's names, by rising id."""
    counts: Counter[int] = Counter()
    for name in names:
        for reading in (spell_out(name), humanise(name)):
            for word in reading.split():
                counts.update(_trigrams(word))
    raw = {gram: 1 + math.log(count) for gram, count in counts.items()}
    length = math.sqrt(sum(weight * weight for weight in raw.values()))
    indices = sorted(raw)
    return SparseVector(tuple(indices), tuple(round(raw[gram] / length, 4) for gram in indices))


def question_vector(text: str) -> SparseVector:
    """Weight 1 for each distinct trigram of a question's words, stop words left out."""
    chunks = _CHUNK.findall(text)[:MAX_WORDS]
    words = {word for chunk in chunks for word in humanise(chunk).split()} - STOP_WORDS
    indices = sorted({gram for word in words for gram in _trigrams(word)})
    return SparseVector(tuple(indices), (1.0,) * len(indices))


class _Trigrams(dict[str, tuple[int, ...]]):
    """The trigram ids of a word, remembered: catalogues repeat their words."""

    _LIMIT = 200_000

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= self._LIMIT:
            self.clear()
        padded = f" {word} "
        grams = [padded[at : at + SIZE] for at in range(max(1, len(padded) - SIZE + 1))]
        found = self[word] = tuple(token_id(gram) for gram in grams)
        return found


_known = _Trigrams()


def _trigrams(word: str) -> tuple[int, ...]:
    return _known[word]
