"""Example questions for the page, made of what is in the index. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from dataspoke.core.documents.vocabulary import ABBREVIATIONS
from dataspoke.core.documents.words import humanise

_MOST = 4
_LONGEST = 60
_SENTENCE_END = re.compile(r"[.;:(\n]| - ")
_OPENING = re.compile(
    r"^(the|a|an|one row (per|for each)|each row is (a|an|one)|contains|holds|stores|"
    r"(list|table|view) (of|with))\s+",
    re.IGNORECASE,
)
_DULL_COLUMNS = {"id", "name", "key", "value", "type", "code", "date", "status"}


def example_questions(payloads: Sequence[Mapping[str, Any]]) -> list[str]:
    """At most four questions of different kinds: about a description, a column, a label, a name.

    The same payloads give the same questions.
    """
    ordered = sorted(payloads, key=lambda p: (p["entity_type"] != "dataset", p["urn"]))
    kinds = [_about_descriptions, _about_columns, _about_labels, _names]
    found: list[str] = []
    for questions in zip_longest(*(kind(ordered) for kind in kinds)):
        known = {question.lower() for question in found}
        short = [question for question in questions if question and len(question) <= _LONGEST]
        found += [question for question in short if question.lower() not in known]
        if len(found) >= _MOST:
            break
    return found[:_MOST]


def _about_descriptions(payloads: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for payload in payloads:
        clause = _SENTENCE_END.split(payload["description"].strip())[0].strip().rstrip(",")
        clause = _OPENING.sub("", clause)
        if 2 <= len(clause.split()) <= 7:
            yield clause if clause[1:2].isupper() else clause[:1].lower() + clause[1:]


def _about_columns(payloads: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for payload in reversed(payloads):
        names = [column["name"].rpartition(".")[2] for column in payload["columns"]]
        telling = [n for n in names if "_" in n and not n.endswith(("_id", "_at", "_key"))]
        telling = [n for n in telling if n.lower() not in _DULL_COLUMNS]
        if telling:
            yield f"{_spoken(telling[0])} of {_spoken(payload['name'])}"


def _about_labels(payloads: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for payload in payloads:
        for label in (*payload["tag_names"], *payload["term_names"]):
            about = payload["domain_names"] or payload["path"][-1:]
            yield f"{label} in {_spoken(about[0])}" if about else label


def _names(payloads: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for payload in payloads:
        if payload["entity_type"] == "dataset":
            yield payload["name"]


def _spoken(name: str) -> str:
    """A name as people say it.

    >>> _spoken("cust_orderItems")
    'customer order items'
    """
    return " ".join(ABBREVIATIONS.get(part, part) for part in humanise(name).split())
