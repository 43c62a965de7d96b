"""Ports, the environment of the programs, progress, and the way of the events."""

from __future__ import annotations

import io
import json
import socket
import sqlite3
from pathlib import Path

import pytest
from rich.console import Console

from dataspoke.cli.quickstart import tools
from dataspoke.cli.quickstart.flow import Flow, TopicEvents, count_behind, published
from dataspoke.cli.quickstart.home import Home
from dataspoke.cli.quickstart.ports import choose_port
from dataspoke.cli.quickstart.postgres import impassable_folders
from dataspoke.cli.quickstart.progress import Progress
from dataspoke.cli.quickstart.questions import answered
from dataspoke.cli.quickstart.report import show_report
from dataspoke.core.errors import ConfigError, MissingExtraError


def test_a_busy_port_is_replaced_by_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert choose_port(port) not in (port, 0)
    assert choose_port(port) == port
    assert choose_port(0) > 0


def test_settings_of_other_installations_do_not_reach_the_programs() -> None:
    env = tools.base_environment(
        {
            "PATH": "/bin",
            "DATAHUB_GMS_URL": "https://datahub.example",
            "DATAHUB_GMS_TOKEN": "secret",
            "DATASPOKE_QDRANT_URL": "https://qdrant.example",
            "DATASPOKE_MODEL": "hash",
            "KAFKA_BOOTSTRAP_SERVER": "broker.example:9092",
        }
    )
    assert {"DATASPOKE_MODEL", "PATH", "DATAHUB_TELEMETRY_ENABLED"} <= set(env)
    assert "example" not in " ".join(env.values())
    assert env["DATAHUB_TELEMETRY_ENABLED"] == "false"


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_proxy_never_stands_before_the_loopback(name: str) -> None:
    env = tools.base_environment({name: "intranet.example"})
    assert env[name] == "intranet.example,127.0.0.1,localhost"


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_LIBRARIES", (("no_such_library", "run the hub"),))
    with pytest.raises(MissingExtraError, match=r"pip install 'dataspoke\[actions,local,search\]'"):
        tools.require_libraries()


def test_a_command_that_is_not_installed_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="no-such-command"):
        tools.tool("no-such-command")


def test_folders_that_others_cannot_pass_are_found_outermost_first(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "open" / "inner"
    inner.mkdir(parents=True)
    inner.chmod(0o700)
    (tmp_path / "closed" / "open").chmod(0o755)
    (tmp_path / "closed").chmod(0o700)
    found = [path for path in impassable_folders(inner) if path.is_relative_to(tmp_path / "closed")]
    assert found == [tmp_path / "closed", inner]


def test_events_of_the_hub_are_counted_by_topic(tmp_path: Path) -> None:
    assert published(tmp_path) == {}
    with sqlite3.connect(tmp_path / "hub.db") as hub:
        hub.execute('CREATE TABLE events ("offset" INTEGER PRIMARY KEY, topic TEXT)')
        hub.executemany("INSERT INTO events VALUES (?, ?)", [(1, "A"), (2, "B"), (5, "A")])
    hub.close()
    assert published(tmp_path) == {"A": TopicEvents(2, 5), "B": TopicEvents(1, 2)}


@pytest.mark.parametrize(
    ("position", "behind"), [("9", 0), ("12", 0), ("6", 3), ("@1700000000000", 9)]
)
def test_the_action_is_behind_by_what_its_position_does_not_cover(
    position: str, behind: int
) -> None:
    positions = {"offset:vector_sync:A": position}
    events = {"A": TopicEvents(9, 9), "B": TopicEvents(1, 20)}
    assert count_behind(events, positions, lambda topic, offset: 9 - offset) == behind


@pytest.mark.parametrize(
    ("flow", "quiet"),
    [
        (Flow(events=9, behind=0, open_work=0, dead=0, waiting=0, points=4), True),
        (Flow(events=9, behind=0, open_work=0, dead=3, waiting=0, points=4), True),
        (Flow(events=9, behind=1, open_work=0, dead=0, waiting=0, points=4), False),
        (Flow(events=9, behind=0, open_work=1, dead=0, waiting=0, points=4), False),
        (Flow(events=9, behind=0, open_work=0, dead=0, waiting=1, points=4), False),
    ],
)
def test_the_flow_is_quiet_when_nothing_is_on_its_way(flow: Flow, quiet: bool) -> None:
    assert flow.is_quiet is quiet


def lines(*, terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=200, highlight=False), text


@pytest.mark.parametrize("terminal", [False, True])
def test_a_step_says_its_result_and_its_time(terminal: bool) -> None:
    console, text = lines(terminal=terminal)
    progress = Progress(console)
    with progress.step("Count") as step:
        step.detail("[one]")
        step.result = "3 [brackets]"
    assert "3 [brackets]" in text.getvalue()
    assert "Count" in progress.seconds


def test_without_a_terminal_there_are_plain_lines() -> None:
    console, text = lines(terminal=False)
    with Progress(console).step("Count"):
        pass
    assert "\x1b" not in text.getvalue()
    assert text.getvalue().splitlines()[0] == "  Count ..."


def test_a_step_that_fails_is_marked_and_not_timed() -> None:
    console, text = lines(terminal=False)
    progress = Progress(console)
    with pytest.raises(ValueError, match="no"), progress.step("Count"):
        raise ValueError("no")
    assert "✗ Count" in text.getvalue()
    assert progress.seconds == {}


def test_the_report_ends_with_ready_and_names_everything(tmp_path: Path) -> None:
    console, text = lines(terminal=False)
    hit = {
        "name": "monthly_sales",
        "qualified_name": "bookshop.analytics.monthly_sales",
        "entity_type": "dataset",
        "urn": "urn:li:dataset:x",
        "explanation": {"summary": "“month” in the [name]"},
    }
    result = {
        "counts": {
            "entities": {"dataset": 39, "glossaryTerm": 1},
            "aspects": 774,
            "events": 1346,
            "consumed": 1346,
            "indexed": 65,
        },
        "questions": [answered("how much per month", [hit]).as_json()],
        "urls": {"search": "http://127.0.0.1:8010/", "hub": "http://127.0.0.1:8080"}
        | {"warehouse": "postgresql://127.0.0.1:15432/bookshop"},
        "logs": str(tmp_path / "logs"),
        "ready_after_seconds": 31.4,
    }
    show_report(console, Home(tmp_path), json.loads(json.dumps(result)), once=False)
    shown = text.getvalue()
    assert "39 datasets, 1 glossary term; 774 aspects" in shown
    assert "1. bookshop.analytics.monthly_sales (dataset)\n     “month” in the [name]" in shown
    assert "http://127.0.0.1:8010/" in shown
    assert "logs" in shown
    assert shown.splitlines()[-1] == "ready after 31 s; stop with Ctrl-C"
