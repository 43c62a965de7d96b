"""Requests counted in memory or in Redis."""

from __future__ import annotations

import logging
from time import monotonic, time

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from dataspoke.core.errors import require
from dataspoke.search_service.access.caller import TooManyError
from dataspoke.search_service.access.rates import Budget
from dataspoke.search_service.access.settings import AccessSettings

log = logging.getLogger(__name__)

_REDIS_TIMEOUT_S = 0.25
_REDIS_AGAIN_S = 5.0


class CountedRates:
    """Sliding windows by address and by user. When Redis does not answer, this process counts
    for itself: a limit is then one per process, but never none."""

    def __init__(self, settings: AccessSettings) -> None:
        self._user = parse(settings.user_limit) if settings.user_limit else None
        self._address = parse(settings.address_limit) if settings.address_limit else None
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._redis_again_at = float("-inf")
        if settings.redis_url:
            self._shared = SlidingWindowCounterRateLimiter(_redis(settings.redis_url))

    def count_address(self, address: str) -> None:
        """Raises TooManyError."""
        self._count(self._address, "address", address)

    def count_user(self, subject: str) -> Budget | None:
        """Raises TooManyError."""
        return self._count(self._user, "user", subject)

    def _count(self, limit: RateLimitItem | None, kind: str, name: str) -> Budget | None:
        if limit is None:
            return None
        if self._shared is not None and monotonic() >= self._redis_again_at:
            try:
                return _counted(self._shared, limit, kind, name)
            except StorageError as exc:
                log.warning("Cannot count requests in Redis: %s.", type(exc.storage_error).__name__)
                self._redis_again_at = monotonic() + _REDIS_AGAIN_S
        return _counted(self._own, limit, kind, name)


def _counted(
    limiter: SlidingWindowCounterRateLimiter, limit: RateLimitItem, kind: str, name: str
) -> Budget:
    admitted = limiter.hit(limit, "dataspoke", kind, name)
    window = limiter.get_window_stats(limit, "dataspoke", kind, name)
    seconds = max(1, round(window.reset_time - time()))
    if not admitted:
        raise TooManyError(
            f"Cannot answer: this {kind} may ask {limit.amount} times per "
            f"{limit.GRANULARITY.name}. Ask again in {seconds} s.",
            seconds,
        )
    return Budget(limit.amount, window.remaining, seconds)


def _redis(url: str) -> Storage:
    require("redis", extra="redis", purpose="use DATASPOKE_REDIS_URL")
    storage = storage_from_string(
        url,
        wrap_exceptions=True,
        socket_timeout=_REDIS_TIMEOUT_S,
        socket_connect_timeout=_REDIS_TIMEOUT_S,
    )
    assert isinstance(storage, Storage)
    return storage
