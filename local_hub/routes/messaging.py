"""How far the consumers of the topics are: the hub follows its own log before it answers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub.errors import NotFound
from dataspoke.local_hub.http import answer, hub_of, path_text
from dataspoke.local_hub.mcl import TIMESERIES_TOPIC, VERSIONED_TOPIC

_PROPOSALS = "MetadataChangeProposal_v1"
_LOG_CONSUMER = "generic-mae-consumer-job-client"
# By the name in the path: consumer group and topic.
_CONSUMERS = {
    "mcp": ("generic-mce-consumer-job-client", _PROPOSALS),
    "mcl": (_LOG_CONSUMER, VERSIONED_TOPIC),
    "mcl-timeseries": (_LOG_CONSUMER, TIMESERIES_TOPIC),
    "usage-events": ("datahub-usage-event-consumer-job-client", "DataHubUsageEvent_v1"),
}
_NO_LAG = dict.fromkeys(("maxLag", "medianLag", "totalLag", "avgLag"), 0)


async def _transport(_: Request) -> Response:
    return answer(
        {
            "transport": "kafka",
            "metadataChangeProposalTopic": _PROPOSALS,
            "metadataChangeLogVersionedTopic": VERSIONED_TOPIC,
            "metadataChangeLogTimeseriesTopic": TIMESERIES_TOPIC,
        }
    )


async def _lag(request: Request) -> Response:
    return answer({"transport": "kafka", "consumerGroups": _groups(request)})


async def _kafka_offsets(request: Request) -> Response:
    return answer(_groups(request))


def _groups(request: Request) -> dict[str, Any]:
    """Offset and lag of the one partition of a topic, by consumer group."""
    name = path_text(request, "queue")
    if name not in _CONSUMERS:
        raise NotFound(f"There are no consumers called {name}")
    group, topic = _CONSUMERS[name]
    offset = hub_of(request).store.last_offset()
    partition = {"offset": offset, "metadata": "", "lag": 0}
    return {group: {topic: {"partitions": {"0": partition}, "metrics": _NO_LAG}}}


routes = [
    Route("/openapi/operations/messaging/transport", _transport, methods=["GET"]),
    Route("/openapi/operations/messaging/{queue}/consumer/lag", _lag, methods=["GET"]),
    Route("/openapi/operations/kafka/{queue}/consumer/offsets", _kafka_offsets, methods=["GET"]),
]
