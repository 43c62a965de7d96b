"""The search page: static files of this package, and what the page must know of the index."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response
from starlette.requests import Request

from dataspoke.core.index.model import VectorIndex
from dataspoke.search_service.access.view import Rights
from dataspoke.search_service.examples import example_questions

_WEB = Path(__file__).parent / "web"
_MEDIA_TYPES = {
    "app.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_SAMPLE = 200
_FRESH_SECONDS = 60.0
_MOST_KINDS = 1000


def page_router(
    index: Callable[[], VectorIndex | None], rights: Callable[[Request], Rights]
) -> APIRouter:
    """`/` and its files; `index` returns None while it is loaded, `rights` what a caller sees."""
    router = APIRouter(include_in_schema=False)
    examples = _Examples()

    @router.get("/")
    def page() -> FileResponse:
        return FileResponse(
            _WEB / "index.html",
            media_type="text/html; charset=utf-8",
            headers={"Cache-Control": "no-cache"},
        )

    @router.get("/web/page.json")
    def facts(request: Request) -> Response:
        opened = index()
        known: dict[str, Any] = {"ready": False, "examples": [], "entities": 0}
        if opened:
            known = examples.of(opened, rights(request))
        return Response(
            orjson.dumps(known),
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    @router.get("/web/{name}")
    def asset(name: str) -> FileResponse:
        if name not in _MEDIA_TYPES:
            raise HTTPException(404, f"There is no file {name!r} here.")
        return FileResponse(
            _WEB / name, media_type=_MEDIA_TYPES[name], headers={"Cache-Control": "no-cache"}
        )

    return router


class _Examples:
    """Kept for a minute for callers of equal rights: the start page must not read the index for
    every visitor."""

    def __init__(self) -> None:
        self._known: dict[Rights, tuple[float, dict[str, Any]]] = {}

    def of(self, index: VectorIndex, rights: Rights) -> dict[str, Any]:
        now = time.monotonic()
        until, known = self._known.get(rights, (0.0, {}))
        if now < until:
            return known
        shown = rights or ()
        sample = list(index.fetch(index.matching(shown, limit=_SAMPLE)).values())
        entities = index.count(shown)
        known = {"ready": True, "examples": example_questions(sample), "entities": entities}
        if len(self._known) >= _MOST_KINDS:
            self._known = {}
        self._known[rights] = (now + (_FRESH_SECONDS if entities else 1.0), known)
        return known
