"""GraphQL, at the path of GMS and at those of the frontend."""

from __future__ import annotations

from typing import cast

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub.discovery import Discovery
from dataspoke.local_hub.http import actor_of, answer, in_thread
from dataspoke.local_hub.proposals import read_json


async def _graphql(request: Request) -> Response:
    body = read_json(await request.body())
    graphql = cast(Discovery, request.app.state.discovery).graphql
    actor = actor_of(request)
    return answer(await in_thread(lambda: graphql.run(body, actor)))


routes = [
    Route("/api/graphql", _graphql, methods=["POST"]),
    # The front end compresses what it passes on, however little it is.
    Route(
        "/api/v2/graphql",
        _graphql,
        methods=["POST"],
        middleware=[Middleware(GZipMiddleware, minimum_size=0)],
    ),
]
