from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from airline_catalogue import settings_in, table, upsert
from search_support import wait_for

from dataspoke.core.index.embedder import load_embedder
from dataspoke.core.index.outbox import OutboxIndex
from dataspoke.core.index.spec import spec_for
from dataspoke.core.store.database import Database

SERVE = (sys.executable, "-m", "dataspoke.cli.main", "search", "serve")


class SearchProcess:
    """`dataspoke search serve` on a free port of this machine."""

    def __init__(self, home: Path, *options: str, **environ: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATASPOKE_", "DATAHUB_"))}
        self._process = subprocess.Popen(
            [*SERVE, "--port", "0", "--home", str(home), *options],
            env={
                **kept,
                "HOME": str(home),
                "DATAHUB_TELEMETRY_ENABLED": "false",
                "DATASPOKE_MODEL": "hash",
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip())

    @property
    def url(self) -> str:
        listening = wait_for(lambda: [line for line in self.lines if "Listening" in line])
        found = re.search(r"http://\S+?:\d+", listening[0])
        assert found
        return found[0]

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urlopen(self.url + path, timeout=10) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    def wait_until_ready(self) -> None:
        wait_for(lambda: [line for line in self.lines if line.startswith("Ready: http")])

    def wait_for_entities(self, count: int) -> None:
        wait_for(lambda: self.get("/readyz")[1]["details"]["index"]["entities"] == count)

    def signal(self, signum: int) -> None:
        self._process.send_signal(signum)

    def end(self, *, timeout: float = 30) -> tuple[int, str]:
        """Exit code and stderr, once it has ended by itself."""
        code = self._process.wait(timeout)
        self._reader.join(5)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdout.close()
        with self._process.stderr as errors:
            return code, errors.read()

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self.end()


Serve = Callable[..., SearchProcess]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[SearchProcess] = []

    def start(*options: str, **environ: str) -> SearchProcess:
        started.append(SearchProcess(tmp_path, *options, **environ))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def write(home: Path, count: int, *, first: int = 0) -> None:
    """Queue `count` tables as another process would."""
    embedder = load_embedder("hash")
    database = Database.open(settings_in(home).database_url)
    ops = [upsert(table(f"t{i}"), embedder) for i in range(first, first + count)]
    OutboxIndex(database, spec_for(embedder)).apply(ops)
    database.close()


def test_serve_says_where_it_listens_and_when_it_is_ready_and_stops_on_sigterm(
    serve: Serve,
) -> None:
    process = serve()
    process.wait_until_ready()
    assert process.get("/healthz") == (200, {"status": "ok"})
    assert process.get("/readyz")[0] == 200
    assert process.get("/search/semantic?q=flights")[1]["total"] == 0
    process.signal(signal.SIGTERM)
    assert process.end(timeout=15) == (0, "")


@pytest.mark.slow
def test_nothing_is_lost_when_the_owner_is_killed(serve: Serve, tmp_path: Path) -> None:
    serve().kill()
    write(tmp_path, 2000)
    process = serve()
    process.wait_until_ready()
    write(tmp_path, 500, first=2000)
    process.signal(signal.SIGKILL)
    assert process.end()[0] == -signal.SIGKILL
    write(tmp_path, 10, first=2500)

    restarted = serve()
    restarted.wait_until_ready()
    restarted.wait_for_entities(2510)
    wait_for(lambda: restarted.get("/readyz")[1]["details"]["outbox"]["rows"] == 0)


@pytest.mark.slow
def test_a_second_service_on_the_folder_is_refused_and_harms_nothing(
    serve: Serve, tmp_path: Path
) -> None:
    first = serve()
    first.wait_until_ready()
    code, errors = serve().end()
    assert code == 1
    assert re.fullmatch(r"Error: Cannot [^\n]+\n", errors), errors
    write(tmp_path, 20)
    first.wait_for_entities(20)


def test_a_damaged_index_ends_with_one_sentence(serve: Serve, tmp_path: Path) -> None:
    first = serve()
    first.wait_until_ready()
    first.signal(signal.SIGTERM)
    assert first.end()[0] == 0
    for meta in (tmp_path / "index").glob("*/meta.json"):
        meta.write_bytes(b"\0not json")
    code, errors = serve().end()
    assert code == 1
    assert re.fullmatch(r"Error: Cannot [^\n]+\n", errors), errors


def test_a_model_that_is_not_there_ends_with_one_sentence(serve: Serve, tmp_path: Path) -> None:
    code, errors = serve(DATASPOKE_MODEL=str(tmp_path / "no" / "model")).end()
    assert code == 1
    assert re.fullmatch(r"Error: Cannot [^\n]+\n", errors), errors


def test_a_busy_port_is_said_in_one_sentence(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        code, errors = serve("--port", str(port)).end()
    assert code == 1
    assert errors == (
        f"Error: Cannot listen on 127.0.0.1:{port}: another process uses this port. "
        "Give another --port, or --port 0 for a free one.\n"
    )


def test_it_does_not_listen_beyond_this_machine_unless_told_so(serve: Serve) -> None:
    code, errors = serve("--host", "0.0.0.0").end()
    assert code == 1
    assert "--allow-unauthenticated-network" in errors


def test_help_teaches(tmp_path: Path) -> None:
    shown = subprocess.run(
        [*SERVE, "--help"],
        env={**os.environ, "COLUMNS": "100", "HOME": str(tmp_path), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for word in ("--host", "--port", "--home", "/readyz", "DATASPOKE_QDRANT_URL", "curl"):
        assert word in shown
