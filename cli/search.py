"""`dataspoke search`: the search service and its tools."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dataspoke.core.errors import require
from dataspoke.core.settings import Settings

app = typer.Typer(help="Search the catalogue by meaning and by words.", no_args_is_help=True)


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
            help="Listen beyond this machine although the service knows no users: everyone who "
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

    \b
    Environment:
      DATASPOKE_HOME          folder of index and database
      DATASPOKE_DATABASE_URL  SQLAlchemy URL; default: SQLite in the home
      DATASPOKE_QDRANT_URL    a Qdrant server instead of the folder's index
      DATASPOKE_MODEL         embedding model, the same as vector sync's
      DATAHUB_FRONTEND_URL    DataHub for people: makes each result a link

    \b
    Try:
      dataspoke search serve
      curl 'http://127.0.0.1:8010/search/semantic?q=customer+email'
    """
    for module in ("fastapi", "uvicorn", "prometheus_client", "numpy", "qdrant_edge"):
        require(module, extra="search", purpose="serve searches")
    from dataspoke.search_service.server import serve as run

    settings = Settings.from_env(os.environ, home=home)
    run(
        settings,
        host=host,
        port=port,
        allow_network=allow_unauthenticated_network,
        announce=typer.echo,
    )
