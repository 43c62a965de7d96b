"""`dataspoke work`: what waits and what failed; `dataspoke worker`: do the work here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataspoke.core.errors import ConfigError

if TYPE_CHECKING:
    from dataspoke.core.settings import Settings
    from dataspoke.core.work.model import DeadLetter
    from dataspoke.core.work.table import SqlWorkTable

app = typer.Typer(help="Look at open work and dead letters.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="Folder of our data; default: DATASPOKE_HOME.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Ids = Annotated[list[int] | None, typer.Argument(help="Numbers as `dataspoke work list` shows.")]
All = Annotated[bool, typer.Option("--all", help="All dead letters.")]


@app.command("list")
def list_rows(
    home: Home = None,
    as_json: AsJson = False,
    open_rows: Annotated[
        bool, typer.Option("--open", help="Open rows instead of dead letters.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 100,
) -> None:
    """List dead letters with their reasons, or open rows."""
    table = _table(home)
    if open_rows:
        rows = [
            {
                "kind": claim.work.kind,
                "key": claim.work.key,
                "point": claim.work.point,
                "priority": int(claim.work.priority),
                "attempts": claim.attempts,
                "waiting since": _time(claim.enqueued_at),
                "not before": _time(claim.work.not_before),
            }
            for claim in table.list_open(limit=limit)
        ]
        _show(rows, title="Open work", as_json=as_json)
        return
    found = table.dead_letters(limit=limit)
    if not as_json and found:
        for letter in found:
            _print_letter(letter)
        return
    letters: list[dict[str, object]] = [
        {
            "id": letter.id,
            "kind": letter.kind,
            "key": letter.key,
            "attempts": letter.attempts,
            "failed at": _time(letter.failed_at),
            "error": letter.error_type,
            "reason": letter.reason,
        }
        for letter in found
    ]
    _show(letters, title="Dead letters", as_json=as_json)


@app.command()
def status(home: Home = None, as_json: AsJson = False) -> None:
    """Count open rows and dead letters, and say how old the oldest row is."""
    now = _now()
    stats = _table(home).stats(now=now)
    oldest = stats.oldest_ready_at
    row = {
        "ready": stats.ready,
        "delayed": stats.delayed,
        "leased": stats.leased,
        "dead": stats.dead,
        "oldest_seconds": 0.0 if oldest is None else max(0, now - oldest) / 1000,
    }
    _show([row], title="Work", as_json=as_json, single=True)


@app.command()
def retry(ids: Ids = None, every: All = False, home: Home = None) -> None:
    """Put dead letters back as work."""
    from dataspoke.core.work.model import UNREADABLE_EVENT

    chosen = _chosen(ids, every=every, verb="retry")
    table = _table(home)
    letters = _letters(table, chosen, verb="retry")
    if events := [letter.id for letter in letters if letter.kind == UNREADABLE_EVENT]:
        raise ConfigError(
            f"Cannot retry {_numbers(events)}: it is an event that could not be read, so there is "
            "no work in it. Run `dataspoke index reconcile`, which reads the entities themselves, "
            "then `dataspoke work drop`."
        )
    count = table.retry_dead(chosen, now=_now())
    typer.echo(f"{count} dead letters are work again.")
    if every and (left := table.stats(now=_now(), kinds=[UNREADABLE_EVENT]).dead):
        typer.echo(
            f"{left} stay: events that could not be read. Run `dataspoke index reconcile`, which "
            "reads the entities themselves, then `dataspoke work drop`."
        )


@app.command()
def drop(ids: Ids = None, every: All = False, home: Home = None) -> None:
    """Forget dead letters."""
    chosen = _chosen(ids, every=every, verb="drop")
    table = _table(home)
    _letters(table, chosen, verb="drop")
    count = table.drop_dead(chosen)
    typer.echo(f"{count} dead letters are gone.")


def worker(
    home: Home = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Threads that do work.")] = 2,
    health_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of /healthz, /readyz and /metrics."),
    ] = None,
) -> None:
    """Do the work that pipelines with `action.config.workers: 0` leave in the table."""
    import os

    from dataspoke.core.errors import require
    from dataspoke.core.settings import Settings

    for module, extra in (("sqlalchemy", "actions"), ("numpy", "search")):
        require(module, extra=extra, purpose="run a worker")
    from dataspoke.actions.vector_sync import worker as vector_sync_worker

    settings = Settings.from_env(os.environ, home=home)
    vector_sync_worker.run(settings, workers=workers, health_port=health_port)


def _settings(home: Path | None) -> Settings:
    import os

    from dataspoke.core.settings import Settings

    return Settings.from_env(os.environ, home=home)


def _table(home: Path | None) -> SqlWorkTable:
    from dataspoke.core.errors import require

    require("sqlalchemy", extra="actions", purpose="read the work table")
    from dataspoke.core.store.database import Database
    from dataspoke.core.work.table import SqlWorkTable

    return SqlWorkTable(Database.open(_settings(home).database_url))


def _chosen(ids: list[int] | None, *, every: bool, verb: str) -> list[int] | None:
    if bool(ids) == every:
        raise ConfigError(
            f"Cannot {verb} dead letters: name their numbers or say --all, one of the two. "
            "Run `dataspoke work list` to see them."
        )
    return None if every else ids


def _print_letter(letter: DeadLetter) -> None:
    """Three lines instead of a row: urns and reasons are longer than a terminal is wide."""
    point = f" at {_time(letter.point)}" if letter.point else ""
    tries = f"{letter.attempts} attempts, " if letter.attempts else ""
    typer.echo(f"no. {letter.id}: {letter.kind} {_plain(letter.key)}{point}")
    typer.echo(f"  {_time(letter.failed_at)}, {tries}{_plain(letter.error_type)}")
    typer.echo(f"  {_plain(letter.reason)}")


def _plain(text: str) -> str:
    """In one line, and without what would steer a terminal: it may come from an event.

    >>> _plain("red: \\x1b[31m\\nnext line")
    'red: �[31m next line'
    """
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split())
    )


def _letters(table: SqlWorkTable, chosen: list[int] | None, *, verb: str) -> list[DeadLetter]:
    """The dead letters that were named; ConfigError if one of them is not there."""
    if chosen is None:
        return []
    found = table.dead_letters(limit=len(chosen), ids=chosen)
    if unknown := sorted(set(chosen) - {letter.id for letter in found}):
        raise ConfigError(
            f"Cannot {verb} {_numbers(unknown)}: there is no such dead letter. "
            "Run `dataspoke work list` to see them."
        )
    return found


def _numbers(ids: list[int]) -> str:
    return ", ".join(f"no. {number}" for number in sorted(ids))


def _show(
    rows: list[dict[str, object]] | list[dict[str, float]],
    *,
    title: str,
    as_json: bool,
    single: bool = False,
) -> None:
    if as_json:
        typer.echo(json.dumps(rows[0] if single else rows, indent=2))
        return
    if not rows:
        typer.echo(f"{title}: none.")
        return
    from rich.console import Console
    from rich.table import Table

    view = Table(title=title)
    for name in rows[0]:
        view.add_column(name, overflow="fold")
    for row in rows:
        view.add_row(*(str(value) for value in row.values()))
    Console().print(view)


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else ""
