"""The command `dataspoke quickstart`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dataspoke.cli.quickstart.session import Options, Session

_STOPPED_BY_SIGNAL = 130


def quickstart(
    once: Annotated[
        bool, typer.Option("--once", help="Stop everything at the end and exit.")
    ] = False,
    home: Annotated[
        Path | None,
        typer.Option(help="Where data and logs live. Default: `quickstart` under DATASPOKE_HOME."),
    ] = None,
    hub_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the hub; a free one if it is busy.")
    ] = 8080,
    search_port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Port of the search page; a free one if it is busy."),
    ] = 8010,
    warehouse_port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Port of PostgreSQL; a free one if it is busy."),
    ] = 15432,
    reset: Annotated[
        bool, typer.Option("--reset", help="Throw away the data of earlier runs first.")
    ] = False,
) -> None:
    """Run the main job on this machine: warehouse, hub, ingestion, vector sync and search.

    A real PostgreSQL with a book shop's data is ingested with the stock `datahub ingest`, the
    action `dataspoke-vector-sync` follows under the stock `datahub actions`, and the search
    service answers three questions. Everything listens on 127.0.0.1 alone and is stopped with
    Ctrl-C; the next start goes on with the same data.
    """
    from dataspoke.cli.quickstart.tools import require_libraries
    from dataspoke.core.settings import Settings

    require_libraries()
    from dataspoke.cli.quickstart.session import Options

    folder = home or Settings.from_env(os.environ).home / "quickstart"
    options = Options(
        once=once, hub_port=hub_port, search_port=search_port, warehouse_port=warehouse_port
    )
    with _signals_as_interrupt():
        try:
            _run(folder.expanduser().absolute(), options, reset=reset)
        except KeyboardInterrupt:
            typer.echo("Stopped before it was ready.", err=True)
            raise typer.Exit(_STOPPED_BY_SIGNAL) from None


def _run(folder: Path, options: Options, *, reset: bool) -> None:
    from rich.console import Console

    from dataspoke.cli.quickstart.home import claimed
    from dataspoke.cli.quickstart.progress import Progress
    from dataspoke.cli.quickstart.report import show_report
    from dataspoke.cli.quickstart.session import Session

    console = Console(soft_wrap=True, highlight=False)
    with claimed(folder) as home:
        if reset:
            home.complete.unlink(missing_ok=True)
        session = Session(home, options, Progress(console))
        try:
            result = session.run()
            show_report(console, home, result, once=options.once)
            if not options.once:
                _stay(session)
        finally:
            session.close()
    console.print("Stopped.")


def _stay(session: Session) -> None:
    """Until Ctrl-C or SIGTERM, which is how this is meant to end."""
    try:
        session.watch()
    except KeyboardInterrupt:
        return


@contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP end the quickstart as Ctrl-C does.

    The first signal is the last one that counts: another must not interrupt the clean-up, in
    which every program has a deadline of its own. Under `nohup`, SIGHUP stays ignored.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    is_first = True

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
