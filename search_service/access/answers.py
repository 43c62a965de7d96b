"""Answers kept for a moment, in memory or in Redis."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from cachetools import TLRUCache

from dataspoke.core.errors import require
from dataspoke.core.index.model import Condition
from dataspoke.search_service.access.settings import AccessSettings

log = logging.getLogger(__name__)

_MOST_BYTES = 64_000_000
_REDIS_TIMEOUT_S = 0.25
_REDIS_AGAIN_S = 5.0


class Answers(Protocol):
    """Keeps bodies for `cache_ttl` seconds from the moment that they are true for."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, body: bytes, *, age: float) -> None:
        """`age` is how many seconds ago the answer was begun."""
        ...


def answer_key(rights: tuple[Condition, ...] | None, generation: str, *asked: object) -> str:
    """Equal for equal questions of callers of equal rights to the same index alone."""
    digest = hashlib.sha256(repr((rights, generation, asked)).encode("utf-8", "replace"))
    return "dataspoke:answer:" + digest.hexdigest()


def open_answers(settings: AccessSettings) -> Answers | None:
    """None when nothing is to be kept."""
    if settings.cache_ttl <= 0:
        return None
    if settings.redis_url:
        return _RedisAnswers(settings.redis_url, settings.cache_ttl)
    return _OwnAnswers(settings.cache_ttl)


class _OwnAnswers:
    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._lock = threading.Lock()
        self._kept: TLRUCache[str, tuple[bytes, float]] = TLRUCache(
            _MOST_BYTES, ttu=lambda key, kept, now: kept[1], getsizeof=lambda kept: len(kept[0])
        )

    def get(self, key: str) -> bytes | None:
        with self._lock:
            kept = self._kept.get(key)
        return kept[0] if kept else None

    def put(self, key: str, body: bytes, *, age: float) -> None:
        if len(body) < _MOST_BYTES // 10 and age < self._ttl:
            with self._lock:
                self._kept[key] = (body, monotonic() + self._ttl - age)


class _RedisAnswers:
    """A Redis that does not answer keeps nothing, and is left alone for some seconds."""

    def __init__(self, url: str, ttl: float) -> None:
        redis = require("redis", extra="redis", purpose="use DATASPOKE_REDIS_URL")
        self._error: type[Exception] = redis.RedisError
        self._ttl = ttl
        self._again_at = float("-inf")
        self._client = redis.Redis.from_url(
            url, socket_timeout=_REDIS_TIMEOUT_S, socket_connect_timeout=_REDIS_TIMEOUT_S
        )

    def get(self, key: str) -> bytes | None:
        body: bytes | None = self._asked(lambda: self._client.get(key))
        return body

    def put(self, key: str, body: bytes, *, age: float) -> None:
        if (milliseconds := int((self._ttl - age) * 1000)) > 0:
            self._asked(lambda: self._client.set(key, body, px=milliseconds))

    def _asked(self, call: Callable[[], Any]) -> Any:
        if monotonic() < self._again_at:
            return None
        try:
            return call()
        except self._error as exc:
            log.warning("Cannot keep answers in Redis: %s.", type(exc).__name__)
            self._again_at = monotonic() + _REDIS_AGAIN_S
            return None
