"""How far an entity can be trusted, as small factors on its score. Pure.

They reorder what is under the filters, a little: together they stay within `LOWEST` and
`HIGHEST`, so that no signal hides what the question asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True, slots=True)
class Signal:
    """`most` is the factor where the signal holds fully; `strength` (0…1) says how far it does;
    `words` tell a person."""

    name: str
    most: float
    strength: Callable[[Trusted], float]
    words: str


@dataclass(frozen=True, slots=True)
class Applied:
    """A signal that changed a score, and by which factor."""

    name: str
    factor: float
    words: str


SIGNALS = (
    Signal("deprecated", 0.85, lambda one: one.deprecated, "it is deprecated"),
    Signal(
        "quality",
        0.93,
        lambda one: one.quality == "fail" and not one.incidents,
        "its quality checks fail",
    ),
    Signal("quality", 1.03, lambda one: one.quality == "pass", "its quality checks pass"),
    Signal("incidents", 0.93, lambda one: one.incidents > 0, "it has open incidents"),
    Signal("certified", 1.05, lambda one: one.certified, "it is certified"),
    Signal("usage", 1.04, lambda one: one.usage / (one.usage + _HALF_USED), "people use it"),
    Signal(
        "environment",
        0.96,
        lambda one: not in_production(one.env, one.path),
        "it is not in production",
    ),
)


def applied(entity: Trusted) -> tuple[Applied, ...]:
    """The signals that hold, each with its factor."""
    found = []
    for signal in SIGNALS:
        strength = float(signal.strength(entity))
        if strength > 0:
            factor = 1 + (signal.most - 1) * strength
            found.append(Applied(signal.name, round(factor, 4), signal.words))
    return tuple(found)


def factor_of(signals: tuple[Applied, ...]) -> float:
    """The product of the factors, bounded."""
    product = 1.0
    for signal in signals:
        product *= signal.factor
    return min(HIGHEST, max(LOWEST, product))
