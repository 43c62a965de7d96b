"""Runs the hub as a process."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from dataspoke.core.errors import ConfigError
from dataspoke.core.telemetry.listening import is_loopback, listen, url_of
from dataspoke.local_hub.app import create_app

# Clients pause longer than uvicorn's five seconds between two calls, and a connection that is
# closed under them costs them the next call.
_KEEP_ALIVE_SECONDS = 75


class _Server(uvicorn.Server):
    """Ends waiting polls before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.news.close()
        await super().shutdown(sockets)


def serve(
    home: Path,
    *,
    host: str,
    port: int,
    token: str | None,
    allow_network: bool,
    models: Sequence[Path] = (),
    kafka: str | None = None,
    pg_queue: str | None = None,
    schema_fields: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigError when the address cannot be used.

    Beyond this machine it listens with a `token` only, or when `allow_network` accepts that
    everyone who reaches it may do everything.
    """
    if token is None and not allow_network and not is_loopback(host):
        raise ConfigError(
            f"Cannot listen on {host}: without a token, everyone who reaches this address could "
            "read and change everything. Give a --token, listen on 127.0.0.1, or accept that with "
            "--allow-unauthenticated-network."
        )
    listener = listen(host, port)
    try:
        app = create_app(
            home,
            token=token,
            models=models,
            kafka=kafka,
            pg_queue=pg_queue,
            schema_fields=schema_fields,
        )
        # The models are some hundred thousand objects that live as long as the process: without
        # this, writes wait again and again for the collector to look through all of them.
        gc.collect()
        gc.freeze()
        # One thread reads requests while another writes: with the default of five milliseconds
        # the writer waits for the reader after each statement.
        sys.setswitchinterval(0.0005)
        sys.stdout.write(
            f"Data Spoke local hub on {url_of(listener)} (data in {home}).\n"
            "It is for trials, development and tests; never for production.\n"
        )
        sys.stdout.flush()
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=5,
        )
        _Server(config, app).run(sockets=[listener])
    finally:
        listener.close()
