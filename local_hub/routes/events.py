"""`/openapi/v1/events/poll`: the change log for consumers without Kafka."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub.errors import BadRequest, TooBusy
from dataspoke.local_hub.http import answer, hub_of, in_thread, number
from dataspoke.local_hub.hub import now_millis
from dataspoke.local_hub.mcl import TOPICS
from dataspoke.local_hub.news import News
from dataspoke.local_hub.store import Store, StoredEvent
from dataspoke.local_hub.transports.avro import to_avro_json

DEFAULT_LIMIT = 100
MOST_LIMIT = 5000
DEFAULT_TIMEOUT = 5.0
MOST_TIMEOUT = 10.0
# Polls at once: the size of the pool of Kafka consumers that GMS has by default.
MOST_CONSUMERS = 5
_DAY_MILLIS = 86_400_000


async def _poll(request: Request) -> Response:
    """Events of one topic after `offsetId`; waits for the first one, `pollTimeoutSeconds` long."""
    hub, query = hub_of(request), request.query_params
    news: News = request.app.state.news
    topic = query.get("topic")
    if topic not in TOPICS:
        raise BadRequest(f"Topic {topic} is not allowed. Allowed topics: {', '.join(TOPICS)}")
    limit = number(query.get("limit"), "limit", DEFAULT_LIMIT, most=MOST_LIMIT) or DEFAULT_LIMIT
    timeout = min(_seconds(query.get("pollTimeoutSeconds")), MOST_TIMEOUT)
    after = await _start(hub.store, query.get("offsetId"), query.get("lookbackWindowDays"))
    deadline = time.monotonic() + timeout
    consumers: asyncio.Semaphore = request.app.state.consumers
    try:
        # A wait of no seconds would not even take what is free.
        await asyncio.wait_for(consumers.acquire(), timeout or 0.001)
    except TimeoutError:
        raise TooBusy(
            f"No consumer is free: {MOST_CONSUMERS} polls wait for events. Try again later."
        ) from None
    try:
        offset, events = await _next(hub.store, news, topic, after, limit, deadline)
    finally:
        consumers.release()
    if len(events) < 20:
        return answer(_body(topic, offset, events))
    return answer(await in_thread(lambda: _body(topic, offset, events)))


async def _next(
    store: Store, news: News, topic: str, after: int, limit: int, deadline: float
) -> tuple[int, list[StoredEvent]]:
    """The first events behind `after`, or none at the deadline; and the offset to go on from."""
    while True:
        arrival = news.next()
        # What is committed by now has been looked at, whatever its topic was.
        seen = max(after, store.last_offset())
        events = store.read_events(topic, after, limit)
        remaining = deadline - time.monotonic()
        if events or remaining <= 0 or news.closed:
            break
        try:
            await asyncio.wait_for(arrival, remaining)
        except TimeoutError:
            continue
    return (events[-1].offset if events else seen), events


def _body(topic: str, offset: int, events: Sequence[StoredEvent]) -> dict[str, object]:
    return {
        "offsetId": str(offset),
        "count": len(events),
        "events": [
            {"contentType": "application/json", "value": to_avro_json(topic, event.body)}
            for event in events
        ],
    }


def _seconds(text: str | None) -> float:
    if not text:
        return DEFAULT_TIMEOUT
    try:
        return max(0.0, float(text))
    except ValueError as exc:
        raise BadRequest(f"Parameter pollTimeoutSeconds must be a number: {text!r}") from exc


async def _start(store: Store, offset: str | None, lookback_days: str | None) -> int:
    """The offset to read after: the given one, else that of the look-back, else the end."""
    if offset:
        after = number(offset, "offsetId", 0)
        if after > store.last_offset():
            raise BadRequest(f"Parameter offsetId is beyond the last event: {offset}")
        return after
    days = number(lookback_days, "lookbackWindowDays", 0)
    if not days:
        return store.last_offset()
    return await in_thread(lambda: store.offset_before(now_millis() - days * _DAY_MILLIS))


routes = [Route("/openapi/v1/events/poll", _poll, methods=["GET"])]
