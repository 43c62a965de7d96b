"""The process around the application: address, signals, what is printed, exit."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping

import uvicorn

from dataspoke.core.errors import ConfigError, DataSpokeError
from dataspoke.core.settings import Settings
from dataspoke.core.telemetry.listening import is_loopback, listen, url_of
from dataspoke.search_service.access.service import open_access
from dataspoke.search_service.access.settings import AccessSettings
from dataspoke.search_service.app import create_app
from dataspoke.search_service.gate import ANY_HOST
from dataspoke.search_service.logs import set_up
from dataspoke.search_service.runtime import Serving
from dataspoke.search_service.traces import open_traces

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_GRACE_SECONDS = 3


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    allow_network: bool,
    announce: Callable[[str], None],
    environ: Mapping[str, str],
) -> None:
    """Serve until SIGTERM or SIGINT; returns after a clean stop.

    `announce` gets the lines for people: where it listens, and when it is ready. `environ` says
    who may call, and how logs and traces are written. Raises ConfigError for a bad address or
    setting, and what made the index or the model unusable.
    """
    given = AccessSettings.from_env(environ)
    if not (given.authenticates or allow_network or is_loopback(host)):
        raise ConfigError(
            f"Cannot listen on {host}: nobody is asked who they are, so everyone who reaches this "
            "address could read the catalogue. Set DATASPOKE_DATAHUB_TOKENS=on or "
            "DATASPOKE_OIDC_ISSUER, listen on 127.0.0.1, or accept it with "
            "--allow-unauthenticated-network."
        )
    access = open_access(given, settings)
    traces = open_traces(environ)
    set_up(json=given.json_logs, audit_log=given.audit_log)
    listener = listen(host, port)
    url = url_of(listener)
    failures: list[DataSpokeError] = []

    def ready(serving: Serving) -> None:
        info = serving.index.info()
        announce(f"Ready: {url} ({info.points:,} entities, {info.engine} index)")

    def fatal(error: DataSpokeError) -> None:
        failures.append(error)
        server.should_exit = True

    # Who brings a token of their own cannot be led here by a foreign page.
    local = not (allow_network or given.authenticates)
    app = create_app(
        settings,
        on_ready=ready,
        on_fatal=fatal,
        allowed_hosts=(*_LOOPBACK_NAMES, host) if local else (ANY_HOST,),
        access=access,
        traces=traces,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            server_header=False,
            proxy_headers=bool(given.trusted_proxies),
            forwarded_allow_ips=given.trusted_proxies or None,
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
