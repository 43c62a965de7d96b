"""How often somebody may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dataspoke.core.errors import require
from dataspoke.search_service.access.settings import AccessSettings


@dataclass(frozen=True, slots=True)
class Budget:
    """What a caller may still ask, for the headers of an answer."""

    limit: int
    remaining: int
    reset_seconds: int


class Rates(Protocol):
    """Counts requests; both raise TooManyError. None is no limit."""

    def count_address(self, address: str) -> None: ...

    def count_user(self, subject: str) -> Budget | None: ...


def open_rates(settings: AccessSettings) -> Rates | None:
    """None when nothing is limited. Raises MissingExtraError."""
    if not settings.user_limit and not settings.address_limit:
        return None
    require("limits", extra="search", purpose="limit how often callers ask")
    # Here, since nobody else needs the library: it adds to the start on every laptop.
    from dataspoke.search_service.access.counting import CountedRates

    return CountedRates(settings)
