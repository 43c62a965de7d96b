"""What access policies ask about an entity, exactly as its own aspects say it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dataspoke.core.hub.columns import tag_urns, term_urns
from dataspoke.core.hub.values import text, unique

Value = Mapping[str, Any]
_Parse = Callable[[Value], tuple[str, ...]]


class Read(Protocol):
    """Parses an aspect of the entity, or answers what stands for a missing one."""

    def __call__(
        self, aspect: str, parse: _Parse, missing: tuple[str, ...], /
    ) -> tuple[str, ...]: ...


def rights_of(read: Read) -> tuple[str, ...]:
    """`tag URN`, `term URN`, `container URN`, `instance URN` and `owner TYPE-URN URN`: what the
    entity itself has, without what its columns or its path add."""
    return tuple(
        f"{kind} {found}"
        for kind, (aspect, parse) in _RIGHTS.items()
        for found in read(aspect, parse, ())
        if found
    )


def _typed_owners(value: Value) -> tuple[str, ...]:
    return unique(
        f"{kind} {item['owner']}"
        for item in value.get("owners") or ()
        if (kind := text(item.get("typeUrn")))
    )


_RIGHTS: Mapping[str, tuple[str, _Parse]] = {
    "tag": ("globalTags", tag_urns),
    "term": ("glossaryTerms", term_urns),
    "container": ("container", lambda value: (text(value["container"]),)),
    "instance": ("dataPlatformInstance", lambda value: unique((text(value.get("instance")),))),
    "owner": ("ownership", _typed_owners),
}
