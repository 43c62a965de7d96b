"""`dataspoke conformance`: does this DataHub behave as our plugins need it?"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from dataspoke.core.errors import ConfigError, RetriableError

if TYPE_CHECKING:
    from rich.console import Console

    from dataspoke.cli.conformance.model import Check
    from dataspoke.cli.conformance.report import Report
    from dataspoke.cli.conformance.target import Target
    from dataspoke.core.settings import Settings

app = typer.Typer(
    help="Check that a DataHub behaves as our plugins need it.", invoke_without_command=True
)

Gms = Annotated[str | None, typer.Option(help="URL of DataHub's GMS; default: DATAHUB_GMS_URL.")]
Token = Annotated[
    str | None, typer.Option(help="A personal access token; default: DATAHUB_GMS_TOKEN.")
]
Home = Annotated[Path | None, typer.Option(help="Folder of the journals; default: DATASPOKE_HOME.")]


class Modes(StrEnum):
    """The values of --mode."""

    RESTLI = "restli"
    OPENAPI = "openapi"
    BOTH = "both"


@app.callback()
def conformance(
    context: typer.Context,
    gms: Gms = None,
    token: Token = None,
    mode: Annotated[Modes, typer.Option(help="The client mode to write with.")] = Modes.BOTH,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this topic, or this check as `topic.name`; repeatable."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only the checks that write nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before writing to a server elsewhere.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave what was written, to look at it.")
    ] = False,
    patience: Annotated[
        float,
        typer.Option(min=0.1, help="Seconds to wait for the search index, for each check."),
    ] = 30.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report here as JSON.")
    ] = None,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", help="Write the report here as JUnit XML.")
    ] = None,
    list_checks: Annotated[
        bool, typer.Option("--list", help="Show the checks; send nothing.")
    ] = False,
    home: Home = None,
) -> None:
    """Check that a DataHub behaves as our plugins need it, and clean up afterwards.

    Exits with 0 if nothing failed, else with 1. What is not permitted or skipped is listed.
    """
    if context.invoked_subcommand is not None:
        return
    os.environ["DATAHUB_TELEMETRY_ENABLED"] = "false"
    from rich.console import Console

    from dataspoke.cli.conformance import checks

    console = Console()
    chosen = checks.chosen(only or [], read_only=read_only)
    if list_checks:
        _show(console, chosen)
        return
    settings = _settings(gms, token, home)
    target = _open(settings, patience=patience, writes=any(check.writes for check in chosen))
    writes = target.journal is not None
    if writes and not yes and not is_loopback(settings.gms_url):
        _ask(target)
    report = _run(console, target, chosen, mode, keep=keep)
    _write_files(report, json_file, junit_file)
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def clean(
    gms: Gms = None,
    token: Token = None,
    run: Annotated[
        str | None, typer.Option(help="The run to clean after; default: every one of this server.")
    ] = None,
    home: Home = None,
) -> None:
    """Take away what a killed run, or one with --keep, has left on a server."""
    from dataspoke.cli.conformance import cleanup
    from dataspoke.cli.conformance.model import NotPermitted, ServerGone

    settings = _settings(gms, token, home)
    found = _journals(settings, run)
    target = _open(settings, patience=1, writes=False)
    left = 0
    for journal in found:
        try:
            cleaned = cleanup.clean(target.http, journal.urns)
        except (NotPermitted, ServerGone) as exc:
            raise RetriableError(f"Cannot clean up after run {journal.run}: {exc}.") from exc
        left += len(cleaned.left)
        for urn, reason in cleaned.left.items():
            typer.echo(f"left: {urn}: {reason}", err=True)
        if not cleaned.left:
            journal.remove()
            typer.echo(
                f"run {journal.run}: {cleaned.deleted} entities deleted, "
                f"none of {len(journal.urns)} is left."
            )
    target.close()
    if left:
        raise typer.Exit(1)


def is_loopback(url: str) -> bool:
    """Whether a server is on this machine.

    >>> is_loopback("http://127.0.0.1:8080"), is_loopback("https://datahub.example.org")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _settings(gms: str | None, token: str | None, home: Path | None) -> Settings:
    from dataspoke.core.settings import Settings

    given = {"DATAHUB_GMS_URL": gms, "DATAHUB_GMS_TOKEN": token}
    chosen = {name: value for name, value in given.items() if value is not None}
    return Settings.from_env({**os.environ, **chosen}, home=home)


def _open(settings: Settings, *, patience: float, writes: bool) -> Target:
    """Connect; ConfigError, RetriableError or AccessDeniedError say what is wrong."""
    from dataspoke.cli.conformance.http import Http
    from dataspoke.cli.conformance.journal import Journal
    from dataspoke.cli.conformance.target import Target, new_run
    from dataspoke.core.hub.connection import HubConnection

    connection = HubConnection.open(settings)
    config = connection.check()
    connection.close()
    run = new_run()
    journal = Journal.create(_folder(settings), run, settings.gms_url) if writes else None
    http = Http(settings.gms_url, settings.gms_token)
    return Target(http, settings.gms_token, config, run, journal, patience)


def _folder(settings: Settings) -> Path:
    return settings.home / "conformance"


def _journals(settings: Settings, run: str | None) -> list[Any]:
    from dataspoke.cli.conformance.journal import Journal, journals

    found = [Journal.read(path) for path in journals(_folder(settings))]
    if run is not None:
        found = [journal for journal in found if journal.run == run]
    elsewhere = [journal for journal in found if journal.server != settings.gms_url]
    here = [journal for journal in found if journal.server == settings.gms_url]
    if not here:
        hint = f" It is of {elsewhere[0].server}: set --gms." if run and elsewhere else ""
        raise ConfigError(
            f"Cannot clean up: {_folder(settings)} has no journal of "
            f"{f'run {run}' if run else 'a run'} on {settings.gms_url}.{hint} "
            "A run that ended well has none."
        )
    return here


def _ask(target: Target) -> None:
    assert target.journal is not None
    question = (
        f"{target.http.server} (DataHub {target.version}) is not on this machine. The checks "
        "write some hundred entities named dataspoke_conformance_… there, and delete them. Go on?"
    )
    try:
        agreed = typer.confirm(question)
    except typer.Abort:
        agreed = False
    if not agreed:
        target.journal.remove()
        raise ConfigError(
            f"Cannot check {target.http.server}: writing to it was not agreed to. "
            "Say --yes, or --read-only to write nothing."
        )


def _run(
    console: Console, target: Target, chosen: Sequence[Check], mode: Modes, *, keep: bool
) -> Report:
    from dataspoke.cli.conformance import runner
    from dataspoke.cli.conformance.face import Face, print_end
    from dataspoke.cli.conformance.model import Mode, ServerGone
    from dataspoke.cli.conformance.report import Report

    modes = tuple(Mode) if mode is Modes.BOTH else (Mode(mode.value),)
    plan = list(runner.planned(chosen, modes))
    report = Report(target.run, target.http.server, target.version, modes, len(plan))
    console.print(
        f"DataHub {report.version} at {report.server}: {len(plan)} checks, run {report.run}",
        highlight=False,
    )
    face = Face(console, plan)
    started = time.monotonic()

    def ends(result: Any) -> None:
        report.results.append(result)
        face.ends(result)

    with _stoppable():
        try:
            with face:
                runner.run_checks(target, plan, face.starts, ends)
        except KeyboardInterrupt:
            report.broken_off = "it was stopped."
        except ServerGone as exc:
            report.broken_off = str(exc)
        report.lag = max(target.lags, default=0.0)
        _finish(console, target, report, keep=keep)
    report.seconds = time.monotonic() - started
    target.close()
    print_end(console, report)
    return report


def _finish(console: Console, target: Target, report: Report, *, keep: bool) -> None:
    """Clean up, whatever came before; a second Ctrl-C leaves the journal for later."""
    from dataspoke.cli.conformance import cleanup
    from dataspoke.cli.conformance.model import NotPermitted, ServerGone

    journal = target.journal
    if journal is None:
        return
    urns = journal.urns
    report.made = len(urns)
    report.kept = keep
    if keep and urns:
        return
    try:
        with console.status(f"Cleaning up {len(urns)} entities"):
            report.left = cleanup.clean(target.http, urns).left
    except (NotPermitted, ServerGone) as exc:
        report.left = dict.fromkeys(urns, str(exc))
    except KeyboardInterrupt:
        report.left = dict.fromkeys(urns, "cleaning up was stopped")
    if not report.left:
        journal.remove()


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does: what was written is taken away first."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write_files(report: Report, json_file: Path | None, junit_file: Path | None) -> None:
    from dataspoke.cli.conformance.report import as_json, as_junit

    if json_file is not None:
        _write(json_file, json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n")
    if junit_file is not None:
        _write(junit_file, as_junit(report))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise ConfigError(
            f"Cannot write the report {path}: {exc.strerror}. Name another file."
        ) from exc


def _show(console: Console, chosen: Sequence[Check]) -> None:
    from rich.table import Table

    table = Table("check", "what", "relied on by", box=None, pad_edge=False)
    for check in chosen:
        marks = "" if check.writes else " (reads only)"
        table.add_row(check.id, check.title + marks, check.by)
    console.print(table)
    console.print(f"{len(chosen)} checks")
