"""A stand-in for a Qdrant server: the part of its REST API that we use, over qdrant-client's
local mode, in a process of its own that can be killed and started again on the same folder.

No real server can run where these tests run. The local mode is the Qdrant team's own and is kept
congruent with the server by their tests; what it does not show (timing, concurrency, clusters)
these tests do not claim.

    python tests/support/qdrant_rest.py FOLDER PORT [API_KEY]
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection, socket
from types import TracebackType
from typing import Any

from pydantic import BaseModel, TypeAdapter
from qdrant_client import QdrantClient, models

VERSION = "1.20.0"


class QdrantProcess:
    """`with QdrantProcess(folder) as server: server.url`; `kill` and `start` make an outage."""

    def __init__(self, folder: Path, *, api_key: str | None = None, version: str = VERSION) -> None:
        self._folder = folder
        self._options = [api_key or "", version]
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        command = [sys.executable, __file__, str(self._folder), str(self._port), *self._options]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + 60
        while True:
            try:
                create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the stand-in for Qdrant did not start") from None
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> QdrantProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _updates(client: QdrantClient, name: str, body: Any) -> Any:
    operations = TypeAdapter(list[models.UpdateOperation]).validate_python(body["operations"])
    return client.batch_update_points(name, operations)


def _collection(client: QdrantClient, name: str, body: Any) -> Any:
    config = models.CreateCollection.model_validate(body)
    return client.create_collection(
        name,
        vectors_config=config.vectors,
        sparse_vectors_config=config.sparse_vectors,
    )


def _retrieve(client: QdrantClient, name: str, body: Any) -> Any:
    return client.retrieve(name, body["ids"], with_payload=body.get("with_payload", True))


def _scroll(client: QdrantClient, name: str, body: Any) -> Any:
    request = models.ScrollRequest.model_validate(body)
    points, after = client.scroll(
        name,
        scroll_filter=request.filter,
        limit=request.limit or 10,
        offset=request.offset,
        with_payload=request.with_payload,
    )
    return {"points": points, "next_page_offset": after}


def _count(client: QdrantClient, name: str, body: Any) -> Any:
    return client.count(name, count_filter=models.CountRequest.model_validate(body).filter)


def _delete(client: QdrantClient, name: str, body: Any) -> Any:
    return client.delete(name, models.FilterSelector.model_validate(body))


def _query(client: QdrantClient, name: str, body: Any) -> Any:
    requests = TypeAdapter(list[models.QueryRequest]).validate_python(body["searches"])
    return client.query_batch_points(name, requests)


def _aliases(client: QdrantClient, name: str, body: Any) -> Any:
    actions = TypeAdapter(list[models.AliasOperations]).validate_python(body["actions"])
    return client.update_collection_aliases(actions)


Answer = Callable[[QdrantClient, str, Any], Any]
ROUTES: list[tuple[str, str, Answer]] = [
    ("GET", r"/aliases", lambda client, name, body: client.get_aliases()),
    ("POST", r"/collections/aliases", _aliases),
    (
        "GET",
        r"/collections/([^/]+)/exists",
        lambda client, name, body: {"exists": client.collection_exists(name)},
    ),
    ("GET", r"/collections/([^/]+)", lambda client, name, body: client.get_collection(name)),
    ("PUT", r"/collections/([^/]+)", _collection),
    ("DELETE", r"/collections/([^/]+)", lambda client, name, body: client.delete_collection(name)),
    # The local mode has no payload indexes: it looks at every point.
    ("PUT", r"/collections/([^/]+)/index", lambda client, name, body: _done()),
    ("POST", r"/collections/([^/]+)/points", _retrieve),
    ("POST", r"/collections/([^/]+)/points/batch", _updates),
    ("POST", r"/collections/([^/]+)/points/scroll", _scroll),
    ("POST", r"/collections/([^/]+)/points/count", _count),
    ("POST", r"/collections/([^/]+)/points/delete", _delete),
    ("POST", r"/collections/([^/]+)/points/query/batch", _query),
]


def _done() -> models.UpdateResult:
    return models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


def _handler(client: QdrantClient, api_key: str, version: str) -> type[BaseHTTPRequestHandler]:
    one_at_a_time = threading.Lock()  # the local mode damages itself under threads

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"null")
            path = self.path.partition("?")[0]
            if api_key and self.headers["api-key"] != api_key:
                return self._send(401, {"status": {"error": "Must provide an API key"}})
            if path == "/":
                return self._send(200, {"title": "qdrant", "version": version})
            for method, pattern, answer in ROUTES:
                match = re.fullmatch(pattern, path)
                if match and method == self.command:
                    return self._answer(answer, match.group(1) if match.groups() else "", body)
            return self._send(404, {"status": {"error": f"no route {self.command} {path}"}})

        def _answer(self, answer: Answer, name: str, body: Any) -> None:
            try:
                with one_at_a_time:
                    result = _plain(answer(client, name, body))
            except Exception as exc:  # as the server: the reason in the body
                status = 404 if "not found" in str(exc) else 400
                return self._send(status, {"status": {"error": str(exc)}})
            return self._send(200, {"time": 0.0, "status": "ok", "result": result})

        def _send(self, status: int, answer: Any) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


def main(folder: str, port: str, api_key: str, version: str) -> None:
    warnings.simplefilter("ignore")
    client = QdrantClient(path=folder, force_disable_check_same_thread=True)
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), _handler(client, api_key, version))
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
