"""`dataspoke hub`: the local hub for trials, development and tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Run a DataHub-compatible hub for trials and tests.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `serve` a named command."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 8080,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of the data; default: `hub` under DATASPOKE_HOME."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="Ask every caller for this bearer token of the root user, or for one made here.",
            envvar="DATASPOKE_HUB_TOKEN",
        ),
    ] = None,
    allow_unauthenticated_network: Annotated[
        bool,
        typer.Option(help="Listen beyond this machine without a token: everyone may do all."),
    ] = False,
    models: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of custom models: .avsc files with the annotations that DataHub's have. "
            "May be repeated.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    schema_fields: Annotated[
        bool,
        typer.Option(
            help="Make an entity of each column, as DataHub does with this setting.",
            envvar="MCP_SIDE_EFFECTS_SCHEMA_FIELD_ENABLED",
        ),
    ] = False,
    kafka: Annotated[
        str | None, typer.Option(help="Also publish events to this Kafka, HOST:PORT.")
    ] = None,
    pg_queue: Annotated[
        str | None, typer.Option(help="Also publish events to the queue in this PostgreSQL.")
    ] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C. For trials and tests, never for production."""
    import os

    from dataspoke.core.errors import require
    from dataspoke.core.settings import Settings

    require("fastapi", extra="local", purpose="run the local hub")
    require("graphql", extra="local", purpose="run the local hub")
    from dataspoke.local_hub import server

    folder = home or Settings.from_env(os.environ).home / "hub"
    server.serve(
        folder.expanduser().absolute(),
        host=host,
        port=port,
        token=token,
        allow_network=allow_unauthenticated_network,
        models=models or (),
        schema_fields=schema_fields,
        kafka=kafka,
        pg_queue=pg_queue,
    )
