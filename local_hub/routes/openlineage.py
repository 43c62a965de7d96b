"""OpenLineage events, one by one or in batches."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub.errors import BadRequest, HubError
from dataspoke.local_hub.http import actor_of, answer, finish, hub_of, trace_of
from dataspoke.local_hub.openlineage import changes_of
from dataspoke.local_hub.proposals import read_json

_MOST_EVENTS = 100


async def _post(request: Request) -> Response:
    """One event; it is written whole or not at all."""
    await _write(request, read_json(await request.body()))
    return Response(status_code=201, headers=trace_of(request).headers)


async def _post_batch(request: Request) -> Response:
    """A list of events; those that cannot be read are told by their index, the others written."""
    events = read_json(await request.body())
    if not isinstance(events, list) or len(events) > _MOST_EVENTS:
        raise BadRequest(
            f"Cannot parse the request: expected a list of up to {_MOST_EVENTS} events"
        )
    failed = []
    for index, event in enumerate(events):
        try:
            await _write(request, event)
        except HubError as exc:
            failed.append({"index": index, "reason": str(exc), "retriable": exc.status >= 500})
    retriable = sum(one["retriable"] is True for one in failed)
    done = len(events) - len(failed)
    summary = {
        "received": len(events),
        "successful": done,
        "failed": len(failed),
        "retriable": retriable,
        "non_retriable": len(failed) - retriable,
    }
    status = "partial_success" if failed and done else "failure" if failed else "success"
    return answer({"status": status, "summary": summary, "failed_events": failed})


async def _write(request: Request, event: Any) -> None:
    hub = hub_of(request)
    proposals = [
        hub.proposals.build(
            hub.registry.entity_of(change.urn).name,
            change.urn,
            change.aspect,
            change.change,
            change.value,
        )
        for change in changes_of(event, actor_of(request))
    ]
    await finish(hub.ingest(proposals, actor_of(request), trace=trace_of(request)))


routes = [
    Route("/openapi/openlineage/api/v1/lineage", _post, methods=["POST"]),
    Route("/openapi/openlineage/api/v1/lineage/batch", _post_batch, methods=["POST"]),
]
