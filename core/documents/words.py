"""Text to weighted word tokens, for the lexical half of search.

A word is lower-cased, freed of accents and stemmed; identifiers fall apart at underscores,
case changes and digits (`custEmail2` → cust, email, 2). A token's id is a 32-bit hash of its
stem, the same on every machine.

A document's weights are the term-frequency part of BM25F [1]: with `tf(t, f)` the count of token
t in field f, `len(f)` the tokens of the field, and w, b, avg the constants of the field,

    x(t)      = sum over f of  w(f) * tf(t, f) / (1 - b(f) + b(f) * len(f) / avg(f))
    weight(t) = (K1 + 1) * x(t) / (K1 + x(t))

The engine multiplies by the inverse document frequency at query time. A question's weights are 1.

[1] S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009).
"""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.documents.vocabulary import ABBREVIATIONS, STOP_WORDS
from dataspoke.core.errors import require

K1 = 1.2

_CHUNK = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_stemmer_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a document.

    `weight` says what one occurrence in a field of average length is worth, `length_norm` (b, 0
    to 1) how much a longer field dilutes it, `average` the usual number of tokens. In
    `identifiers` data people's abbreviations are also read in full.
    """

    texts: tuple[str, ...]
    weight: float
    average: float
    length_norm: float = 0.75
    identifiers: bool = False


def words(text: str) -> list[str]:
    """The stems of a plain text in order, without stop words.

    >>> words("the customers' e-mail addresses, by zipCode")
    ['custom', 'e', 'mail', 'address', 'zip', 'code']
    """
    return list(_words(text))


def humanise(name: str) -> str:
    """An identifier as lower-case words, abbreviations left as they are.

    >>> humanise("fct_OrderLines2024")
    'fct order lines 2024'
    """
    return " ".join(_split(name)).lower()


def document_vector(fields: Iterable[Field]) -> SparseVector:
    """The weights of all tokens of a document, by rising token id."""
    frequencies: dict[int, float] = {}
    for field in fields:
        tokens = _identifier_tokens if field.identifiers else _text_tokens
        ids = [token for text in field.texts for token in tokens(text)]
        if not ids:
            continue
        norm = 1 - field.length_norm + field.length_norm * len(ids) / field.average
        share = field.weight / norm
        for token in ids:
            frequencies[token] = frequencies.get(token, 0.0) + share
    indices = sorted(frequencies)
    return SparseVector(
        tuple(indices),
        tuple(round((K1 + 1) * x / (K1 + x), 4) for x in map(frequencies.__getitem__, indices)),
    )


def query_vector(text: str) -> SparseVector:
    """Weight 1 for each distinct word of a question."""
    indices = sorted(set(_text_tokens(text)))
    return SparseVector(tuple(indices), (1.0,) * len(indices))


def token_id(stem: str) -> int:
    """A stable uint32 for a stem. Different stems may share one; their weights add up."""
    return int.from_bytes(hashlib.blake2b(stem.encode(), digest_size=4).digest(), "big")


def _split(text: str) -> list[str]:
    parts: list[str] = []
    for chunk in _CHUNK.findall(text):
        if not chunk.isascii():
            parts += _split_unicode(chunk)
        elif chunk.isalpha() and (chunk.islower() or chunk.isupper() or chunk[1:].islower()):
            parts.append(chunk)
        else:
            parts += _PARTS.findall(chunk)
    return parts


def _split_unicode(chunk: str) -> list[str]:
    """Accents folded; scripts without word gaps become overlapping pairs of characters."""
    folded = "".join(
        char for char in unicodedata.normalize("NFKD", chunk) if not unicodedata.combining(char)
    )
    if folded.isascii():
        return _PARTS.findall(folded)
    parts: list[str] = []
    for run in re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+|[^\W\d_]+|\d+", folded):
        if "\u3040" <= run[0] <= "\ud7a3" and len(run) > 2:
            parts += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            parts.append(run)
    return parts


@lru_cache(maxsize=20_000)
def _words(text: str) -> tuple[str, ...]:
    return tuple(stem(part) for part in map(str.lower, _split(text)) if part not in STOP_WORDS)


def _text_tokens(text: str) -> list[int]:
    return [_stem_id(part) for part in map(str.lower, _split(text)) if part not in STOP_WORDS]


@lru_cache(maxsize=100_000)
def _identifier_tokens(name: str) -> tuple[int, ...]:
    """Names repeat over tables (`id`, `created_at`), so a whole name is worth remembering."""
    tokens: list[int] = []
    for part in map(str.lower, _split(name)):
        full = ABBREVIATIONS.get(part)
        if full:
            tokens += [_stem_id(word) for word in full.split()]
        if full or part not in STOP_WORDS:
            tokens.append(_stem_id(part))
    return tuple(tokens)


@lru_cache(maxsize=100_000)
def _stem_id(word: str) -> int:
    return token_id(stem(word))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Snowball English stem of a lower-case word. Raises MissingExtraError."""
    with _stemmer_lock:  # a stemmer keeps the word in hand in itself
        return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    library = require("snowballstemmer", extra="search", purpose="read words")
    return library.stemmer("english")
