"""The process around the application: address, signals, what is printed, exit."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable

import uvicorn

from dataspoke.core.errors import ConfigError, DataSpokeError
from dataspoke.core.settings import Settings
from dataspoke.core.telemetry.listening import is_loopback, listen, url_of
from dataspoke.search_service.app import create_app
from dataspoke.search_service.gate import ANY_HOST
from dataspoke.search_service.runtime import Serving

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_GRACE_SECONDS = 3


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    allow_network: bool,
    announce: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT; returns after a clean stop.

    `announce` gets the lines for people: where it listens, and when it is ready. Raises
    ConfigError for a bad address, and what made the index or the model unusable.
    """
    if not allow_network and not is_loopback(host):
        raise ConfigError(
            f"Cannot listen on {host}: the service knows no users yet, so everyone who reaches "
            "this address could read the catalogue. Listen on 127.0.0.1, or accept that with "
            "--allow-unauthenticated-network."
        )
    listener = listen(host, port)
    url = url_of(listener)
    failures: list[DataSpokeError] = []

    def ready(serving: Serving) -> None:
        info = serving.index.info()
        announce(f"Ready: {url} ({info.points:,} entities, {info.engine} index)")

    def fatal(error: DataSpokeError) -> None:
        failures.append(error)
        server.should_exit = True

    app = create_app(
        settings,
        on_ready=ready,
        on_fatal=fatal,
        allowed_hosts=(ANY_HOST,) if allow_network else (*_LOOPBACK_NAMES, host),
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            server_header=False,
        )
    )

    def stop(signum: int, frame: object) -> None:
        server.should_exit = True

    # uvicorn raises the signal again when it has stopped: with these handlers the command then
    # returns, and ends with 0.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    announce(f"Listening on {url}; loading the model and the index.")
    with listener:
        server.run(sockets=[listener])
    if failures:
        raise failures[0]
