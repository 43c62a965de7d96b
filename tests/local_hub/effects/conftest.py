from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from dataspoke.local_hub.effects import Change
from dataspoke.local_hub.registry import Registry

Write = Callable[..., Change]


class Catalogue:
    """A view over a dict: (urn, aspect) → value."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.values: dict[tuple[str, str], Any] = {}

    def put(self, urn: str, aspect: str, value: Any) -> None:
        self.values[urn, aspect] = value

    def value(self, urn: str, aspect: str) -> Any | None:
        return self.values.get((urn, aspect))

    def exists(self, urn: str) -> bool:
        return any(known == urn for known, _ in self.values)

    def holders(self, aspect: str, text: str) -> list[str]:
        return [
            urn
            for (urn, name), value in self.values.items()
            if name == aspect and text in orjson.dumps(value).decode()
        ]


@pytest.fixture
def catalogue(registry: Registry) -> Catalogue:
    return Catalogue(registry)


@pytest.fixture
def write(catalogue: Catalogue) -> Write:
    """The change that a write of an aspect would be; what is in the catalogue is the old value."""

    def change(urn: str, aspect: str, new: Any, kind: str = "UPSERT", old: Any = None) -> Change:
        spec = catalogue.registry.entity_of(urn)
        before = catalogue.value(urn, aspect) if old is None else old
        actor = "urn:li:corpuser:someone"
        return Change(spec, urn, spec.aspects[aspect], kind, before, new, {}, {}, actor, 1)

    return change
