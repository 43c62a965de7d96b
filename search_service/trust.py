"""How far an entity can be trusted, as small factors on its score. Pure.

They reorder what is under the filters, a little: together they stay within `LOWEST` and
`HIGHEST`, so that no signal hides what the question asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from dataspoke.search_service.navigate import in_production

LOWEST, HIGHEST = 0.75, 1.12
_HALF_USED = 100


class Trusted(Protocol):
    """What is known of an entity, as the payload has it (`documents.model`)."""

    @property
    def env(self) -> str: ...
    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def deprecated(self) -> bool: ...
    @property
    def certified(self) -> bool: ...
    @property
    def quality(self) -> str: ...
    @property
    def incidents(self) -> int: ...
    @property
    def usage(self) -> int: ...


class _State(NamedTuple):
    """All that signals look at: a catalogue has few different ones."""

    deprecated: bool
    certified: bool
    quality: str
    incidents: int
    usage: int
    production: bool


@dataclass(frozen=True, slots=True)
class Signal:
    """`most` is the factor where the signal holds fully; `strength` (0…1) says how far it does;
    `words` tell a person."""

    name: str
    most: float
    strength: Callable[[_State], float]
    words: str


@dataclass(frozen=True, slots=True)
class Applied:
    """A signal that changed a score, and by which factor."""

    name: str
    factor: float
    words: str


SIGNALS = (
    Signal("deprecated", 0.85, lambda state: state.deprecated, "it is deprecated"),
    Signal("incidents", 0.93, lambda state: state.incidents > 0, "it has open incidents"),
    Signal(
        "quality",
        0.93,
        lambda state: state.quality == "fail" and not state.incidents,
        "its quality checks fail",
    ),
    Signal("quality", 1.03, lambda state: state.quality == "pass", "its quality checks pass"),
    Signal("certified", 1.05, lambda state: state.certified, "it is certified"),
    Signal("usage", 1.04, lambda state: state.usage / (state.usage + _HALF_USED), "people use it"),
    Signal("environment", 0.96, lambda state: not state.production, "it is not in production"),
)


def applied(entity: Trusted) -> tuple[Applied, ...]:
    """The signals that hold, each with its factor."""
    return _applied(
        _State(
            entity.deprecated,
            entity.certified,
            entity.quality,
            entity.incidents,
            entity.usage,
            in_production(entity.env, entity.path),
        )
    )


@lru_cache(maxsize=50_000)
def _applied(state: _State) -> tuple[Applied, ...]:
    found = []
    for signal in SIGNALS:
        strength = float(signal.strength(state))
        if strength > 0:
            factor = round(1 + (signal.most - 1) * strength, 4)
            found.append(Applied(signal.name, factor, signal.words))
    return tuple(found)


def factor_of(signals: tuple[Applied, ...]) -> float:
    """The product of the factors, bounded."""
    product = math.prod(signal.factor for signal in signals)
    return min(HIGHEST, max(LOWEST, product))
