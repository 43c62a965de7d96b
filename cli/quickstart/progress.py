"""Progress for people: a spinner on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.status import Status

_PLAIN_SECONDS = 5.0


@dataclass(slots=True)
class Step:
    """One step that runs; `result` is what its last line says."""

    title: str
    console: Console
    status: Status | None
    result: str = ""
    _said_at: float = field(default_factory=time.monotonic)

    def detail(self, text: str) -> None:
        """What is going on now. Call it as often as you like."""
        if self.status is not None:
            self.status.update(f"{self.title}: [dim]{escape(text)}[/dim]")
        elif time.monotonic() - self._said_at >= _PLAIN_SECONDS:
            self._said_at = time.monotonic()
            self.console.print(f"  {self.title}: {text}", markup=False)


class Progress:
    """Steps one after the other; `seconds` holds how long each took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, markup=False)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the block runs, and its result and time when it is done."""
        started = time.monotonic()
        status = self.console.status(title) if self.console.is_terminal else None
        step = Step(title, self.console, status)
        if status is None:
            self.console.print(f"  {title} ...", markup=False)
        else:
            status.start()
        try:
            yield step
        except BaseException:
            if status is not None:
                status.stop()
            self.console.print(f"[red]✗[/red] {title}")
            raise
        if status is not None:
            status.stop()
        seconds = time.monotonic() - started
        self.seconds[title] = round(seconds, 1)
        result = f": {escape(step.result)}" if step.result else ""
        self.console.print(f"[green]✓[/green] {title}{result} [dim]({seconds:.1f} s)[/dim]")
