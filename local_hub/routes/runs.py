"""`/runs`: what each ingestion run wrote, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from dataspoke.local_hub import rollback
from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.http import answer, finish, in_thread, number
from dataspoke.local_hub.hub import Hub

_MOST_SUMMARIES = 10_000


async def _list(hub: Hub, body: Mapping[str, Any]) -> Response:
    start = number(body.get("pageOffset"), "pageOffset", 0)
    count = number(body.get("pageSize"), "pageSize", 100)
    soft = body.get("includeSoft") is True
    return answer({"value": await in_thread(lambda: rollback.runs(hub.store, start, count, soft))})


async def _describe(hub: Hub, body: Mapping[str, Any]) -> Response:
    rows = await in_thread(
        lambda: rollback.describe(
            hub.store,
            _run_id(body),
            number(body.get("start"), "start", 0),
            number(body.get("count"), "count", 100),
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


async def _rollback(hub: Hub, body: Mapping[str, Any]) -> Response:
    run = _run_id(body)
    hard = body.get("hardDelete") is True or body.get("safe") is False
    if body.get("dryRun") is not False:
        outcome = await in_thread(lambda: rollback.preview(hub.registry, hub.store, run))
    else:
        outcome = await finish(
            hub.delete(
                lambda tx, deletion: rollback.roll_back(
                    hub.registry, hub.store, tx, deletion, run, hard=hard
                )
            )
        )
    return answer(
        {
            "value": {
                "aspectRowSummaries": [row.summary(run) for row in outcome.rows[:_MOST_SUMMARIES]],
                "entitiesAffected": outcome.entities_affected,
                "entitiesDeleted": outcome.entities_deleted,
                "aspectsAffected": len(outcome.rows),
                "aspectsReverted": outcome.aspects_reverted,
                "unsafeEntitiesCount": 0,
                "unsafeEntities": [],
            }
        }
    )


def _run_id(body: Mapping[str, Any]) -> str:
    run = body.get("runId")
    if not isinstance(run, str):
        raise BadRequest("Parameter runId is required and must be a string")
    return run


ACTIONS = {"list": _list, "describe": _describe, "rollback": _rollback}
