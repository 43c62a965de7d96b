"""`/healthz`, `/readyz` and `/metrics` of a process that serves nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from dataspoke.core.errors import ConfigError

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class HealthServer:
    """A small HTTP server on a daemon thread.

    `reasons` says why the process is not ready; an empty answer means it is. `/healthz` is
    200 as long as the process lives. Raises ConfigError when the port cannot be had.
    """

    def __init__(
        self,
        *,
        port: int,
        reasons: Callable[[], Sequence[str]],
        metrics: Callable[[], bytes],
        host: str = "127.0.0.1",
        option: str = "action.config.health_port",
    ) -> None:
        class Handler(_Handler):
            pass

        Handler.reasons = staticmethod(reasons)
        Handler.metrics = staticmethod(metrics)
        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as exc:
            raise ConfigError(
                f"Cannot listen on {host}:{port} for health checks: {exc.strerror or exc}. "
                f"Choose another port in {option}, or 0 for any free one."
            ) from exc
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="dataspoke-health", daemon=True
        )

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening. Safe to call more than once."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    reasons: Callable[[], Sequence[str]]
    metrics: Callable[[], bytes]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._json(HTTPStatus.OK, {"status": "ok"})
        elif path == "/readyz":
            found = list(self.reasons())
            if found:
                body = {"status": "blocked", "reasons": found}
                self._json(HTTPStatus.SERVICE_UNAVAILABLE, body)
            else:
                self._json(HTTPStatus.OK, {"status": "ok"})
        elif path == "/metrics":
            self._send(HTTPStatus.OK, METRICS_TYPE, self.metrics())
        else:
            self._json(HTTPStatus.NOT_FOUND, {"status": "not found"})

    def _json(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: probes come every few seconds."""
