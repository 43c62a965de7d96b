"""`dataspoke model`: fetch the embedding model ahead of time, and say which one is in use."""

from __future__ import annotations

import os
from typing import Annotated

import typer

app = typer.Typer(help="The embedding model: fetch it ahead of time, show which one is used.")

_Name = Annotated[
    str | None,
    typer.Argument(help="A model name or folder; unset means DATASPOKE_MODEL or the default."),
]


def _libraries() -> None:
    from dataspoke.core.errors import require

    for module in ("numpy", "huggingface_hub"):
        require(module, extra="search", purpose="use an embedding model")


@app.command()
def fetch(name: _Name = None) -> None:
    """Find the model, download it if it is not on this machine, and prepare it for use."""
    _libraries()
    from dataspoke.core.index.embedder import load_embedder
    from dataspoke.core.settings import Settings

    model = name or Settings.from_env(os.environ).model
    embedder = load_embedder(model, progress=lambda line: typer.echo(line))
    embedder.embed(["ready"])
    typer.echo(f"{model} is ready: {embedder.dim} dimensions, id {embedder.model_id}")


@app.command()
def show(name: _Name = None) -> None:
    """Say which model is used, where it lies, its checksum and its engine; downloads nothing."""
    _libraries()
    from dataspoke.core.index.embedder import describe_model
    from dataspoke.core.settings import Settings

    for key, value in describe_model(name or Settings.from_env(os.environ).model).items():
        typer.echo(f"{key + ':':<12} {value}")
