"""The report of a run as JSON, as JUnit XML, and for people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from dataspoke.cli.conformance.model import Mode, Outcome, Result

MARKS = {
    Outcome.PASS: "✓",
    Outcome.FAIL: "✗",
    Outcome.NOT_PERMITTED: "⊘",
    Outcome.SKIPPED: "-",
}
# What XML 1.0 cannot hold: a server's message may.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(slots=True)
class Report:
    """What came of a run. `left` is what could not be deleted, with the reasons."""

    run: str
    server: str
    version: str
    modes: Sequence[Mode]
    planned: int
    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    lag: float = 0.0
    made: int = 0
    kept: bool = False
    left: dict[str, str] = field(default_factory=dict)
    broken_off: str = ""

    @property
    def counts(self) -> Counter[Outcome]:
        return Counter(result.outcome for result in self.results)

    @property
    def ok(self) -> bool:
        """Whether nothing failed, everything planned was done, and nothing of it is left."""
        return not (self.counts[Outcome.FAIL] or self.broken_off or self.left)

    def of(self, outcome: Outcome) -> list[Result]:
        return [result for result in self.results if result.outcome is outcome]

    def summary(self) -> str:
        """One line.

        >>> Report("r", "http://x", "v1.7.0", (), 0).summary()
        '0 checks: 0 passed, 0 failed, 0 not permitted, 0 skipped; 0.0 s'
        """
        counts = self.counts
        return (
            f"{len(self.results)} checks: {counts[Outcome.PASS]} passed, "
            f"{counts[Outcome.FAIL]} failed, {counts[Outcome.NOT_PERMITTED]} not permitted, "
            f"{counts[Outcome.SKIPPED]} skipped; {self.seconds:.1f} s"
        )


def mode_name(mode: Mode | None) -> str:
    return "" if mode is None else mode.value


def explained(result: Result) -> str:
    """A plain sentence about a result that is no pass: what was tried, found, who depends on it."""
    mode = f" [{result.mode.value}]" if result.mode else ""
    reason = result.reason.rstrip(".")
    return (
        f"{result.check.id}{mode}: {result.check.title}. {reason[:1].upper()}{reason[1:]}. "
        f"Relied on by {result.check.by}."
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report as a JSON object."""
    return {
        "run": report.run,
        "server": report.server,
        "version": report.version,
        "modes": [mode.value for mode in report.modes],
        "ok": report.ok,
        "planned": report.planned,
        "counts": {outcome.value: report.counts[outcome] for outcome in Outcome},
        "seconds": round(report.seconds, 2),
        "longest_index_lag_seconds": round(report.lag, 2),
        "broken_off": report.broken_off or None,
        "entities_made": report.made,
        "entities_kept": report.kept,
        "entities_left": report.left,
        "checks": [_result_json(result) for result in report.results],
    }


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "check": result.check.id,
        "mode": mode_name(result.mode) or None,
        "title": result.check.title,
        "relied_on_by": result.check.by,
        "outcome": result.outcome.value,
        "seconds": round(result.seconds, 3),
        "reason": result.reason or None,
        "note": result.note or None,
    }


def as_junit(report: Report) -> str:
    """The report as JUnit XML: a suite per topic; what is not permitted counts as skipped."""
    root = ET.Element("testsuites", name="dataspoke conformance", time=f"{report.seconds:.3f}")
    for topic, results in by_topic(report.results):
        skipped = sum(r.outcome in (Outcome.SKIPPED, Outcome.NOT_PERMITTED) for r in results)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=topic,
            tests=str(len(results)),
            failures=str(sum(r.outcome is Outcome.FAIL for r in results)),
            skipped=str(skipped),
            time=f"{sum(r.seconds for r in results):.3f}",
        )
        for result in results:
            _case(suite, topic, result)
    if report.broken_off or report.left:
        suite = ET.SubElement(root, "testsuite", name="run", tests="1", failures="1")
        case = ET.SubElement(suite, "testcase", classname="conformance.run", name="ends_clean")
        said = report.broken_off or f"left behind: {', '.join(report.left)}"
        ET.SubElement(case, "failure", message=_xml(said))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _case(suite: ET.Element, topic: str, result: Result) -> None:
    name = result.check.name + (f"[{result.mode.value}]" if result.mode else "")
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"conformance.{topic}",
        name=name,
        time=f"{result.seconds:.3f}",
    )
    if result.outcome is Outcome.FAIL:
        ET.SubElement(case, "failure", message=_xml(explained(result)))
    elif result.outcome is not Outcome.PASS:
        message = _xml(f"{result.outcome.value}: {result.reason}")
        ET.SubElement(case, "skipped", message=message)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def by_topic(results: Iterable[Result]) -> list[tuple[str, list[Result]]]:
    """Results by topic, in the order of their first."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.check.topic, []).append(result)
    return list(groups.items())
