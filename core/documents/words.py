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
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from dataspoke.core.documents.model import SparseVector
from dataspoke.core.documents.vocabulary import ABBREVIATIONS, STOP_WORDS
from dataspoke.core.errors import require

K1 = 2.5

T = TypeVar("T")

_CHUNK = re.compile(r"\w+")
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
    return [stem(part) for part in map(str.lower, _split(text)) if part not in STOP_WORDS]


def humanise(name: str) -> str:
    """An identifier as lower-case words, abbreviations left as they are.

    >>> humanise("fct_OrderLines2024")
    'fct order lines 2024'
    """
    return _humanised[name]


def spell_out(name: str) -> str:
    """An identifier as lower-case words, data people's abbreviations in full.

    >>> spell_out("cust_email_addr")
    'customer email address'
    """
    return _spelt_out[name]


def document_vector(fields: Iterable[Field]) -> SparseVector:
    """The weights of all tokens of a document, by rising token id."""
    frequencies: dict[int, float] = {}
    for field in fields:
        table = _identifiers if field.identifiers else _plain
        # Counting whole runs first: most repeat, and each is looked up once.
        runs = Counter(_CHUNK.findall("\n".join(field.texts)))
        counts = [(table[run], count) for run, count in runs.items()]
        length = sum([len(tokens) * count for tokens, count in counts])
        share = field.weight / (1 - field.length_norm + field.length_norm * length / field.average)
        for tokens, count in counts:
            for token in tokens:
                frequencies[token] = frequencies.get(token, 0.0) + share * count
    indices = sorted(frequencies)
    scores = [frequencies[token] for token in indices]
    return SparseVector(
        tuple(indices), tuple([round((K1 + 1) * score / (K1 + score), 4) for score in scores])
    )


def query_vector(text: str) -> SparseVector:
    """Weight 1 for each distinct word of a question."""
    indices = sorted({token for part in _CHUNK.findall(text) for token in _plain[part]})
    return SparseVector(tuple(indices), (1.0,) * len(indices))


def token_id(stem: str) -> int:
    """A stable uint32 for a stem. Different stems may share one; their weights add up."""
    return int.from_bytes(hashlib.blake2b(stem.encode(), digest_size=4).digest(), "big")


def _split(text: str) -> list[str]:
    return [part for chunk in _CHUNK.findall(text) for part in _split_chunk(chunk)]


def _split_chunk(chunk: str) -> list[str]:
    """The words of a run of letters, digits and underscores."""
    if not chunk.isascii():
        return _split_unicode(chunk)
    if chunk.isalpha() and (chunk.islower() or chunk.isupper() or chunk[1:].islower()):
        return [chunk]
    return _PARTS.findall(chunk)


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


def _plain_tokens(chunk: str) -> tuple[int, ...]:
    parts = map(str.lower, _split_chunk(chunk))
    return tuple(token_id(stem(part)) for part in parts if part not in STOP_WORDS)


def _identifier_tokens(chunk: str) -> tuple[int, ...]:
    tokens: list[int] = []
    for part in map(str.lower, _split_chunk(chunk)):
        full = ABBREVIATIONS.get(part, "")
        tokens += [token_id(stem(word)) for word in full.split()]
        if full or part not in STOP_WORDS:
            tokens.append(token_id(stem(part)))
    return tuple(tokens)


class _Memo(dict[str, T]):
    """What `compute` says of a string, remembered; a dict lookup when it is known.

    Catalogues repeat their words: an lru_cache would cost as much as half the work it saves.
    """

    _LIMIT = 200_000

    def __init__(self, compute: Callable[[str], T]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, key: str) -> T:
        if len(self) >= self._LIMIT:
            self.clear()
        value = self[key] = self._compute(key)
        return value


_plain = _Memo(_plain_tokens)
_identifiers = _Memo(_identifier_tokens)
_humanised = _Memo(lambda name: " ".join(_split(name)).lower())
_spelt_out = _Memo(
    lambda name: " ".join([ABBREVIATIONS.get(word, word) for word in humanise(name).split()])
)


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Snowball English stem of a lower-case word. Raises MissingExtraError."""
    if word.isdecimal():
        return word
    with _stemmer_lock:  # a stemmer keeps the word in hand in itself
        return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    library = require("snowballstemmer", extra="search", purpose="read words")
    return library.stemmer("english")
