"""The `dataspoke` command. Each group of commands lives in a module of its own.

Command modules import plugins inside their functions: `--help` must work, and answer at once,
where an extra is not installed.
"""

from __future__ import annotations

import sys

import typer

from dataspoke.cli import check, conformance, hub, index, model, quickstart, search, work
from dataspoke.core.errors import DataSpokeError

app = typer.Typer(
    name="dataspoke",
    help="Semantic search, data quality and metadata health for open-source DataHub.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(conformance.app, name="conformance")
app.add_typer(hub.app, name="hub")
app.add_typer(index.app, name="index")
app.add_typer(model.app, name="model")
app.add_typer(search.app, name="search")
app.add_typer(work.app, name="work")
app.command("check")(check.check)
app.command("quickstart")(quickstart.quickstart)
app.command("worker")(work.worker)


def main() -> None:
    """Run the command; an error of ours is one sentence on stderr and exit code 1."""
    try:
        app()
    except DataSpokeError as exc:
        typer.echo(f"Error: {exc}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
