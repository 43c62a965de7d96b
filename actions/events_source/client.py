"""DataHub's poll API for one topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from dataspoke.core.errors import RetriableError

_PATH = "/openapi/v1/events/poll"


class Getter(Protocol):
    """What is needed of a `HubConnection`."""

    server: str

    def get(self, path: str, **params: str | int) -> Any: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Polled:
    """An answer: `offset` is the position behind its last event; `values` are undecoded."""

    offset: str
    values: tuple[Any, ...]


class EventsClient:
    """Polls one topic; keeps no position."""

    def __init__(
        self, connection: Getter, topic: str, *, limit: int, poll_timeout_seconds: int
    ) -> None:
        self.topic = topic
        self.server = connection.server
        self._connection = connection
        self._limit = limit
        self._timeout = poll_timeout_seconds

    def poll(self, offset: str) -> Polled:
        """The events behind `offset`; waits for them up to the poll timeout.

        Raises what `HubConnection.request` raises, and RetriableError for an answer that is none.
        """
        return self._get(offsetId=offset, pollTimeoutSeconds=self._timeout)

    def poll_start(self, lookback_days: int | None) -> Polled:
        """Join the stream: at its end, or `lookback_days` back. Waits a second at most."""
        if lookback_days is None:
            return self._get(pollTimeoutSeconds=1)
        return self._get(pollTimeoutSeconds=1, lookbackWindowDays=lookback_days)

    def close(self) -> None:
        """Close the calling thread's connections."""
        self._connection.close()

    def _get(self, **params: str | int) -> Polled:
        answer = self._connection.get(_PATH, topic=self.topic, limit=self._limit, **params)
        try:
            offset, events = answer["offsetId"], answer["events"]
            values = tuple(e.get("value") if isinstance(e, dict) else e for e in events)
        except (TypeError, KeyError) as exc:
            raise RetriableError(
                f"Cannot follow {self.topic} of DataHub at {self.server}: its answer has no "
                "offsetId and events. See whether something stands before it."
            ) from exc
        if not isinstance(offset, str) or not offset:
            raise RetriableError(
                f"Cannot follow {self.topic} of DataHub at {self.server}: it gives no position."
            )
        return Polled(offset, values)
