"""`/runs`: what each ingestion run wrote, and taking it back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dataspoke.local_hub import rollback
from dataspoke.local_hub.errors import BadRequest, InvalidAspect
from dataspoke.local_hub.http import actor_of, answer, finish, hub_of, in_thread, number
from dataspoke.local_hub.hub import SYSTEM_ACTOR, Hub
from dataspoke.local_hub.system_metadata import NO_RUN

logger = logging.getLogger(__name__)

_MOST_SUMMARIES = 100
_RESULT = "dataHubExecutionRequestResult"


async def _list(request: Request, body: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    start = number(body.get("pageOffset"), "pageOffset", 0)
    count = number(body.get("pageSize"), "pageSize", 100)
    soft = body.get("includeSoft") is True
    return answer({"value": await in_thread(lambda: rollback.runs(hub.store, start, count, soft))})


async def _describe(request: Request, body: Mapping[str, Any]) -> Response:
    hub = hub_of(request)
    rows = await in_thread(
        lambda: rollback.describe(
            hub.store,
            _run_id(body),
            number(body.get("start"), "start", 0),
            number(body.get("count"), "count", 100),
            include_soft=body.get("includeSoft") is True,
        )
    )
    with_aspects = body.get("includeAspect") is True
    return answer(
        {
            "value": [
                row.summary() | ({"aspect": orjson.Fragment(row.value)} if with_aspects else {})
                for row in rows
            ]
        }
    )


async def _rollback(request: Request, body: Mapping[str, Any]) -> Response:
    """`safe` wins over the older `hardDelete`; without `dryRun` set to false nothing is done."""
    hub = hub_of(request)
    run = _run_id(body)
    if run == NO_RUN:
        raise BadRequest(
            f"{run} is a default run-id provided for non labeled ingestion runs. "
            "You cannot delete using this reserved run-id"
        )
    safe = body.get("safe")
    hard = safe is False if safe is not None else body.get("hardDelete") is True
    if body.get("dryRun") is not False:
        outcome = await in_thread(lambda: rollback.preview(hub.registry, hub.store, run, hard=hard))
    else:
        outcome = await finish(
            hub.delete(
                lambda tx, deletion: rollback.roll_back(
                    hub.registry, hub.store, tx, deletion, run, hard=hard
                ),
                actor_of(request),
            )
        )
        await _say_rolled_back(hub, run)
    return answer(
        {
            "value": {
                "aspectRowSummaries": [row.summary(run) for row in outcome.rows[:_MOST_SUMMARIES]],
                "entitiesAffected": outcome.entities_affected,
                "entitiesDeleted": outcome.entities_deleted,
                "aspectsAffected": sum(outcome.unsafe.values()),
                "aspectsReverted": outcome.aspects_reverted,
                "unsafeEntitiesCount": len(outcome.unsafe),
                "unsafeEntities": [{"urn": urn} for urn in outcome.unsafe],
            }
        }
    )


async def _say_rolled_back(hub: Hub, run: str) -> None:
    """A run that was started from the UI shows what became of it."""
    urn = f"urn:li:dataHubExecutionRequest:{run}"
    row = await in_thread(lambda: hub.store.aspect(urn, _RESULT))
    if row is not None:
        result = {**orjson.loads(row.value), "status": "ROLLED_BACK"}
        proposal = hub.proposals.build("dataHubExecutionRequest", urn, _RESULT, "UPSERT", result)
        try:
            await finish(hub.ingest([proposal], SYSTEM_ACTOR))
        except InvalidAspect as exc:  # some results are final; the rollback is done all the same
            logger.warning("The run %s is rolled back, but its result stays: %s", run, exc)


def _run_id(body: Mapping[str, Any]) -> str:
    run = body.get("runId")
    if not isinstance(run, str):
        raise BadRequest("Parameter runId is required and must be a string")
    return run


ACTIONS = {"list": _list, "describe": _describe, "rollback": _rollback}
