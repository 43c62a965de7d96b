"""The run as people see it: progress, a table per topic, a sentence per failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dataspoke.cli.conformance.model import Check, Mode, Outcome, Result
from dataspoke.cli.conformance.report import MARKS, Report, explained

if TYPE_CHECKING:
    from rich.status import Status

_COLOURS = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.NOT_PERMITTED: "yellow",
    Outcome.SKIPPED: "dim",
}


class Face:
    """Prints each topic as soon as it is done; on a terminal it shows what runs now."""

    def __init__(self, console: Console, plan: Sequence[tuple[Check, Mode | None]]) -> None:
        self._console = console
        self._planned = len(plan)
        self._last = {check.topic: (check, mode) for check, mode in plan}
        self._done = 0
        self._topic: list[Result] = []
        self._status: Status | None = console.status("") if console.is_terminal else None

    def __enter__(self) -> Face:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
        self._show_topic()

    def starts(self, check: Check, mode: Mode | None) -> None:
        if self._status is not None:
            shown = f" [{mode.value}]" if mode else ""
            self._status.update(
                f"{self._done + 1}/{self._planned} {check.topic}: {check.title}"
                + shown.replace("[", "\\[")
            )

    def ends(self, result: Result) -> None:
        self._done += 1
        self._topic.append(result)
        if self._last[result.check.topic] == (result.check, result.mode):
            self._show_topic()

    def _show_topic(self) -> None:
        if self._topic:
            self._console.print(topic_table(self._topic))
        self._topic = []


def topic_table(results: Sequence[Result]) -> Table:
    """A row per check, with a mark for each mode that it ran in."""
    table = Table(
        title=results[0].check.topic,
        title_justify="left",
        title_style="bold",
        show_header=False,
        box=None,
        pad_edge=False,
        padding=(0, 1),
    )
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", no_wrap=True, style="dim")
    rows: dict[str, list[Result]] = {}
    for result in results:
        rows.setdefault(result.check.id, []).append(result)
    for group in rows.values():
        marks = " ".join(
            f"[{_COLOURS[r.outcome]}]{MARKS[r.outcome]}[/]"
            + (f" [dim]{r.mode.value}[/]" if r.mode else "")
            for r in group
        )
        notes = "; ".join(dict.fromkeys(r.note for r in group if r.note))
        title = group[0].check.title + (f" [dim]({_plain(notes)})[/]" if notes else "")
        seconds = sum(r.seconds for r in group)
        table.add_row(marks, title, f"{seconds:.2f} s")
    return table


def print_end(console: Console, report: Report) -> None:
    """The sentences about all that did not pass, what was cleaned up, and the summary."""
    heads = (
        (Outcome.FAIL, "Failed"),
        (Outcome.NOT_PERMITTED, "Not permitted"),
        (Outcome.SKIPPED, "Skipped"),
    )
    for outcome, head in heads:
        found = report.of(outcome)
        if found:
            console.print(f"\n[{_COLOURS[outcome]}]{head}[/]")
        for result in found:
            console.print(f"  {MARKS[outcome]} {_plain(explained(result))}", highlight=False)
    console.print()
    for line in _ending(report):
        console.print(line, markup=False, highlight=False)
    console.print(f"[{'green' if report.ok else 'bold red'}]{report.summary()}[/]", highlight=False)


def _ending(report: Report) -> list[str]:
    lines = [f"DataHub {report.version} at {report.server}, run {report.run}."]
    if report.lag >= 1:
        lines.append(f"The longest wait for the search index was {report.lag:.1f} s.")
    if report.broken_off:
        missing = report.planned - len(report.results)
        lines.append(f"Broken off, {missing} checks were not made: {report.broken_off}")
    clean = f"dataspoke conformance clean --gms {report.server} --run {report.run}"
    if report.kept:
        lines.append(f"Kept {report.made} entities. Take them away with: {clean}")
    elif report.left:
        lines.append(f"{len(report.left)} of {report.made} entities are left:")
        lines += [f"  {urn}: {reason}" for urn, reason in report.left.items()]
        lines.append(f"Try again with: {clean}")
    elif report.made:
        lines.append(f"Cleaned up: none of {report.made} entities is left.")
    else:
        lines.append("Nothing was written.")
    return lines


def _plain(text: str) -> str:
    """Without what would steer the terminal or the markup: it may come from the server."""
    kept = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return kept.replace("[", "\\[")
