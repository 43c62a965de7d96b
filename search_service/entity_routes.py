"""`/entities/{urn}`: what the index knows of one entity, with columns and lineage neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import Response

from dataspoke.core.index.model import Payload
from dataspoke.search_service import schemas
from dataspoke.search_service.neighbours import Surroundings
from dataspoke.search_service.results import entity

Find = Callable[[str], tuple[Payload, Surroundings] | None]

_LONGEST_URN = 2_000
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": schemas.Problem, "description": "No such entity in the index."},
    422: {"model": schemas.Problem, "description": "The request has not the right form."},
    503: {"model": schemas.Problem, "description": "The index is not loaded, or away."},
}


def entity_router(find: Find, frontend_url: str | None) -> APIRouter:
    """`find` answers None for what is not there; it raises RetriableError while loading."""
    router = APIRouter()

    @router.get(
        "/entities/{urn:path}",
        response_model=schemas.Entity,
        responses=_PROBLEMS,
        summary="One entity with its columns and neighbours",
        operation_id="entity",
    )
    def one(
        urn: Annotated[
            str,
            Path(max_length=_LONGEST_URN, description="The percent-encoded urn, `%2F` included."),
        ],
    ) -> Response:
        found = find(urn)
        if found is None:
            raise HTTPException(404, f"Cannot find {urn}: the index has no such entity.")
        body = entity(*found, frontend_url)
        return Response(orjson.dumps(body), media_type="application/json")

    return router
