"""TCP ports on the loopback."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def choose_port(wanted: int) -> int:
    """`wanted` if nobody listens on it, else a free one; 0 wants any free one."""
    return wanted if wanted and _is_free(wanted) else _any_free()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: what a closed server left behind does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
