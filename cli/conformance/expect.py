"""Comparisons that say what was tried and what was found. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from dataspoke.cli.conformance.model import Unmet

_MOST_CHARACTERS = 240


def expect(met: object, tried: str, found: object) -> None:
    """Raise Unmet unless `met`."""
    if not met:
        raise Unmet(f"{tried}; found {shown(found)}.")


def expect_equal(tried: str, found: object, wanted: object) -> None:
    """Raise Unmet unless both are equal."""
    if found != wanted:
        raise Unmet(f"{tried}: expected {shown(wanted)}, found {shown(found)}.")


def expect_status(tried: str, found: int, wanted: Collection[int], body: object = None) -> None:
    """Raise Unmet unless an HTTP status is one of those that DataHub answers with."""
    if found not in wanted:
        names = " or ".join(str(status) for status in wanted)
        said = f", {shown(message_of(body))}" if body else ""
        raise Unmet(f"{tried}: expected HTTP {names}, found {found}{said}.")


def message_of(body: object) -> object:
    """The server's own words in an error body, or the body."""
    if isinstance(body, Mapping):
        for key in ("message", "error"):
            if body.get(key):
                return body[key]
    return body


def shown(value: object) -> str:
    """A value in one line, cut where it gets long.

    >>> shown({"b": [1], "a": None})
    '{"a": null, "b": [1]}'
    """
    if isinstance(value, str):
        text = value if value else "an empty text"
    elif value is None:
        text = "nothing"
    elif isinstance(value, set | frozenset):
        text = shown(sorted(map(str, value)))
    else:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def part(value: Any, wanted: Any) -> bool:
    """Whether `value` holds all of `wanted`: objects may have more fields, lists are equal.

    >>> part({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 2}})
    True
    """
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(
            name in value and part(value[name], inner) for name, inner in wanted.items()
        )
    return bool(value == wanted)


def expect_part(tried: str, value: Any, wanted: Any) -> None:
    """Raise Unmet unless `value` holds all of `wanted`."""
    if not part(value, wanted):
        raise Unmet(f"{tried}: expected at least {shown(wanted)}, found {shown(value)}.")
