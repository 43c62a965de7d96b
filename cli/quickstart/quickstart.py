"""The command `dataspoke quickstart`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def quickstart(
    once: Annotated[
        bool, typer.Option("--once", help="Stop everything at the end and exit.")
    ] = False,
    home: Annotated[
        Path | None,
        typer.Option(help="Where data and logs live. Default: `quickstart` under DATASPOKE_HOME."),
    ] = None,
    hub_port: Annotated[
        int, typer.Option(help="Port of the hub; a free one if it is busy.")
    ] = 8080,
    search_port: Annotated[
        int, typer.Option(help="Port of the search page; a free one if it is busy.")
    ] = 8010,
    reset: Annotated[
        bool, typer.Option("--reset", help="Throw away the data of earlier runs first.")
    ] = False,
) -> None:
    """Start a book shop's warehouse, a hub, ingestion, the action and search on this machine."""
