"""`dataspoke index`: bring the search index in line with DataHub, or prove that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import TaskID

    from dataspoke.actions.vector_sync.check import Differences
    from dataspoke.core.settings import Settings

app = typer.Typer(help="Compare the search index with DataHub.", no_args_is_help=True)

EXIT_DIFFERENT = 3
_SAMPLES = 10


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

    for module, extra in (("prometheus_client", "actions"), ("numpy", "search")):
        require(module, extra=extra, purpose="reconcile the index")
    settings = Settings.from_env(os.environ, home=home)
    if check:
        _check(settings, types or [])
    else:
        _repair(settings, max_removals=max_removals, types=types or [], restart=restart)


def _repair(settings: Settings, *, max_removals: float, types: list[str], restart: bool) -> None:
    from dataspoke.actions.vector_sync import reconcile_run

    with _Face() as face:
        summary, dead = reconcile_run.repair(
            settings, max_removals=max_removals, types=types, restart=restart, progress=face
        )
    typer.echo(
        f"The index agrees with DataHub: {summary.listed} entities compared, "
        f"{summary.orphans} orphans of {summary.points} points looked after."
    )
    if dead:
        typer.echo(f"{dead} dead letters wait for a look: run `dataspoke work list`.", err=True)


def _check(settings: Settings, types: list[str]) -> None:
    from dataspoke.actions.vector_sync import reconcile_run

    with _Face() as face:
        found = reconcile_run.prove(settings, types=types, progress=face)
    _print_differences(found)
    if not found.equal:
        raise typer.Exit(EXIT_DIFFERENT)


def _print_differences(found: Differences) -> None:
    typer.echo(
        f"{found.compared} entities compared: {len(found.missing)} missing, "
        f"{len(found.stale)} stale, {len(found.orphaned)} orphaned, "
        f"{len(found.unreadable)} unreadable."
    )
    kinds = (
        ("missing", found.missing),
        ("stale", found.stale),
        ("orphaned", found.orphaned),
        ("unreadable", [f"{urn}  {reason}" for urn, reason in found.unreadable.items()]),
    )
    for kind, urns in kinds:
        for urn in urns[:_SAMPLES]:
            typer.echo(f"  {kind}: {urn}")
        if len(urns) > _SAMPLES:
            typer.echo(f"  {kind}: … and {len(urns) - _SAMPLES} more")
    if found.equal:
        typer.echo("The index agrees with DataHub.")
    else:
        typer.echo("The index differs from DataHub. Run `dataspoke index reconcile`.")


class _Face:
    """Progress for a person: a bar on a terminal, otherwise a line per phase and step."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._title = ""
        self._total: int | None = None
        self._said = 0

    def __enter__(self) -> _Face:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def phase(self, title: str, total: int | None) -> None:
        self._title, self._total, self._said = title, total, 0
        self._task = self._bar.add_task(title, total=total)
        if not self._console.is_terminal:
            typer.echo(f"{title}{'' if total is None else f': {total}'}", err=True)

    def at(self, done: int) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=done)
        if not self._console.is_terminal and done - self._said >= self._step():
            self._said = done
            of = "" if self._total is None else f" of {self._total}"
            typer.echo(f"{self._title}: {done}{of}", err=True)

    def _step(self) -> int:
        return max(1000, (self._total or 0) // 10)
