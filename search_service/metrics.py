"""Prometheus metrics of one service instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dataspoke.search_service.drain import DrainStatus

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """`ready` and `drain` are asked at each scrape, so that no figure is older than that."""

    def __init__(
        self, *, ready: Callable[[], bool], drain: Callable[[], DrainStatus | None]
    ) -> None:
        self._registry = CollectorRegistry()
        self._searches = Counter(
            "dataspoke_search_requests",
            "Searches answered, by HTTP status.",
            ["status"],
            registry=self._registry,
        )
        self._stages = Histogram(
            "dataspoke_search_stage_seconds",
            "Time within a search: embed the question, ask the index, rank and explain, total.",
            ["stage"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._requests = Histogram(
            "dataspoke_search_http_seconds",
            "Requests by route and HTTP status, from their first byte to the last of the answer.",
            ["route", "status"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refused = Counter(
            "dataspoke_search_refused",
            "Requests refused before they reached the application, by HTTP status.",
            ["status"],
            registry=self._registry,
        )
        self._kept = Counter(
            "dataspoke_search_cache",
            "Searches looked up among the kept answers, by outcome.",
            ["outcome"],
            registry=self._registry,
        )
        idle = DrainStatus()
        gauges: tuple[tuple[str, str, Callable[[], float]], ...] = (
            ("ready", "1 when model and index are loaded.", lambda: float(ready())),
            (
                "outbox_rows",
                "Index operations queued by other processes and not yet applied.",
                lambda: (drain() or idle).rows,
            ),
            (
                "outbox_oldest_seconds",
                "Age of the oldest operation that waits.",
                lambda: _age((drain() or idle).oldest_ms),
            ),
            (
                "outbox_applied_total",
                "Index operations applied since the start.",
                lambda: (drain() or idle).applied,
            ),
            (
                "outbox_failures_total",
                "Failed attempts to apply index operations since the start.",
                lambda: (drain() or idle).failures,
            ),
        )
        for name, text, read in gauges:
            gauge = Gauge(f"dataspoke_search_{name}", text, registry=self._registry)
            gauge.set_function(read)

    def searched(self, status: int, seconds: Mapping[str, float]) -> None:
        """Count one search; `seconds` by stage."""
        self._searches.labels(str(status)).inc()
        for stage, duration in seconds.items():
            self._stages.labels(stage).observe(duration)

    def requested(self, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is the pattern, so that no caller can invent labels."""
        self._requests.labels(route, str(status)).observe(seconds)

    def refused(self, status: int) -> None:
        self._refused.labels(str(status)).inc()

    def looked_up(self, *, hit: bool) -> None:
        self._kept.labels("hit" if hit else "miss").inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)


def _age(oldest_ms: int | None) -> float:
    return max(0.0, time() - oldest_ms / 1000) if oldest_ms else 0.0
