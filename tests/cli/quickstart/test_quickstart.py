"""`dataspoke quickstart` as people run it: real programs from the first line to the last."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from logged_process import LoggedProcess, clean_env, script, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FIRST_ANSWERS = {
    "customer email addresses": {"bookshop.crm.customers"},
    "how much did we sell per month": {"bookshop.analytics.monthly_sales"},
    "which tables hold shipping delays": {"bookshop.shipping.late_shipments"},
}


@pytest.fixture(scope="module")
def folder(server_folder: Path) -> Path:
    return server_folder


def environment(folder: Path) -> dict[str, str]:
    """The model stays where the machine has it; everything else is under `folder`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dataspoke"
    kept = {
        "DATASPOKE_CACHE": os.environ.get("DATASPOKE_CACHE", str(cache)),
        "HF_HOME": os.environ.get("HF_HOME", str(cache.parent / "huggingface")),
    }
    return clean_env(folder, kept)


def command(folder: Path, *options: str) -> list[str]:
    ports = ["--hub-port", "0", "--search-port", "0", "--warehouse-port", "0"]
    return [script("dataspoke"), "quickstart", "--home", str(folder / "home"), *ports, *options]


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "home" / "quickstart.json").read_text())
    return found


def running(folder: Path) -> list[str]:
    """Programs that have to do with this home, by command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(folder) in line and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(line)
    return found


@pytest.fixture(scope="module")
def first_run(folder: Path) -> subprocess.CompletedProcess[str]:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        return subprocess.run(
            [*command(folder, "--once"), "--hub-port", port],
            env=environment(folder),
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )


def test_once_ends_with_success_and_leaves_nothing_running(
    first_run: subprocess.CompletedProcess[str], folder: Path
) -> None:
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    assert running(folder) == []


def test_a_busy_port_is_said(first_run: subprocess.CompletedProcess[str]) -> None:
    assert re.search(r"Port \d+ is in use: the hub takes \d+\.", first_run.stdout)


def test_everything_is_ingested_consumed_and_indexed(
    first_run: subprocess.CompletedProcess[str], folder: Path
) -> None:
    counts = result(folder)["counts"]
    assert counts["entities"]["dataset"] == 39
    assert counts["entities"]["container"] == 7
    assert counts["entities"]["glossaryTerm"] == 8
    assert counts["consumed"] == counts["events"] > 500
    assert counts["dead_letters"] == 0
    found_by_search = ("dataset", "container", "domain", "glossaryNode", "glossaryTerm", "tag")
    assert counts["indexed"] == sum(counts["entities"][name] for name in found_by_search)


def test_each_question_puts_a_fitting_table_first_and_says_why(
    first_run: subprocess.CompletedProcess[str], folder: Path
) -> None:
    asked = {each["question"]: each["answers"] for each in result(folder)["questions"]}
    assert set(asked) == set(FIRST_ANSWERS)
    for question, answers in asked.items():
        assert answers[0]["name"] in FIRST_ANSWERS[question]
        assert answers[0]["entity_type"] == "dataset"
        assert answers[0]["why"]
        assert answers[0]["name"] in first_run.stdout


def test_the_state_after_the_end_is_stopped(
    first_run: subprocess.CompletedProcess[str], folder: Path
) -> None:
    assert result(folder)["state"] == "stopped"
    assert result(folder)["pids"] == {}
    assert not list((folder / "home").glob("*.new"))


@pytest.fixture(scope="module")
def second_run(
    first_run: subprocess.CompletedProcess[str], folder: Path
) -> Iterator[LoggedProcess]:
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    process = LoggedProcess(
        command(folder), log_path=folder / "second.log", env=environment(folder)
    )
    with process:
        process.wait_ready(
            lambda: "\nready" in process.log_text(), what="the line `ready`", timeout=120
        )
        yield process
    wait_until(lambda: running(folder) == [], what="nothing runs", timeout=30)


def test_the_second_start_uses_the_same_data(second_run: LoggedProcess, folder: Path) -> None:
    assert "Using the data of the last run" in second_run.log_text()
    assert "Ingest" not in result(folder)["seconds"]
    assert result(folder)["counts"]["indexed"] > 50
    assert result(folder)["state"] == "ready"


def test_the_urls_answer_and_the_pids_run(second_run: LoggedProcess, folder: Path) -> None:
    found = result(folder)
    session = requests.Session()
    session.trust_env = False
    assert session.get(found["urls"]["search"], timeout=10).status_code == 200
    assert session.get(found["urls"]["hub"] + "/health", timeout=10).status_code == 200
    assert set(found["pids"]) == {"quickstart", "warehouse", "hub", "search_service", "action"}
    assert all(psutil.pid_exists(pid) for pid in found["pids"].values())
    assert found["pids"]["quickstart"] == second_run.pid


def test_a_second_quickstart_on_the_same_home_is_refused(
    second_run: LoggedProcess, folder: Path
) -> None:
    refused = subprocess.run(
        command(folder),
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert f"another quickstart (process {second_run.pid}) runs" in refused.stderr
    assert second_run.alive


def test_the_environment_file_lets_the_stock_command_reach_the_hub(
    second_run: LoggedProcess, folder: Path
) -> None:
    urn = "urn:li:dataset:(urn:li:dataPlatform:postgres,bookshop.crm.customers,PROD)"
    shell = f'source "{folder}/home/env.sh" && "{script("datahub")}" exists --urn "{urn}"'
    done = subprocess.run(
        ["/bin/bash", "-c", shell],
        env=clean_env(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "true"), done.stderr


def test_a_kill_leaves_nothing_running(second_run: LoggedProcess, folder: Path) -> None:
    pids = [pid for name, pid in result(folder)["pids"].items() if name != "quickstart"]
    os.kill(second_run.pid, signal.SIGKILL)
    second_run.wait(timeout=20)
    wait_until(lambda: running(folder) == [], what="nothing runs", timeout=30)
    assert not any(psutil.pid_exists(pid) for pid in pids)
