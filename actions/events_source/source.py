"""The event source `dataspoke-events`: DataHub's poll API with offsets that survive a kill -9.

Loading this module needs no extra: the framework answers a failed import with advice that does
not fit us, so that what may be missing is asked for in `create`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from datahub_actions.event.event_envelope import EventEnvelope
from datahub_actions.filter.filter import Filter
from datahub_actions.pipeline.pipeline_context import PipelineContext
from datahub_actions.source.event_source import EventSource
from prometheus_client import Counter

from dataspoke.actions.events_source.client import EventsClient, Getter
from dataspoke.actions.events_source.config import EventsSourceConfig, read_config
from dataspoke.actions.events_source.early_filter import EarlyFilter
from dataspoke.actions.events_source.inbox import BadEvent, Batch, Inbox
from dataspoke.actions.events_source.patience import Stopped, insist
from dataspoke.actions.events_source.poller import Poller, State
from dataspoke.actions.events_source.position import position_key
from dataspoke.core.errors import require
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.recipe import one_sentence
from dataspoke.core.settings import Settings
from dataspoke.core.telemetry.outage import Outage
from dataspoke.core.work.model import UNREADABLE_EVENT

if TYPE_CHECKING:
    from datahub.configuration import ConfigModel

logger = logging.getLogger(__name__)
T = TypeVar("T")

EVENTS = Counter(
    "dataspoke_events",
    "Events of the poll API, by what became of them: delivered, filtered, unreadable.",
    ["pipeline", "topic", "outcome"],
)
_META = "dataspoke_events"
_MAX_REDELIVERY_PAUSE_S = 60.0
_CLOSE_TIMEOUT_S = 1.0


class DeadLetters(Protocol):
    """What is needed of a `WorkTable`."""

    def bury_event(
        self,
        kind: str,
        key: str,
        *,
        payload: Mapping[str, Any],
        reason: str,
        error_type: str,
        now: int,
    ) -> None: ...


class Store(Protocol):
    """Positions and dead letters; both raise RetriableError while their database is away."""

    @property
    def state(self) -> State: ...

    @property
    def dead_letters(self) -> DeadLetters: ...

    def close(self) -> None: ...


class DatabaseStore:
    """The store in Data Spoke's database."""

    def __init__(self, url: str) -> None:
        from dataspoke.core.store.database import Database
        from dataspoke.core.store.state import StateStore
        from dataspoke.core.work.table import SqlWorkTable

        self._database = Database.open(url)
        self.state = StateStore(self._database)
        self.dead_letters = SqlWorkTable(self._database)

    def close(self) -> None:
        self._database.close()


class EventsSource(EventSource):
    """At least once, in the order of each topic.

    A batch is one answer of a poll. Its offset is stored, durably, when its last event has been
    acknowledged and before anything later of its topic is delivered. A batch with a missing
    acknowledgement is delivered again after a pause, whole. Whatever is away is waited for; what
    no waiting mends (a refused token, a topic that is not offered) is raised from `events()`.
    """

    def __init__(
        self,
        config: EventsSourceConfig,
        *,
        pipeline: str,
        connection: Getter,
        token_key: str,
        open_store: Callable[[], Store],
    ) -> None:
        self.joined = threading.Event()
        """Set once every topic has a durable position: from then on nothing can be missed."""
        self._config = config
        self._pipeline = pipeline
        self._connection = connection
        self._token_key = token_key
        self._open_store = open_store
        self._store: Store | None = None
        self._wanted = EarlyFilter()
        self._stop = threading.Event()
        self._inbox = Inbox(config.topics)
        self._hub = Outage(f"Pipeline '{pipeline}'")
        self._database = Outage(f"Pipeline '{pipeline}'")
        self._pollers: list[Poller] = []
        self._unjoined = set(config.topics)
        self._join_lock = threading.Lock()
        self._open: dict[int, Batch] = {}
        self._next_batch = 0

    @classmethod
    def get_config_class(cls) -> type[ConfigModel]:
        """What `source.config` may hold. Raises MissingExtraError."""
        require("sqlalchemy", extra="actions", purpose="follow DataHub's events")
        return EventsSourceConfig

    @classmethod
    def create(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> EventsSource:
        """From the recipe; sends nothing and opens nothing yet. What is wrong ends the process
        with one sentence."""
        with one_sentence():
            return cls._from_recipe(config_dict, ctx)

    @classmethod
    def _from_recipe(cls, config_dict: dict[str, Any], ctx: PipelineContext) -> EventsSource:
        cls.get_config_class()
        config = read_config(config_dict)
        settings = Settings.from_env(os.environ, home=config.home)
        if config.database_url is not None:
            settings = replace(settings, database_url=config.database_url.get_secret_value())
        if ctx.graph is not None:
            connection = HubConnection.from_graph(ctx.graph.graph)
            token_key = "datahub.token"  # noqa: S105
        else:
            connection = HubConnection.open(settings)
            token_key = "DATAHUB_GMS_TOKEN"  # noqa: S105
        return cls(
            config,
            pipeline=ctx.pipeline_name,
            connection=connection,
            token_key=token_key,
            open_store=lambda: DatabaseStore(settings.database_url),
        )

    def set_filters(self, filters: Sequence[Filter]) -> None:
        """Drop early what the pipeline's `event_type` filters drop anyway."""
        self._wanted = EarlyFilter.of(filters)

    def events(self) -> Iterable[EventEnvelope]:
        """Yield events until the pipeline is asked to stop."""
        if self.stop_requested():
            return
        try:
            self._store = self._insist_on_database(self._open_store)
            self._start_pollers(self._store)
            while (batch := self._inbox.take()) is not None:
                yield from self._deliver(batch)
        except Stopped:
            return

    def ack(self, event: EventEnvelope, processed: bool = True) -> None:
        """Note that an event is done; an action may do so later and from another thread."""
        if not processed:
            return
        meta = event.meta[_META]
        batch = self._open.get(meta["batch"])
        if batch is not None:
            self._inbox.ack(batch, meta["index"])

    def request_stop(self) -> None:
        super().request_stop()
        self._stop.set()
        self._inbox.stop()

    def close(self) -> None:
        """End the threads; positions are stored already. Safe to call more than once."""
        self.request_stop()
        deadline = time.monotonic() + _CLOSE_TIMEOUT_S
        for poller in self._pollers:
            # One that is inside a long poll is left to end with the process: it is a daemon.
            poller.join(max(0.0, deadline - time.monotonic()))
        if self._store is not None and not any(poller.is_alive() for poller in self._pollers):
            self._store.close()
            self._store = None

    def _start_pollers(self, store: Store) -> None:
        for topic in self._config.topics:
            client = EventsClient(
                self._connection,
                topic,
                limit=self._config.limit,
                poll_timeout_seconds=self._config.poll_timeout_seconds,
            )
            poller = Poller(
                client,
                pipeline=self._pipeline,
                lookback_days=self._config.lookback,
                token_key=self._token_key,
                state=store.state,
                inbox=self._inbox,
                wanted=self._wanted,
                hub=self._hub,
                database=self._database,
                stop=self._stop,
                on_position=self._has_position,
            )
            self._pollers.append(poller)
            poller.start()

    def _has_position(self, topic: str) -> None:
        with self._join_lock:
            self._unjoined.discard(topic)
            if not self._unjoined and not self.joined.is_set():
                logger.info(
                    "Pipeline '%s' follows %s.", self._pipeline, ", ".join(self._config.topics)
                )
                self.joined.set()

    def _deliver(self, batch: Batch) -> Iterator[EventEnvelope]:
        """Deliver a batch, or finish one whose last acknowledgement came late."""
        if batch.deliveries == 0:
            self._count(batch)
            self._bury(batch)
        if batch.pending or batch.deliveries == 0:
            batch.expect_all()
            number = self._next_batch
            self._next_batch += 1
            self._open[number] = batch
            for index, envelope in enumerate(batch.envelopes):
                envelope.meta[_META] = {"topic": batch.topic, "batch": number, "index": index}
                yield envelope
                if self._stop.is_set() and batch.pending:
                    return
        if batch.pending:
            self._hold(batch)
            return
        self._open = {number: other for number, other in self._open.items() if other is not batch}
        self._commit(batch)

    def _hold(self, batch: Batch) -> None:
        pause = self._config.redeliver_after_seconds * 2.0 ** min(batch.deliveries - 1, 10)
        pause = min(pause, max(_MAX_REDELIVERY_PAUSE_S, self._config.redeliver_after_seconds))
        logger.warning(
            "Pipeline '%s': %d of %d events of %s are not acknowledged; they come again in "
            "%.0f s, and nothing else of the topic before them.",
            self._pipeline,
            len(batch.pending),
            len(batch.envelopes),
            batch.topic,
            pause,
        )
        self._inbox.hold(batch, pause)

    def _commit(self, batch: Batch) -> None:
        key = position_key(self._pipeline, batch.topic)
        store = self._opened()
        self._insist_on_database(lambda: store.state.set(key, batch.offset))

    def _bury(self, batch: Batch) -> None:
        for bad in batch.bad:
            logger.error("%s It is kept as a dead letter: dataspoke work list", bad.reason)
            self._insist_on_database(partial(self._bury_one, batch, bad))

    def _bury_one(self, batch: Batch, bad: BadEvent) -> None:
        self._opened().dead_letters.bury_event(
            UNREADABLE_EVENT,
            f"{self._pipeline}:{batch.topic}:{batch.offset}:{bad.index}",
            payload={"topic": batch.topic, "value": bad.value},
            reason=bad.reason,
            error_type=bad.error_type,
            now=time.time_ns() // 1_000_000,
        )

    def _count(self, batch: Batch) -> None:
        for outcome, count in (
            ("delivered", len(batch.envelopes)),
            ("filtered", batch.dropped),
            ("unreadable", len(batch.bad)),
        ):
            if count:
                EVENTS.labels(self._pipeline, batch.topic, outcome).inc(count)

    def _opened(self) -> Store:
        assert self._store is not None
        return self._store

    def _insist_on_database(self, call: Callable[[], T]) -> T:
        return insist(call, who="pipeline", outage=self._database, stop=self._stop)
