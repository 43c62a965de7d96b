"""Whether the process lives and is ready, and its figures."""

from __future__ import annotations

import orjson
from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from dataspoke.core.errors import DataSpokeError
from dataspoke.search_service import schemas
from dataspoke.search_service.access.caller import Level
from dataspoke.search_service.errors import CALLER_PROBLEMS, demand
from dataspoke.search_service.metrics import Metrics
from dataspoke.search_service.runtime import SearchRuntime


def add_health(app: FastAPI, runtime: SearchRuntime, metrics: Metrics) -> None:
    """`/healthz`, `/readyz` and `/metrics`."""

    @app.get("/healthz", response_model=schemas.Health, summary="The process lives")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz",
        response_model=schemas.Ready,
        responses={503: {"model": schemas.Ready, "description": "Not ready, with the reason."}},
        summary="Model and index are loaded",
    )
    def readyz(request: Request) -> Response:
        caller = request.state.caller
        reason: str | None = None
        details: dict[str, object] = {}
        try:
            details = runtime.details()
        except DataSpokeError as exc:
            reason = str(exc)
        if runtime.serving is None:
            reason = runtime.reason
        body = {"status": "not ready" if reason else "ready", "reason": reason, "details": details}
        if caller is None or caller.level < Level.OPERATOR:
            # How much there is, and where, is for those who run the service.
            body |= {"reason": "The log says why." if reason else None, "details": {}}
        return Response(
            orjson.dumps(body),
            status_code=503 if reason else 200,
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    @app.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}, **CALLER_PROBLEMS},
        summary="Metrics for Prometheus",
    )
    def prometheus(request: Request) -> Response:
        demand(request, Level.OPERATOR)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
