"""`/entities/{urn}`: what the index knows of one entity, with columns and lineage neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Path
from fastapi.responses import Response
from starlette.requests import Request

from dataspoke.core.index.model import Payload
from dataspoke.search_service import schemas
from dataspoke.search_service.access.caller import NotFoundError
from dataspoke.search_service.access.view import Rights
from dataspoke.search_service.errors import SEARCH_PROBLEMS, documented
from dataspoke.search_service.neighbours import Surroundings
from dataspoke.search_service.results import entity

Find = Callable[[str, Rights], tuple[Payload, Surroundings] | None]

_LONGEST_URN = 2_000
_PROBLEMS = SEARCH_PROBLEMS | documented((404, "No such entity in the index, or not for you."))


def entity_router(
    find: Find, rights: Callable[[Request], Rights], frontend_url: str | None
) -> APIRouter:
    """`find` answers None for what is not there, or not under the caller's `rights`; it raises
    RetriableError while loading."""
    router = APIRouter()

    @router.get(
        "/entities/{urn:path}",
        response_model=schemas.Entity,
        responses=_PROBLEMS,
        summary="One entity with its columns and neighbours",
        operation_id="entity",
    )
    def one(
        request: Request,
        urn: Annotated[
            str,
            Path(max_length=_LONGEST_URN, description="The percent-encoded urn, `%2F` included."),
        ],
    ) -> Response:
        found = find(urn, rights(request))
        if found is None:
            raise NotFoundError(f"Cannot find {urn}: the index has no such entity.")
        body = entity(*found, frontend_url)
        return Response(orjson.dumps(body), media_type="application/json")

    return router
