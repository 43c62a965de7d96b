"""Slips of the fingers in what is searched for, mended by the catalogue's own words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataspoke.search_service.parse.model import Correction
from dataspoke.search_service.parse.rest import is_scaffold
from dataspoke.search_service.parse.spelling import distance
from dataspoke.search_service.parse.tokens import Token, singular
from dataspoke.search_service.parse.vocabulary import Vocabulary

_SHORTEST_SWAP = 3
_SHORTEST = 7
_ENDING = re.compile(r"(?:ing|ed|ers?|es|e|d|s|r)$")
_VOWELS = "aeiouy"


def mended(
    tokens: Sequence[Token], used: Sequence[bool], vocabulary: Vocabulary
) -> tuple[list[str | None], tuple[Correction, ...]]:
    """For each token how to read it, None for as it is.

    A word that the catalogue has, in the singular or plural, is right. Two letters swapped are a
    slip at any length; a letter more, less or other may be another word, so there the word must
    be long, and what was typed is searched for as well.
    """
    read: list[str | None] = [None] * len(tokens)
    corrections: list[Correction] = []
    at = 0
    while at < len(tokens):
        if used[at] or not _doubtful(tokens[at], vocabulary):
            at += 1
            continue
        shifted = _space_shifted(tokens, used, at, vocabulary)
        if shifted:
            read[at], read[at + 1] = shifted
            typed = f"{tokens[at].text} {tokens[at + 1].text}"
            corrections.append(Correction(typed, " ".join(shifted)))
            at += 2
            continue
        word = tokens[at].word
        best = _nearest(word, vocabulary)
        if best and not (at and tokens[at].text[0].isupper()):
            swapped = sorted(word) == sorted(best)
            read[at] = best if swapped else f"{tokens[at].text} {best}"
            corrections.append(Correction(tokens[at].text, best))
        at += 1
    return read, tuple(corrections)


def _doubtful(token: Token, vocabulary: Vocabulary) -> bool:
    word = token.word
    if token.foreign or not word.isalpha() or is_scaffold(word):
        return False
    known = vocabulary.words
    return not {word, singular(word), f"{word}s", f"{word}es"} & known


def _nearest(word: str, vocabulary: Vocabulary) -> str | None:
    if len(word) == _SHORTEST_SWAP:
        swap = word[1] + word[0] + word[2]
        odd = word[0] in _VOWELS and word[1] not in _VOWELS and word[2] not in _VOWELS
        return swap if odd and swap in vocabulary.words else None
    for candidate in vocabulary.word_speller.nearest(word):
        if sorted(candidate) == sorted(word):
            return candidate
        if _ENDING.sub("", candidate) == _ENDING.sub("", word):
            continue  # another form of the word
        long_enough = len(word) >= _SHORTEST + (len(candidate) == len(word))
        if long_enough and distance(word, candidate) == 1:
            return candidate
    return None


def _space_shifted(
    tokens: Sequence[Token], used: Sequence[bool], at: int, vocabulary: Vocabulary
) -> tuple[str, str] | None:
    """`supportt ickets`: the same letters with the space elsewhere are two known words."""
    if at + 1 >= len(tokens) or used[at + 1] or not tokens[at + 1].word.isalpha():
        return None
    first, second = tokens[at].word, tokens[at + 1].word
    if not _doubtful(tokens[at + 1], vocabulary):
        return None
    joined, known = first + second, vocabulary.words
    for cut in (len(first) - 1, len(first) + 1):
        left, right = joined[:cut], joined[cut:]
        if len(left) > 1 and len(right) > 1:
            there = [{part, singular(part), f"{part}s"} & known for part in (left, right)]
            if all(there):
                return left, right
    return None
