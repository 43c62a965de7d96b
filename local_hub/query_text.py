"""The query language of search: words, phrases, wildcards, fields, ranges, AND / OR / NOT.

A subset of Lucene's syntax, as `query_string` of Elasticsearch reads it with AND between words.
What cannot be parsed is None; the caller then takes the text as plain words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A term keeps its wildcards: `*` and `?` that were not escaped are these characters.
ANY, ONE = "\ue000", "\ue001"


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase, in one field or in the searched texts. May hold `ANY` and `ONE`."""

    field: str | None
    text: str
    phrase: bool = False

    @property
    def wild(self) -> bool:
        return ANY in self.text or ONE in self.text


@dataclass(frozen=True, slots=True)
class Range:
    """A field between two bounds; None is open."""

    field: str
    low: str | None
    high: str | None
    with_low: bool
    with_high: bool


@dataclass(frozen=True, slots=True)
class Not:
    inside: Node


@dataclass(frozen=True, slots=True)
class Group:
    """All of the parts, or any of them."""

    parts: tuple[Node, ...]
    every: bool


Node = Term | Range | Not | Group

_TOKENS = re.compile(
    r"""\s*(?:
        (?P<urn>urn:li:\w+:(?:\((?:[^()]|\([^()]*(?:\([^()]*\)[^()]*)*\))*\)|[^\s()"]+))
      | (?P<field>(?:\\.|[\w.␟])(?:\\.|[\w.␟-])*):(?=\S)
      | (?P<phrase>"(?:\\.|[^"\\])*")
      | (?P<range>[\[{]\s*\S+\s+TO\s+\S+?\s*[\]}])
      | (?P<bound>[<>]=?\S+)
      | (?P<mark>\(|\)|&&|\|\||[!+-](?=\S))
      | (?P<word>(?:\\.|[^\s()"\\])+)
    )""",
    re.VERBOSE,
)
# How fuzzy a word may be (`~2`) or what it weighs (`^3`): not told apart here.
_CLOSENESS = re.compile(r"(?<=[^\\])[~^][\d.]*$")
_RANGE = re.compile(r"([\[{])\s*(\S+)\s+TO\s+(\S+?)\s*([\]}])")


def parse(text: str) -> Node | None:
    """The query as a tree, or None if it is not of this language."""
    tokens: list[tuple[str, str]] = []
    position, text = 0, text.strip()
    while position < len(text):
        found = _TOKENS.match(text, position)
        if found is None or found.end() == position:
            return None
        kind = str(found.lastgroup)
        tokens.append((kind, found[kind]))
        position = found.end()
    reader = _Reader(tokens)
    tree = reader.either()
    return tree if reader.done else None


def unescape(text: str) -> str:
    """Text with wildcards marked and escapes resolved.

    >>> unescape(r"a\\.b*") == "a.b" + ANY
    True
    """
    return re.sub(
        r"\\(.)|([*?])",
        lambda found: found[1] or (ANY if found[2] == "*" else ONE),
        text,
        flags=re.DOTALL,
    )


class _Reader:
    """Recursive descent: `either` is made of `every`, which is made of `single`."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._tokens)

    def _next(self) -> tuple[str, str] | None:
        return None if self.done else self._tokens[self._at]

    def _skip(self, *texts: str) -> bool:
        token = self._next()
        if token is not None and token[0] in ("word", "mark") and token[1] in texts:
            self._at += 1
            return True
        return False

    def either(self, field: str | None = None) -> Node | None:
        parts = [self.every(field)]
        while self._skip("OR", "||"):
            parts.append(self.every(field))
        return _group(parts, every=False)

    def every(self, field: str | None) -> Node | None:
        parts = [self.single(field)]
        while True:
            self._skip("AND", "&&")
            token = self._next()
            if token is None or token[1] in (")", "OR", "||"):
                return _group(parts, every=True)
            parts.append(self.single(field))

    def single(self, field: str | None) -> Node | None:
        if self._skip("NOT", "!", "-"):
            inside = self.single(field)
            return None if inside is None else Not(inside)
        self._skip("+")
        token = self._next()
        if token is None:
            return None
        self._at += 1
        kind, text = token
        match kind:
            case "field":
                return self.single(unescape(text))
            case "urn":
                return Term(field or "urn", text, phrase=True)
            case "phrase":
                return Term(field, re.sub(r"\\(.)", r"\1", text[1:-1]), phrase=True)
            case "range" if field:
                return _range(field, text)
            case "bound" if field:
                return _bound(field, text)
            case "mark" if text == "(":
                inside = self.either(field)
                return inside if self._skip(")") else None
            case "word":
                return Term(field, unescape(_CLOSENESS.sub("", text)))
        return None


def _group(parts: list[Node | None], *, every: bool) -> Node | None:
    if any(part is None for part in parts):
        return None
    known = tuple(part for part in parts if part is not None)
    return known[0] if len(known) == 1 else Group(known, every)


def _range(field: str, text: str) -> Node | None:
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    low, high = (None if bound == "*" else bound.strip('"') for bound in found.group(2, 3))
    return Range(field, low, high, found[1] == "[", found[4] == "]")


def _bound(field: str, text: str) -> Node:
    closed = text[1] == "="
    bound = text[2 if closed else 1 :]
    if text[0] == "<":
        return Range(field, None, bound, True, closed)
    return Range(field, bound, None, closed, True)
