"""What vector sync counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, generate_latest


class SyncMetrics:
    """One registry per instance, so that two pipelines or two tests do not share counters."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()

        def counter(name: str, text: str) -> Counter:
            return Counter(f"dataspoke_sync_{name}", text, registry=self._registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"dataspoke_sync_{name}", text, registry=self._registry)

        self.events = counter("events", "Change events received.")
        self.relevant_events = counter("relevant_events", "Change events that made work.")
        self.unreadable_events = counter("unreadable_events", "Events kept as dead letters.")
        self.done = counter("work_done", "Rows of work finished.")
        self.unchanged = counter("unchanged", "Entities whose point was right already.")
        self.embedded = counter("embedded", "Entities embedded and written whole.")
        self.payloads = counter("payloads", "Entities of which only the payload was written.")
        self.deleted = counter("deleted", "Points removed.")
        self.failed = counter("attempts_failed", "Attempts on single entities that failed.")
        self.dead_letters = counter("dead_letters", "Rows that kept failing and were set aside.")
        self.embedding_seconds = counter(
            "embedding_seconds", "Time spent in the embedder, over all threads."
        )
        self.blocked = gauge("blocked", "1 while something outside is away.")
        self.open_rows = gauge("open_rows", "Rows of work that are not finished.")
        self.dead_rows = gauge("dead_rows", "Dead letters waiting for a person.")
        self.oldest_row_seconds = gauge("oldest_row_seconds", "Age of the oldest ready row.")

    def render(self) -> bytes:
        """Our figures, then those of the process and of the framework's own plugins."""
        return generate_latest(self._registry) + generate_latest(REGISTRY)
