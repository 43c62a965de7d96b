"""`dataspoke conformance` as a process against a real hub."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests
from broken_server import Break, Exchange, broken
from hub_process import HubProcess
from logged_process import clean_env, free_port, script, wait_until

_TYPES = ("dataset", "tag", "glossaryTerm", "structuredProperty", "incident", "assertion")
_QUICK = ("--only", "conditional", "--only", "defaults")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("hub")) as process:
        yield process


def _run(home: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script("dataspoke"), "conformance", *args],
        env=clean_env(home, {"COLUMNS": "400", **env}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def _entities(url: str) -> set[str]:
    """Every urn of the types that the suite writes."""
    found: set[str] = set()
    for entity in (*_TYPES, "corpuser", "domain", "dataFlow", "dataJob"):
        body = {"entity": entity, "start": 0, "count": 10_000}
        answer = requests.post(f"{url}/entities?action=listUrns", json=body, timeout=10)
        found |= set(answer.json()["value"]["entities"])
    return found


def _journals(home: Path) -> list[Path]:
    return list((home / "dataspoke" / "conformance").glob("*.jsonl"))


@pytest.mark.slow
def test_the_hub_passes_every_check_and_is_left_as_it_was(hub: HubProcess, tmp_path: Path) -> None:
    before = _entities(hub.url)
    files = ("--json", str(tmp_path / "r.json"), "--junit", str(tmp_path / "r.xml"))
    done = _run(tmp_path, "--gms", hub.url, *files)
    failed = done.stdout.partition("Failed")[2]
    assert done.returncode == 0, failed + done.stderr
    found: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
    assert found["ok"] is True
    assert found["modes"] == ["restli", "openapi"]
    assert found["counts"]["fail"] == found["counts"]["not permitted"] == 0
    assert found["counts"]["pass"] > 200
    assert found["planned"] == len(found["checks"])
    root = ET.parse(tmp_path / "r.xml").getroot()
    assert sum(int(suite.get("tests", 0)) for suite in root) == len(found["checks"])
    assert f"none of {found['entities_made']} entities is left" in done.stdout
    assert _entities(hub.url) == before
    assert _journals(tmp_path) == []


@pytest.mark.parametrize("mode", ["restli", "openapi"])
def test_one_mode_is_run_alone(hub: HubProcess, tmp_path: Path, mode: str) -> None:
    report = tmp_path / "r.json"
    done = _run(tmp_path, "--gms", hub.url, "--mode", mode, *_QUICK, "--json", str(report))
    assert done.returncode == 0, done.stdout
    assert {check["mode"] for check in json.loads(report.read_text())["checks"]} == {mode}


def test_read_only_writes_nothing(hub: HubProcess, tmp_path: Path) -> None:
    events = requests.get(
        f"{hub.url}/openapi/v1/events/poll?topic=MetadataChangeLog_Versioned_v1"
        "&pollTimeoutSeconds=0",
        timeout=10,
    ).json()["offsetId"]
    done = _run(tmp_path, "--gms", hub.url, "--read-only")
    assert done.returncode == 0, done.stdout
    assert "Nothing was written." in done.stdout
    later = requests.get(
        f"{hub.url}/openapi/v1/events/poll?topic=MetadataChangeLog_Versioned_v1"
        f"&offsetId={events}&pollTimeoutSeconds=0",
        timeout=10,
    ).json()
    assert later["events"] == []


def test_what_is_kept_can_be_cleaned_later(hub: HubProcess, tmp_path: Path) -> None:
    before = _entities(hub.url)
    kept = _run(tmp_path, "--gms", hub.url, *_QUICK, "--keep")
    assert kept.returncode == 0, kept.stdout
    assert "Take them away with: dataspoke conformance clean" in kept.stdout
    made = _entities(hub.url) - before
    assert made
    assert all("dataspoke_conformance_" in urn for urn in made)
    run = _journals(tmp_path)[0].stem
    elsewhere = _run(tmp_path, "clean", "--gms", hub.url, "--run", "nosuchrun")
    assert elsewhere.returncode == 1
    assert "no journal of run nosuchrun" in elsewhere.stderr
    done = _run(tmp_path, "clean", "--gms", hub.url, "--run", run)
    assert done.returncode == 0, done.stderr
    assert "is left" in done.stdout
    assert _entities(hub.url) == before
    assert _journals(tmp_path) == []


def _hear_interrupts() -> None:
    """A suite that a shell runs in the background inherits that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_leaves_nothing_in_the_end(
    hub: HubProcess, tmp_path: Path, signum: signal.Signals
) -> None:
    before = _entities(hub.url)
    process = subprocess.Popen(
        [script("dataspoke"), "conformance", "--gms", hub.url, "--mode", "restli"],
        env=clean_env(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,
    )
    try:
        wait_until(lambda: len(_entities(hub.url)) > len(before) + 5, what="it has written")
        os.kill(process.pid, signum)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    if signum == signal.SIGKILL:
        assert _entities(hub.url) > before
        done = _run(tmp_path, "clean", "--gms", hub.url)
        assert done.returncode == 0, done.stderr
    else:
        assert process.returncode == 1
        assert "Broken off" in output
    assert _entities(hub.url) == before
    assert _journals(tmp_path) == []


def test_a_wrong_token_is_one_clear_sentence(tmp_path: Path) -> None:
    with HubProcess(tmp_path / "hub", token="right") as hub:
        wrong = _run(tmp_path, "--gms", hub.url, "--token", "wrong")
        right = _run(tmp_path, "--gms", hub.url, "--token", "right", *_QUICK)
    assert wrong.returncode == 1
    assert "it wants a valid token" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert right.returncode == 0, right.stdout
    assert _journals(tmp_path) == []


def test_an_unreachable_server_is_one_clear_sentence(tmp_path: Path) -> None:
    done = _run(tmp_path, "--gms", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "Cannot reach DataHub" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_is_asked_where_nobody_can_answer(tmp_path: Path, hub: HubProcess) -> None:
    # An address of this machine that is not its loopback to those who only read the URL.
    elsewhere = hub.url.replace("127.0.0.1", "0.0.0.0")
    done = _run(tmp_path, "--gms", elsewhere, *_QUICK)
    assert done.returncode == 1
    assert "is not on this machine" in done.stdout
    assert "Say --yes, or --read-only" in done.stderr
    assert _journals(tmp_path) == []
    agreed = _run(tmp_path, "--gms", elsewhere, *_QUICK, "--yes")
    assert agreed.returncode == 0, agreed.stdout


def test_the_list_of_checks_needs_no_server(tmp_path: Path) -> None:
    done = _run(tmp_path, "--list", "--only", "conditional")
    assert done.returncode == 0
    assert "conditional.write_with_an_old_version_is_refused" in done.stdout
    assert "5 checks" in done.stdout


def _lost_default(exchange: Exchange) -> None:
    if exchange.path.endswith("/browsePathsV2"):
        exchange.status, exchange.body = 404, b"{}"


def _ignored_condition(exchange: Exchange) -> None:
    if exchange.status == 412:
        exchange.status = 200


def _no_events(exchange: Exchange) -> None:
    if "/events/poll" in exchange.path:
        exchange.status, exchange.body = 403, b'{"error": "no"}'


def _absent_is_there(exchange: Exchange) -> None:
    if exchange.path.endswith("batchGet") and b'"status"' in exchange.sent:
        sent = json.loads(exchange.sent)
        exchange.body = json.dumps([{"urn": entity["urn"]} for entity in sent]).encode()


@pytest.mark.parametrize(
    ("breaks", "only", "mode", "outcome", "hit"),
    [
        (
            _lost_default,
            "defaults",
            "openapi",
            "fail",
            {"defaults.browse_path_is_made", "defaults.given_aspect_wins_over_the_default"},
        ),
        (
            _ignored_condition,
            "conditional",
            "openapi",
            "fail",
            {
                "conditional.write_with_an_old_version_is_refused",
                "conditional.second_write_on_condition_that_nothing_is_there",
                "conditional.precondition_of_an_absent_aspect_is_refused",
            },
        ),
        (
            _absent_is_there,
            "reads.batch_get_leaves_out_what_is_not_there",
            "openapi",
            "fail",
            {"reads.batch_get_leaves_out_what_is_not_there"},
        ),
        (
            _no_events,
            "events.tag_changes_are_events",
            "restli",
            "not permitted",
            {"events.tag_changes_are_events"},
        ),
    ],
)
def test_a_broken_server_fails_the_right_checks(
    hub: HubProcess,
    tmp_path: Path,
    breaks: Break,
    only: str,
    mode: str,
    outcome: str,
    hit: set[str],
) -> None:
    report = tmp_path / "r.json"
    args = ("--only", only, "--mode", mode, "--patience", "2", "--json", str(report))
    with broken(hub.url, breaks) as url:
        done = _run(tmp_path, "--gms", url, *args)
    found = json.loads(report.read_text())
    assert {c["check"] for c in found["checks"] if c["outcome"] == outcome} == hit
    assert done.returncode == (1 if outcome == "fail" else 0)
    assert all(c["outcome"] in ("pass", outcome) for c in found["checks"])
