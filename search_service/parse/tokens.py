"""A question as words with their places. Pure.

Words of Korean and Japanese are read in English where they are known, so that one grammar serves
all: `스노우플레이크에` becomes `in snowflake`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from dataspoke.search_service.parse.translations import LONGEST, TRANSLATIONS

MAX_TOKENS = 60
"""Of a question. A longer text is searched for, and not read for conditions."""

_TOKEN = re.compile(
    r"urn:li:\w+:(?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)|[^\s,;?!\"']+)"
    r"|\w+(?:[.'\u2019]\w+)*|[,;:&]"
)
_FOREIGN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3ー]")
_NOT_LETTERS = re.compile(r"[\W_]+")
_SIGNS = {"&": "and", ";": ",", "\u2019": "'"}


@dataclass(frozen=True, slots=True)
class Token:
    """`word` is folded; `end` is where `text` ends. A word that only a translation added has no
    extent. `foreign` is what was translated, else empty."""

    text: str
    start: int
    end: int
    word: str
    possessive: bool = False
    foreign: str = ""


def tokens_of(text: str) -> list[Token]:
    """The words of a question in order, and its commas and colons."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        surface = match.group()
        if _FOREIGN.search(surface):
            found += _translated(surface, match.start())
        else:
            found.append(_token(surface, match.start()))
        if len(found) >= MAX_TOKENS:
            break
    return found


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables."""
    return frozenset(text.split())


def fold_word(text: str) -> str:
    """Case and accents do not count.

    >>> fold_word("Ventes-Générales")
    'ventes-generales'
    """
    folded = text.casefold()
    if folded.isascii():
        return folded
    parts = unicodedata.normalize("NFKD", folded)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def squeezed(words: Iterable[str]) -> str:
    """One key for every way to space, separate and number a name.

    >>> squeezed(["Growth", "Analytics"]) == squeezed(["growth_analytics"])
    True
    """
    return singular(squeezed_letters("".join(words)))


def squeezed_letters(word: str) -> str:
    """Letters and digits alone."""
    return word if word.isalnum() else _NOT_LETTERS.sub("", word)


def singular(word: str) -> str:
    """A word without its plural ending, roughly; both sides of a comparison go through here.

    >>> singular("companies"), singular("tables"), singular("class"), singular("status")
    ('company', 'table', 'class', 'status')
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1]


def _token(surface: str, start: int) -> Token:
    word = fold_word(surface).replace("\u2019", "'")
    possessive = word.endswith("'s")
    word = word.removesuffix("'s")
    end = start + len(surface)
    return Token(surface, start, end, _SIGNS.get(word, word), possessive)


def _translated(surface: str, start: int) -> list[Token]:
    """Longest known word first; a mark of place after a noun becomes `in` before it."""
    found: list[Token] = []
    at, unknown = 0, 0
    while at < len(surface):
        for length in range(min(LONGEST, len(surface) - at), 0, -1):
            english = TRANSLATIONS.get(surface[at : at + length])
            if english is not None and (length > 1 or at == unknown > 0 or len(surface) == 1):
                break
        else:
            at += 1
            continue
        found += _plain(surface, unknown, at, start)
        found = _with(found, english, surface[at : at + length], start + at)
        at = unknown = at + length
    return found + _plain(surface, unknown, at, start)


def _with(found: list[Token], english: str, surface: str, start: int) -> list[Token]:
    if english == "<in>":
        if found:
            found.insert(-1, Token("", found[-1].start, found[-1].start, "in"))
        return found
    end = start + len(surface)
    words = [Token(surface, start, end, word, foreign=surface) for word in english.split()]
    return found + words


def _plain(surface: str, begin: int, end: int, start: int) -> list[Token]:
    text = surface[begin:end]
    return [_token(text, start + begin)] if text.strip("_") else []
