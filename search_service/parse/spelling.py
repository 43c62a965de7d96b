"""Words that are nearly known ones. Pure.

An index of deletions [1]: two words within one edit share what is left after one letter is taken
from either, so a look-up costs as many dict reads as the word has letters.

[1] T. Bocek, E. Hunt, B. Stiller: Fast similarity search in large dictionaries (2007).
"""

from __future__ import annotations

from collections.abc import Iterable

_SHORTEST = 4
_LONG = 8


class Speller:
    """Known words, found again in spite of a slip of the fingers."""

    def __init__(self, words: Iterable[str]) -> None:
        self._known = frozenset(words)
        self._index: dict[str, tuple[str, ...]] = {}
        for word in sorted(self._known):
            if len(word) >= _SHORTEST and not word.isdecimal():
                for rest in _deletions(word):
                    self._index[rest] = (*self._index.get(rest, ()), word)

    def __contains__(self, word: str) -> bool:
        return word in self._known

    def nearest(self, typed: str) -> tuple[str, ...]:
        """The known words nearest to `typed`, none when it is known itself or too short.

        One edit is allowed, two from eight letters on; digits must be the same.
        """
        if typed in self._known or len(typed) < _SHORTEST:
            return ()
        allowed = 2 if len(typed) >= _LONG else 1
        candidates = {word for rest in _deletions(typed) for word in self._index.get(rest, ())}
        best: list[tuple[int, str]] = []
        for word in candidates:
            if _alike(typed, word) and (far := distance(typed, word, allowed)) <= allowed:
                best.append((far, word))
        if not best:
            return ()
        least = min(best)[0]
        return tuple(word for far, word in sorted(best) if far == least)


def distance(one: str, other: str, limit: int = 3) -> int:
    """Edits between two words: a letter more, less, other, or two neighbours swapped.

    >>> distance("custoemrs", "customers"), distance("ab", "ba"), distance("cat", "cart")
    (1, 1, 1)
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _alike(typed: str, word: str) -> bool:
    """People get the first letter right, or swap it; a number is never a slip of another."""
    begins = typed[0] == word[0] or typed[:2] == word[1::-1] or typed[1:3] == word[:2]
    return begins and [c for c in typed if c.isdigit()] == [c for c in word if c.isdigit()]


def _deletions(word: str) -> set[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
