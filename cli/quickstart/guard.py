"""Runs one program and ends it when the process that asked for it is gone.

A script of the standard library alone, started by file name, so that it is there in 30 ms. Its
standard input is a pipe whose other end only the quickstart holds: end of file means that the
quickstart closed it or died, even of kill -9. Then the program gets its stop signal, a grace
period, and SIGKILL with its whole process group. Should the guard itself be killed, Linux sends
the stop signal for it.

The shared lock on `--lock` is held while the program lives: who gets it exclusively knows that
nothing of an earlier run is left.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

_PR_SET_PDEATHSIG = 1


def _signal_on_death_of_parent(number: int) -> Callable[[], None] | None:
    """What the child runs before its exec; after setuid, which would clear the setting."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def request() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return request


def _stop(child: subprocess.Popen[bytes], number: int, grace: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(number)
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        _kill_group(child.pid)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a program as long as stdin stays open.")
    parser.add_argument("--lock", required=True)
    parser.add_argument("--pid-fd", type=int, required=True, help="where to write its pid")
    parser.add_argument("--stop-signal", type=int, default=signal.SIGTERM)
    parser.add_argument("--grace", type=float, default=10.0, help="seconds until SIGKILL")
    parser.add_argument("--user", type=int, help="uid to run as")
    parser.add_argument("--group", type=int, help="gid to run as, with --user")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def main() -> int:
    """Run the program; returns its exit code, 128 + n if signal n ended it."""
    options = _arguments()
    lock = os.open(options.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    identity = {}
    if options.user is not None:
        identity = {"user": options.user, "group": options.group, "extra_groups": []}
    # In a session of its own, Ctrl-C in the terminal reaches the quickstart alone.
    child = subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_signal_on_death_of_parent(options.stop_signal),
        **identity,
    )
    os.write(options.pid_fd, b"%d\n" % child.pid)
    os.close(options.pid_fd)

    def stop() -> None:
        _stop(child, options.stop_signal, options.grace)

    def stop_at_end_of_input() -> None:
        while os.read(0, 4096):
            pass
        stop()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=stop).start()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    code = child.wait()
    _kill_group(child.pid)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
