"""Reads many paths of a JSON value in one walk.

A path is made of field names, `*` for each item of a list or each value of a map, and `$key` for
each key of a map. A `*` that ends a path at a map yields `key=value` texts. Unions, written as
``{"member": {…}}``, are entered on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class _Node:
    __slots__ = ("children", "keys", "leaves", "values")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.values: _Node | None = None  # what `*` leads to
        self.keys: _Node | None = None  # what `$key` leads to
        self.leaves: list[int] = []


class Paths:
    """A set of paths, compiled.

    >>> Paths([("tags", "*", "tag"), ("name",)]).read({"tags": [{"tag": "a"}], "name": "n"})
    [['a'], ['n']]
    """

    def __init__(self, paths: Sequence[tuple[str, ...]]) -> None:
        self._root = _Node()
        self._count = len(paths)
        for index, path in enumerate(paths):
            node = self._root
            for step in path:
                node = _step(node, step)
            node.leaves.append(index)

    def read(self, value: Any) -> list[list[Any]]:
        """For each path the values that lie there."""
        found: list[list[Any]] = [[] for _ in range(self._count)]
        _walk(self._root, value, found)
        return found


def _step(node: _Node, step: str) -> _Node:
    if step == "*":
        node.values = node.values or _Node()
        return node.values
    if step == "$key":
        node.keys = node.keys or _Node()
        return node.keys
    return node.children.setdefault(step, _Node())


def _walk(node: _Node, value: Any, found: list[list[Any]]) -> None:
    for leaf in node.leaves:
        found[leaf].append(value)
    if type(value) is dict:
        if node.values is not None:
            _walk_map(node.values, value, found)
        if node.keys is not None:
            for leaf in node.keys.leaves:
                found[leaf].extend(value)
        for step, child in node.children.items():
            if step in value:
                _walk(child, value[step], found)
            elif len(value) == 1:
                (inner,) = value.values()
                if type(inner) is dict and step in inner:
                    _walk(child, inner[step], found)
    elif type(value) is list and node.values is not None:
        for item in value:
            _walk(node.values, item, found)


def _walk_map(node: _Node, value: dict[str, Any], found: list[list[Any]]) -> None:
    for name, item in value.items():
        if type(item) is dict or type(item) is list:
            _walk(node, item, found)
        else:
            for leaf in node.leaves:
                found[leaf].append(f"{name}={item}")
