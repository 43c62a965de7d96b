"""`dataspoke index`: bring the search index in line with DataHub, or prove that it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Compare the search index with DataHub.", no_args_is_help=True)

EXIT_DIFFERENT = 3


@app.callback()
def _group() -> None:
    """Keep `reconcile` a named command."""


@app.command()
def reconcile(
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit with 0 if equal, 3 if different."),
    ] = False,
    max_removals: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Stop if a larger share of the index would be removed (and over 20 points).",
        ),
    ] = 0.3,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only this entity type, as `dataset`; repeatable."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew instead of resuming a stopped run.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option(help="Folder of our data; default: DATASPOKE_HOME.")
    ] = None,
) -> None:
    """Repair missing, orphaned and stale points, and wait until the index holds the result."""
    import os

    from dataspoke.core.errors import require
    from dataspoke.core.settings import Settings

    for module, extra in (("sqlalchemy", "actions"), ("numpy", "search")):
        require(module, extra=extra, purpose="reconcile the index")
    from dataspoke.actions.vector_sync import reconcile_cli

    equal = reconcile_cli.run(
        Settings.from_env(os.environ, home=home),
        check=check,
        max_removals=max_removals,
        types=tuple(types or ()),
        restart=restart,
    )
    if not equal:
        raise typer.Exit(EXIT_DIFFERENT)
