"""Answers kept for a moment, in memory or in Redis."""

from __future__ import annotations

import hashlib
import logging
import threading
from typing import Protocol

from cachetools import TTLCache

from dataspoke.core.errors import require
from dataspoke.core.index.model import Condition
from dataspoke.search_service.access.settings import AccessSettings

log = logging.getLogger(__name__)

_MOST_BYTES = 64_000_000
_REDIS_TIMEOUT_S = 0.25


class Answers(Protocol):
    """Keeps bodies for `cache_ttl` seconds from when they were made, never longer."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, body: bytes) -> None: ...


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
        self._lock = threading.Lock()
        self._kept: TTLCache[str, bytes] = TTLCache(_MOST_BYTES, ttl, getsizeof=len)

    def get(self, key: str) -> bytes | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: str, body: bytes) -> None:
        if len(body) < _MOST_BYTES // 10:
            with self._lock:
                self._kept[key] = body


class _RedisAnswers:
    """A Redis that does not answer keeps nothing."""

    def __init__(self, url: str, ttl: float) -> None:
        redis = require("redis", extra="redis", purpose="use DATASPOKE_REDIS_URL")
        self._error = redis.RedisError
        self._milliseconds = max(1, int(ttl * 1000))
        self._client = redis.Redis.from_url(
            url, socket_timeout=_REDIS_TIMEOUT_S, socket_connect_timeout=_REDIS_TIMEOUT_S
        )

    def get(self, key: str) -> bytes | None:
        try:
            body: bytes | None = self._client.get(key)
        except self._error as exc:
            log.debug("Cannot read answers from Redis: %s.", type(exc).__name__)
            return None
        return body

    def put(self, key: str, body: bytes) -> None:
        try:
            self._client.set(key, body, px=self._milliseconds)
        except self._error as exc:
            log.debug("Cannot keep answers in Redis: %s.", type(exc).__name__)
