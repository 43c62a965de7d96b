"""The search page: static files of this package, and what the page must know of the index."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response

from dataspoke.core.index.model import VectorIndex
from dataspoke.search_service.examples import example_questions

_WEB = Path(__file__).parent / "web"
_MEDIA_TYPES = {
    "app.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_SAMPLE = 200
_FRESH_SECONDS = 60.0


def page_router(index: Callable[[], VectorIndex | None]) -> APIRouter:
    """`/` and its files; `index` returns None while it is loaded."""
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
    def facts() -> Response:
        opened = index()
        known = examples.of(opened) if opened else {"ready": False, "examples": [], "entities": 0}
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
    """Kept for a minute: the start page must not read the index for every visitor."""

    def __init__(self) -> None:
        self._until = 0.0
        self._known: dict[str, Any] = {}

    def of(self, index: VectorIndex) -> dict[str, Any]:
        now = time.monotonic()
        if now >= self._until:
            sample = list(index.fetch(index.matching([], limit=_SAMPLE)).values())
            entities = index.count([])
            self._known = {
                "ready": True,
                "examples": example_questions(sample),
                "entities": entities,
            }
            self._until = now + (_FRESH_SECONDS if entities else 1.0)
        return self._known
