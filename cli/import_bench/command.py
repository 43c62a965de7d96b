"""The command line of `dataspoke search import-bench`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataspoke.core.settings import Settings

if TYPE_CHECKING:
    from datahub.emitter.rest_emitter import DataHubRestEmitter


def import_bench(
    file: Annotated[
        Path, typer.Argument(help="JSON lines of entities, gzipped or not.", show_default=False)
    ],
    gms: Annotated[str | None, typer.Option(help="DataHub; default: DATAHUB_GMS_URL.")] = None,
    token: Annotated[str | None, typer.Option(help="Default: DATAHUB_GMS_TOKEN.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and count; write nothing.")
    ] = False,
) -> None:
    """Write the entities of a search bench into DataHub, as a catalogue.

    Owners become groups, domains domains, consumers groups in the usage
    statistics, databases containers. A second import changes nothing.

    \b
    Try:
      dataspoke search import-bench entities.jsonl.gz --dry-run
    """
    from dataspoke.cli.import_bench.run import read_lines, write

    environ = dict(os.environ)
    if gms:
        environ["DATAHUB_GMS_URL"] = gms
    if token:
        environ["DATAHUB_GMS_TOKEN"] = token
    settings = Settings.from_env(environ)
    entities = read_lines(file)
    emitter = None if dry_run else _emitter(settings)
    now = settings.now or datetime.now(UTC)
    tell = _Teller()
    try:
        done = write(entities, emitter, now=now, progress=tell)
    finally:
        if emitter is not None:
            emitter.close()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(done.types.items()))
    verb = "Would write" if dry_run else "Wrote"
    typer.echo(f"{verb} {done.aspects} aspects of {done.entities} entities: {kinds or 'none'}.")


class _Teller:
    """A line on stderr for each further ten thousand aspects."""

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, aspects: int) -> None:
        if aspects - self._told >= 10_000:
            self._told = aspects
            typer.echo(f"{aspects} aspects …", err=True)


def _emitter(settings: Settings) -> DataHubRestEmitter:
    """Checked: server and token are known to work. Raises as `HubConnection.check`."""
    from datahub.emitter.rest_emitter import DataHubRestEmitter, EmitMode

    from dataspoke.core.hub.connection import HubConnection

    connection = HubConnection.open(settings)
    try:
        connection.check()
    finally:
        connection.close()
    return DataHubRestEmitter(
        settings.gms_url,
        token=settings.gms_token,
        openapi_ingestion=True,
        default_emit_mode=EmitMode.SYNC_PRIMARY,
    )
