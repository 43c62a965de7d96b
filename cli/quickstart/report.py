"""What the quickstart says at its end."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from dataspoke.cli.quickstart.home import Home


def show_report(console: Console, home: Home, result: Mapping[str, Any], *, once: bool) -> None:
    """Counts, questions with their answers, and where everything is; the last line is "ready"."""
    counts = result["counts"]
    entities = ", ".join(
        f"{count:,} {_words(name, count)}" for name, count in counts["entities"].items()
    )
    console.print()
    console.print(f"Ingested: {entities}; {counts['aspects']:,} aspects", markup=False)
    console.print(f"Consumed: {counts['consumed']:,} of {counts['events']:,} events", markup=False)
    console.print(f"Indexed:  {counts['indexed']:,} entities", markup=False)
    for asked in result["questions"]:
        console.print()
        console.print(f"[bold]{escape(asked['question'])}?[/bold]")
        for rank, answer in enumerate(asked["answers"], start=1):
            kind = f" [dim]({escape(answer['entity_type'])})[/dim]"
            console.print(f"  {rank}. [green]{escape(answer['name'])}[/green]{kind}")
            _print_indented(console, answer["why"])
    console.print()
    lines = {
        "Search page": result["urls"]["search"],
        "Hub": result["urls"]["hub"],
        "Warehouse": result["urls"]["warehouse"],
        "Logs": result["logs"],
        "Environment": f"source {shlex.quote(str(home.env_file))}   (for datahub and dataspoke)",
    }
    for name, value in lines.items():
        console.print(f"{name + ':':<13}{value}", markup=False)
    seconds = result["ready_after_seconds"]
    how_to_stop = "stopping now" if once else "stop with Ctrl-C"
    console.print(f"ready after {seconds:.0f} s; {how_to_stop}", markup=False)


def _print_indented(console: Console, text: str) -> None:
    """Wrapped to a terminal's width; on one line elsewhere, where it may be searched."""
    if console.is_terminal:
        console.print(Padding(Text(text), (0, 0, 0, 5)), soft_wrap=False)
    else:
        console.print(f"     {text}", markup=False)


def _words(entity_type: str, count: int) -> str:
    """
    >>> _words("glossaryTerm", 8), _words("corpuser", 1), _words("query", 2)
    ('glossary terms', 'user', 'queries')
    """
    words = re.sub("([A-Z])", r" \1", entity_type).lower().removeprefix("corp").strip()
    if count == 1:
        return words
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"
