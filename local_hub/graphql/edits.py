"""Read, change, write: how mutations edit aspects."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.graphql.room import Context

Fields = dict[str, Any]


class Edits:
    """Changes to aspects that are written together by `save`, or not at all."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._values: dict[tuple[str, str], Fields] = {}
        self._deletions: dict[tuple[str, str], None] = {}

    def aspect(self, urn: str, name: str, empty: Mapping[str, Any] | None = None) -> Fields:
        """An aspect to be changed in place; `empty` if the entity has none."""
        found = self._values.get((urn, name))
        if found is None:
            found = self._context.value(urn, name)
            if found is None:
                found = copy.deepcopy(dict(empty or {}))
            self._values[urn, name] = found
        return found

    def items(self, urn: str, aspect: str, name: str) -> list[Any]:
        """A list within an aspect, to be changed in place."""
        return _items(self.aspect(urn, aspect), name)

    def column(self, urn: str, path: str) -> Fields:
        """What people said about a column of a dataset, to be changed in place."""
        fields = self.items(urn, "editableSchemaMetadata", "editableSchemaFieldInfo")
        for found in fields:
            if found["fieldPath"] == path:
                return cast(Fields, found)
        made: Fields = {"fieldPath": path}
        fields.append(made)
        return made

    def delete(self, urn: str, aspect: str) -> None:
        """Delete an aspect if the entity has it."""
        if self._context.value(urn, aspect) is not None:
            self._deletions[urn, aspect] = None

    def save(self) -> bool:
        """Write everything in one transaction. Raises HubError."""
        changes = [(urn, name, "UPSERT", value) for (urn, name), value in self._values.items()]
        changes += [(urn, name, "DELETE", {}) for urn, name in self._deletions]
        self._context.write(changes)
        return True


def _items(value: Fields, name: str) -> list[Any]:
    found = value.get(name)
    if found is None:
        found = value[name] = []
    return cast(list[Any], found)


def labels(holder: Fields, aspect: str, name: str, empty: Mapping[str, Any]) -> list[Any]:
    """The labels within a column, made if there are none."""
    if holder.get(aspect) is None:
        holder[aspect] = dict(empty)
    return _items(holder[aspect], name)


def require(context: Context, *urns: str) -> None:
    """Raises BadRequest for the first entity that does not exist."""
    for urn in urns:
        if not context.exists(urn):
            raise BadRequest(f"Failed to update {urn}. Entity with urn {urn} does not exist.")


def without(items: list[Any], gone: Callable[[Any], bool]) -> None:
    """Take out of a list, in place, what is `gone`."""
    items[:] = [item for item in items if not gone(item)]


def add_missing(items: list[Any], name: str, made: Iterable[Fields]) -> None:
    """Add to a list, in place, what no item has under the key `name`."""
    known = {item.get(name) for item in items}
    items.extend(item for item in made if item[name] not in known)
