"""The urns inside a value, as the `UrnValidation` marks of the models want them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from dataspoke.local_hub.effects.model import Change, View
from dataspoke.local_hub.errors import BadUrn, InvalidAspect, UnknownEntity
from dataspoke.local_hub.registry import AspectSpec, annotations_in
from dataspoke.local_hub.urns import Urn

_Mark = tuple[tuple[str, ...], Mapping[str, Any]]


def check_urns(view: View, change: Change) -> None:
    """Refuse urns that are malformed, of another entity type, or (where asked for) unknown."""
    if change.new is None or change.change == "RESTATE":
        return
    for path, mark in _marks(change.aspect):
        for urn in _found(change.new, path):
            _check(view, urn, mark, "/" + "/".join(path))


@lru_cache(maxsize=512)
def _marks(aspect: AspectSpec) -> tuple[_Mark, ...]:
    return tuple(annotations_in(aspect.schema, "UrnValidation"))


def _found(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _found(item, path[1:] if path[:1] == ("*",) else path)
    elif not path:
        if isinstance(value, str):
            yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _found(value[path[0]], path[1:])


def _check(view: View, urn: str, mark: Mapping[str, Any], path: str) -> None:
    try:
        parsed = Urn.parse(urn)
        if mark.get("strict"):
            view.registry.key_of(urn)
    except (BadUrn, UnknownEntity) as exc:
        raise InvalidAspect(f"Invalid urn. Path: {path} Urn: {urn}: {exc}") from None
    types = mark.get("entityTypes")
    if types and parsed.entity_type not in types:
        raise InvalidAspect(
            f"Invalid entity type urn validation failure (Required: [{', '.join(types)}]). "
            f"Path: {path} Urn: {urn}"
        )
    if mark.get("exist") and not view.exists(urn):
        raise InvalidAspect(f"Urn validation failure. Urn does not exist. Path: {path} Urn: {urn}")
