"""GraphQL, at the path of GMS and at those of the frontend."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dataspoke.local_hub.discovery import Discovery
from dataspoke.local_hub.http import answer, in_thread
from dataspoke.local_hub.proposals import read_json


async def _graphql(request: Request) -> Response:
    body = read_json(await request.body())
    graphql = cast(Discovery, request.app.state.discovery).graphql
    return answer(await in_thread(lambda: graphql.run(body)))


routes = [Route(path, _graphql, methods=["POST"]) for path in ("/api/graphql", "/api/v2/graphql")]
