"""What a report says, and what exceptions of a check mean."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import requests
from datahub.configuration.common import GraphError, OperationalError
from rich.console import Console

from dataspoke.cli.conformance import checks, expect, face, report, runner
from dataspoke.cli.conformance.model import (
    Check,
    Mode,
    NotPermitted,
    Outcome,
    Result,
    Skip,
    Unmet,
)
from dataspoke.cli.conformance.permissions import privilege_for
from dataspoke.cli.conformance.target import version_numbers
from dataspoke.core.errors import AccessDeniedError, ConfigError


def _check(name: str = "one", *, each_mode: bool = False, writes: bool = True) -> Check:
    return Check("writes", name, "It is kept", "every plugin", lambda _: None, each_mode, writes)


def _report(*outcomes: Outcome) -> report.Report:
    made = report.Report("r1", "http://x", "v1.7.0", tuple(Mode), len(outcomes))
    for number, outcome in enumerate(outcomes):
        reason = "" if outcome is Outcome.PASS else "wrote a \x1b[31mname, found none"
        mode = Mode.RESTLI if number % 2 else None
        made.results.append(Result(_check(f"n{number}"), mode, outcome, 0.5, reason))
    return made


def _refused(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response.request = requests.Request(
        "GET", "http://x/openapi/v1/events/poll?topic=PlatformEvent_v1"
    ).prepare()  # type: ignore[assignment]
    return requests.HTTPError("refused", response=response)


@pytest.mark.parametrize(
    ("exc", "outcome", "words"),
    [
        (Skip("too old"), Outcome.SKIPPED, "too old"),
        (Unmet("tried, found"), Outcome.FAIL, "tried, found"),
        (NotPermitted("HTTP 403", "Edit Tags"), Outcome.NOT_PERMITTED, "Grant “Edit Tags”"),
        (NotPermitted("HTTP 403"), Outcome.NOT_PERMITTED, "HTTP 403."),
        (AccessDeniedError("no"), Outcome.NOT_PERMITTED, "no"),
        (OperationalError("no", {"status": 403}), Outcome.NOT_PERMITTED, "refused"),
        (OperationalError("no", {"status": 500}), Outcome.FAIL, "OperationalError"),
        (GraphError("Unauthorized to perform this"), Outcome.NOT_PERMITTED, "refused"),
        (_refused(403), Outcome.NOT_PERMITTED, "Get Platform Events"),
        (_refused(500), Outcome.FAIL, "HTTPError"),
        (KeyError("value"), Outcome.FAIL, "broke off with KeyError"),
    ],
)
def test_an_exception_of_a_check_means(exc: Exception, outcome: Outcome, words: str) -> None:
    found, reason = runner.classify(exc)
    assert found is outcome
    assert words in reason


@pytest.mark.parametrize(
    ("request_line", "privilege"),
    [
        ("GET /openapi/v1/events/poll?topic=MetadataChangeLog_Versioned_v1", "Change Log"),
        ("POST /api/graphql mutation { raiseIncident }", "Edit Incidents"),
        ("POST /aspects?action=ingestProposal", "Edit Entity"),
        ("DELETE /openapi/v3/entity/dataset/urn", "Delete"),
        ("POST /openapi/v3/entity/dataset/batchGet", "View Entity Page"),
        ("GET /aspects/urn?aspect=status", "View Entity Page"),
    ],
)
def test_a_refused_request_needs(request_line: str, privilege: str) -> None:
    assert privilege in str(privilege_for(request_line))


def test_only_a_failure_makes_the_report_bad() -> None:
    good = _report(Outcome.PASS, Outcome.SKIPPED, Outcome.NOT_PERMITTED)
    assert good.ok
    assert not _report(Outcome.PASS, Outcome.FAIL).ok
    good.left = {"urn:li:tag:x": "HTTP 500"}
    assert not good.ok
    assert not report.Report("r", "s", "v", (), 1, broken_off="it was stopped.").ok


def test_the_json_report_names_every_result() -> None:
    found = report.as_json(_report(Outcome.PASS, Outcome.FAIL))
    assert found["ok"] is False
    assert found["counts"] == {"pass": 1, "fail": 1, "not permitted": 0, "skipped": 0}
    assert [(c["check"], c["mode"], c["outcome"]) for c in found["checks"]] == [
        ("writes.n0", None, "pass"),
        ("writes.n1", "restli", "fail"),
    ]


def test_the_junit_report_is_xml_whatever_the_server_said() -> None:
    made = _report(Outcome.PASS, Outcome.FAIL, Outcome.NOT_PERMITTED)
    made.left = {"urn:li:tag:x": "HTTP 500"}
    root = ET.fromstring(report.as_junit(made))
    writes, run = root.findall("testsuite")
    assert (writes.get("tests"), writes.get("failures"), writes.get("skipped")) == ("3", "1", "1")
    failure = writes.find(".//failure")
    assert failure is not None
    assert "Relied on by every plugin" in str(failure.get("message"))
    assert "urn:li:tag:x" in str(run.find(".//failure").get("message"))  # type: ignore[union-attr]


def test_a_failure_is_a_plain_sentence_on_the_terminal() -> None:
    console = Console(width=200, record=True, force_terminal=False)
    face.print_end(console, _report(Outcome.PASS, Outcome.FAIL))
    text = console.export_text()
    assert "✗ writes.n1 [restli]: It is kept. Wrote a �[31mname, found none." in text
    assert "2 checks: 1 passed, 1 failed, 0 not permitted, 0 skipped" in text
    assert "\x1b" not in text


def test_a_topic_has_a_row_for_each_check_and_a_mark_for_each_mode() -> None:
    check = _check(each_mode=True)
    results = [Result(check, mode, Outcome.PASS, 0.1, note="after 1 s") for mode in Mode]
    console = Console(width=100, record=True)
    console.print(face.topic_table(results))
    lines = [line.strip() for line in console.export_text().splitlines() if "It is kept" in line]
    assert len(lines) == 1
    assert lines[0].startswith("✓ restli ✓ openapi")
    assert "(after 1 s)" in lines[0]


def test_a_check_runs_once_in_each_mode_or_once_in_all() -> None:
    plan = runner.planned([_check("a", each_mode=True), _check("b")], tuple(Mode))
    assert [(check.name, mode) for check, mode in plan] == [
        ("a", Mode.RESTLI),
        ("a", Mode.OPENAPI),
        ("b", None),
    ]


def test_every_check_says_what_it_is_and_who_relies_on_it() -> None:
    ids = [check.id for check in checks.ALL]
    assert len(ids) == len(set(ids))
    assert len(ids) >= 120
    for check in checks.ALL:
        assert check.title, check.id
        assert check.by, check.id


def test_the_page_names_every_topic() -> None:
    page = Path(__file__).parents[3] / "docs" / "conformance.md"
    text = page.read_text("utf-8")
    assert [topic for topic in {c.topic for c in checks.ALL} if f"`{topic}`" not in text] == []


def test_read_only_leaves_out_all_that_writes() -> None:
    found = checks.chosen([], read_only=True)
    assert found
    assert not any(check.writes for check in found)


def test_a_topic_or_a_check_is_chosen() -> None:
    assert {c.topic for c in checks.chosen(["timeline", "runs"])} == {"timeline", "runs"}
    assert [c.id for c in checks.chosen(["runs.run_is_listed"])] == ["runs.run_is_listed"]


@pytest.mark.parametrize(
    ("only", "read_only", "words"),
    [
        (["evnts"], False, "Did you mean events?"),
        (["runs"], True, "--read-only forbids it"),
    ],
)
def test_a_choice_of_nothing_is_an_error(only: list[str], read_only: bool, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        checks.chosen(only, read_only=read_only)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("v1.7.0", (1, 7, 0)), ("1.10.2rc1", (1, 10, 2)), ("head-abc", ()), ("", ())],
)
def test_the_numbers_of_a_version_are(text: str, numbers: tuple[int, ...]) -> None:
    assert version_numbers(text) == numbers


def test_expectations_say_what_was_tried_and_found() -> None:
    with pytest.raises(Unmet, match=r'Wrote x: expected "a", found \["b"\]\.') as caught:
        expect.expect_equal("Wrote x", ["b"], '"a"')
    assert len(str(caught.value)) < 100
    with pytest.raises(Unmet, match="expected HTTP 400 or 422, found 200"):
        expect.expect_status("Wrote x", 200, (400, 422))
    with pytest.raises(Unmet, match="expected at least"):
        expect.expect_part("Read x", {"a": 1}, {"a": 2})
