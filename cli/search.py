"""`dataspoke search`: the search service and its tools."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dataspoke.cli.import_bench.command import import_bench
from dataspoke.core.errors import require
from dataspoke.core.settings import Settings

app = typer.Typer(help="Search the catalogue by meaning and by words.", no_args_is_help=True)


app.command("import-bench")(import_bench)


@app.callback()
def search() -> None:
    """Search the catalogue by meaning and by words."""


@app.command("serve")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8010,
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the index and the database. Default: DATASPOKE_HOME, else ~/.dataspoke."
        ),
    ] = None,
    allow_unauthenticated_network: Annotated[
        bool,
        typer.Option(
            "--allow-unauthenticated-network",
            help="Listen beyond this machine although nobody is asked who they are: everyone who "
            "reaches the port can read every name, description and owner in the index.",
        ),
    ] = False,
) -> None:
    """Serve the search API and the search page until Ctrl-C or SIGTERM.

    The page answers at / and the API at /search/semantic?q=your+question.
    /healthz says that the process lives, /readyz is 200 once model and
    index are loaded, /metrics is for Prometheus.

    Without DATASPOKE_QDRANT_URL this process owns the index under the home
    folder, one service per folder, and applies what vector sync queues there.

    On this machine alone nobody is asked who they are. To listen beyond it, say
    whose tokens are good; DataHub's view policies then decide what each caller
    finds. docs/security.md explains every setting.

    \b
    Environment:
      DATASPOKE_HOME          folder of index and database
      DATASPOKE_DATABASE_URL  SQLAlchemy URL; default: SQLite in the home
      DATASPOKE_QDRANT_URL    a Qdrant server instead of the folder's index
      DATASPOKE_MODEL         embedding model, the same as vector sync's
      DATAHUB_FRONTEND_URL    DataHub for people: makes each result a link

    \b
    Who may call:
      DATASPOKE_DATAHUB_TOKENS      on: accept DataHub's personal access tokens
      DATASPOKE_OIDC_ISSUER         accept JWTs of this OpenID Connect provider
      DATASPOKE_OIDC_AUDIENCE       what they must be made for
      DATASPOKE_OIDC_ALGORITHMS     default: RS256,ES256
      DATASPOKE_OIDC_USER_CLAIM     default: preferred_username
      DATASPOKE_OIDC_GROUPS_CLAIM   default: groups
      DATASPOKE_OIDC_ROLES_CLAIM    default: roles
      DATASPOKE_OPERATORS           users, groups or roles that may read /metrics
      DATASPOKE_ADMINS              users, groups or roles that may do everything
      DATASPOKE_TOKEN_TTL           seconds a checked token is trusted; 30

    \b
    What callers see:
      DATASPOKE_VIEW_AUTHORIZATION  on, off or auto: by DataHub's view policies
      DATASPOKE_POLICY_FILE         a YAML file that decides in their place
      DATASPOKE_POLICIES_TTL        seconds until policies are read again; 30
      DATASPOKE_POLICIES_MAX_AGE    seconds they count when DataHub is away; 300

    \b
    Limits, caches, logs:
      DATASPOKE_RATE_LIMIT          per user; 600/minute where callers are known
      DATASPOKE_RATE_LIMIT_ADDRESS  per address; 1200/minute
      DATASPOKE_MAX_BODY            bytes of a request body; 262144
      DATASPOKE_CACHE_TTL           seconds that answers are kept; 0 keeps none
      DATASPOKE_REDIS_URL           count and keep there, not in this process
      DATASPOKE_TRUSTED_PROXIES     addresses whose X-Forwarded-For counts
      DATASPOKE_LOG_FORMAT          text or json
      DATASPOKE_AUDIT_LOG           file with one JSON line per request
      OTEL_EXPORTER_OTLP_ENDPOINT   where traces go; needs the extra otel

    \b
    Try:
      dataspoke search serve
      curl 'http://127.0.0.1:8010/search/semantic?q=customer+email'
    """
    for module in (
        "fastapi",
        "uvicorn",
        "prometheus_client",
        "numpy",
        "qdrant_edge",
        "jwt",
    ):
        require(module, extra="search", purpose="serve searches")
    from dataspoke.search_service.server import serve as run

    settings = Settings.from_env(os.environ, home=home)
    run(
        settings,
        host=host,
        port=port,
        allow_network=allow_unauthenticated_network,
        announce=typer.echo,
        environ=os.environ,
    )
