"""Why a hit is a hit, in words that a person can check. Pure.

A match is found with the same word splitting and stemming as the index, so `orderItems` explains
a question about "items ordered".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataspoke.core.documents.vocabulary import ABBREVIATIONS
from dataspoke.core.documents.words import humanise, words
from dataspoke.search_service.trust import Applied

_SURFACE = re.compile(r"[^\W_]+(?:[_'.-][^\W_]+)*")
_SHOWN_VALUES = 5
_COLUMN_FIELDS = ("columns", "column descriptions")
_LIST_FIELDS = (
    ("tags", "tag_names"),
    ("terms", "term_names"),
    ("owners", "owner_names"),
    ("domain", "domain_names"),
    ("container", "path"),
    ("type", "subtypes"),
    ("upstream", "upstream_names"),
    ("downstream", "downstream_names"),
    ("related", "related_names"),
)


@dataclass(frozen=True, slots=True)
class Match:
    """`words` of the question, as typed, stand in `field`; `values` are the names that hold
    them where the field is a list (columns, tags, …), at most five."""

    field: str
    words: tuple[str, ...]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Which list brought the hit. Raw scores, None where that list does not hold it.

    `close` says that the hit is in the nearer half of the nearest neighbours. `exact` names the
    field that equals the whole question: `urn`, `qualified name`, `name`,
    `name and place`, or is empty.
    """

    meaning: float | None = None
    words: float | None = None
    close: bool = False
    exact: str = ""

    @property
    def by(self) -> tuple[str, ...]:
        """`name`, `words`, `meaning`: what a person should believe the hit rests on."""
        by_meaning = self.close or (self.words is None and self.meaning is not None)
        signs = (("name", bool(self.exact)), ("words", self.words is not None))
        return tuple(name for name, holds in (*signs, ("meaning", by_meaning)) if holds)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`summary` is one sentence for people; the rest are its facts."""

    summary: str
    found: Found
    matches: tuple[Match, ...]
    filters: tuple[str, ...]
    signals: tuple[Applied, ...] = ()


def query_stems(text: str) -> dict[str, str]:
    """Each stem of a question with the word that was typed for it."""
    stems: dict[str, str] = {}
    for surface in _SURFACE.findall(text):
        for stem in words(surface):
            stems.setdefault(stem, surface)
    return stems


def explain(
    payload: Mapping[str, Any],
    stems: Mapping[str, str],
    found: Found,
    filters: Sequence[str],
    signals: Sequence[Applied] = (),
) -> Explanation:
    """`stems` are those of the question, `filters` the hard filters in words, `signals` what
    else moved the hit."""
    matches = tuple(_matches(payload, stems)) if stems else ()
    summary = _summary(matches, found)
    return Explanation(summary, found, matches, tuple(filters), tuple(signals))


def _matches(payload: Mapping[str, Any], stems: Mapping[str, str]) -> Iterable[Match]:
    finder = _Finder(stems)
    in_name = finder.in_identifier(payload["name"])
    if in_name:
        yield Match("name", in_name)
    in_columns = [(c["name"], finder.in_identifier(c["name"])) for c in payload["columns"]]
    yield from _of_list("columns", in_columns)
    if in_description := finder.in_text(payload["description"]):
        yield Match("description", in_description)
    described = [
        (c["name"], finder.in_text(c.get("description") or "")) for c in payload["columns"]
    ]
    yield from _of_list("column descriptions", described)
    for label, field in _LIST_FIELDS:
        yield from _of_list(
            label, [(name, finder.in_text(name)) for name in payload.get(field) or ()]
        )
    properties = {
        **payload.get("custom_properties", {}),
        **payload.get("structured_properties", {}),
    }
    yield from _of_list(
        "properties", [(n, finder.in_text(_told(n, v))) for n, v in properties.items()]
    )
    in_path = finder.in_text(payload["qualified_name"])
    if set(in_path) - set(in_name) and not payload["path"]:
        yield Match("qualified name", in_path)


class _Finder:
    """Looks for stems in texts; a cheap test of the first letters spares most stemming."""

    def __init__(self, stems: Mapping[str, str]) -> None:
        self._stems = stems
        self._beginnings = tuple({stem[:2] for stem in stems})

    def in_text(self, text: str) -> tuple[str, ...]:
        lowered = text.lower()
        if not any(beginning in lowered for beginning in self._beginnings):
            return ()
        return self._typed(set(words(text)))

    def in_identifier(self, name: str) -> tuple[str, ...]:
        """Like `in_text`, with data people's abbreviations read in full, as the index does."""
        parts = humanise(name).split()
        in_full = " ".join(ABBREVIATIONS[part] for part in parts if part in ABBREVIATIONS)
        return self.in_text(f"{name} {in_full}" if in_full else name)

    def _typed(self, there: set[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for stem, word in self._stems.items() if stem in there))


def _of_list(label: str, hits: Sequence[tuple[str, tuple[str, ...]]]) -> Iterable[Match]:
    """One match for a list of (name to show, words found there), the best names first."""
    real = sorted((hit for hit in hits if hit[1]), key=lambda hit: -len(hit[1]))
    if real:
        all_words = dict.fromkeys(word for _, found in real for word in found)
        names = tuple(dict.fromkeys(name for name, _ in real))
        yield Match(label, tuple(all_words), names[:_SHOWN_VALUES])


def _told(name: str, value: str | Sequence[str]) -> str:
    return f"{name} {value if isinstance(value, str) else ' '.join(value)}"


def _summary(matches: Sequence[Match], found: Found) -> str:
    verb = "are" if " and " in found.exact else "is"
    parts = [f"its {found.exact} {verb} what you typed"] if found.exact else []
    places: dict[tuple[str, ...], list[str]] = {}
    for match in matches:
        if match.field != found.exact:
            places.setdefault(match.words, []).append(_place(match))
    for typed, where in list(places.items())[:3]:
        quoted = _listed([f"“{word}”" for word in typed])
        parts.append(f"{quoted} in {_listed(where[:3])}")
    if "meaning" in found.by:
        parts.append("close in meaning" if parts else "close in meaning, no word in common")
    sentence = "; ".join(parts)
    return sentence[:1].upper() + sentence[1:]


def _place(match: Match) -> str:
    if match.field not in _COLUMN_FIELDS:
        return f"the {match.field}"
    noun = "column" if len(match.values) == 1 else "columns"
    described = "the description of " if match.field == "column descriptions" else ""
    return f"{described}the {noun} {', '.join(match.values[:3])}"


def _listed(items: Sequence[str]) -> str:
    """
    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
