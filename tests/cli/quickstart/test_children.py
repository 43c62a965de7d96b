"""Programs end with the quickstart, whatever ends it, and say why they failed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from logged_process import wait_until

from dataspoke.cli.quickstart.children import Children, Program, wait_for_leftovers
from dataspoke.core.errors import FatalError

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
PARENT_OF_ONE = (
    "import subprocess, sys; "
    f"print(subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]).pid, flush=True); " + SLEEPER
)
# A quickstart in small: starts two programs, says their pids, and sleeps.
MINIATURE = textwrap.dedent(
    """
    import signal, sys, time
    from pathlib import Path
    from dataspoke.cli.quickstart.children import Children, Program
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a test run under nohup ignores it
    folder = Path(sys.argv[1])
    children = Children(folder, folder / "lock")
    for name, code in (("one", sys.argv[2]), ("two", sys.argv[3])):
        child = children.start(Program(name, [sys.executable, "-c", code], {}, grace_seconds=1))
        print(child.pid, flush=True)
    time.sleep(600)
    """
)


def program(code: str, *, name: str = "program", grace: float = 5) -> Program:
    return Program(name, [sys.executable, "-c", code], dict(os.environ), grace_seconds=grace)


def gone(pid: int) -> bool:
    """Ended; a zombie whose parent has not asked for it has ended, too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    made = Children(tmp_path, tmp_path / "lock")
    yield made
    made.stop()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_nothing_survives_the_death_of_the_quickstart(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-c", MINIATURE, str(tmp_path), SLEEPER, STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as miniature:
        assert miniature.stdout is not None
        pids = [int(miniature.stdout.readline()) for _ in range(2)]
        wait_until(lambda: "up" in (tmp_path / "two.log").read_text(), what="two is up")
        miniature.send_signal(how)
        try:
            miniature.wait(10)
        finally:
            miniature.kill()
    for pid in pids:
        wait_until(lambda pid=pid: gone(pid), what=f"{pid} is gone", timeout=20)
    wait_for_leftovers(tmp_path / "lock", timeout=20)


def test_a_program_survives_neither_its_guard(children: Children) -> None:
    child = children.start(program(SLEEPER))
    psutil.Process(psutil.Process(child.pid).ppid()).kill()
    wait_until(lambda: gone(child.pid), what="the program is gone")
    with pytest.raises(FatalError, match="program ended"):
        children.check()


def test_what_a_program_started_ends_with_it(children: Children) -> None:
    child = children.start(program(PARENT_OF_ONE))
    wait_until(lambda: child.log_text().count("up") == 2, what="both are up")
    grandchild = int(child.log_text().split()[0])
    children.stop()
    wait_until(lambda: gone(grandchild), what="the grandchild is gone")


def test_who_ignores_its_stop_signal_is_killed_after_its_grace(children: Children) -> None:
    child = children.start(program(STUBBORN, grace=0.5))
    wait_until(lambda: "up" in child.log_text(), what="it is up")
    started = time.monotonic()
    children.stop()
    assert time.monotonic() - started >= 0.4
    assert gone(child.pid)


def test_stopping_twice_is_stopping_once(children: Children) -> None:
    child = children.start(program(SLEEPER))
    children.stop()
    children.stop()
    assert gone(child.pid)


def test_a_program_that_ends_by_itself_is_an_error_with_the_tail_of_its_log(
    children: Children,
) -> None:
    child = children.start(program("print('no index here'); raise SystemExit(3)", name="search"))
    wait_until(lambda: child.returncode is not None, what="it has ended")
    with pytest.raises(FatalError, match=r"search ended with exit code 3.*search\.log") as raised:
        children.check()
    assert "no index here" in str(raised.value)


def test_the_first_error_of_a_long_log_is_shown_with_its_tail(children: Children) -> None:
    code = "print('ValueError: bad key'); print('report\\n' * 50); raise SystemExit(1)"
    with pytest.raises(FatalError, match="ValueError: bad key"):
        children.run(program(code), timeout=30)


def test_only_the_log_of_this_run_is_shown(children: Children) -> None:
    (children.logs / "program.log").write_text("an old story\n")
    with pytest.raises(FatalError) as raised:
        children.run(program("raise SystemExit('a new story')"), timeout=30)
    assert "a new story" in str(raised.value)
    assert "old" not in str(raised.value)


def test_a_job_that_takes_too_long_is_stopped(children: Children) -> None:
    with pytest.raises(FatalError, match="longer than 1 s"):
        children.run(program(SLEEPER), timeout=1)
    assert gone(children.jobs[0].pid)


def test_a_job_that_succeeds_is_no_error(children: Children) -> None:
    child = children.run(program("print('done')"), timeout=30)
    children.check()
    assert child.last_line() == "done"


def test_a_program_that_cannot_be_found_is_named(children: Children) -> None:
    with pytest.raises(FatalError, match=r"ghost ended with exit code 1(?s:.*)FileNotFoundError"):
        children.run(Program("ghost", ["/no/such/program"], {}), timeout=30)


def test_who_comes_next_waits_for_the_programs_of_the_run_before(children: Children) -> None:
    children.start(program(SLEEPER))
    with pytest.raises(FatalError, match="still run"):
        wait_for_leftovers(children.lock_path, timeout=0.3)
    children.stop()
    wait_for_leftovers(children.lock_path, timeout=5)
