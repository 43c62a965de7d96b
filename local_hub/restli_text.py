"""The lists of rest.li 2.0 in a query: `ids=List(a,b)`, where the members are percent-encoded."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from starlette.requests import Request

_LIST = re.compile(r"List\((.*)\)", re.DOTALL)


def list_parameter(request: Request, name: str) -> list[str] | None:
    """The members of a list; None when the parameter is absent.

    Read from the query as it was sent: only there the commas between members differ from those
    inside them.
    """
    for pair in request.scope["query_string"].decode("latin-1").split("&"):
        key, _, text = pair.partition("=")
        if unquote_plus(key) == name:
            return read_list(text)
    return None


def read_list(text: str) -> list[str]:
    """Members of `List(…)`, or of a plain list with commas.

    >>> read_list("List(urn%3Ali%3Ax%3A%28a%2Cb%29,c)")
    ['urn:li:x:(a,b)', 'c']
    >>> read_list("List%28a%2Cb%29")
    ['a', 'b']
    """
    found = _LIST.fullmatch(text)
    if found is None:
        # Everything is encoded, as generic clients do: commas inside of urns are in parentheses.
        decoded = unquote_plus(text)
        whole = _LIST.fullmatch(decoded)
        return _split(whole[1] if whole else decoded)
    return [unquote_plus(part) for part in _split(found[1])]


def _split(text: str) -> list[str]:
    """Split at the commas outside of parentheses."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return [part for part in parts if part]
