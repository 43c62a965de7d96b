"""A listening socket for an HTTP server, and the sentence when there is none."""

from __future__ import annotations

import errno
import ipaddress
import socket

from dataspoke.core.errors import ConfigError

_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Listen on `host` and `port` (0 takes a free one). Raises ConfigError if that cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as exc:
        raise ConfigError(
            f"Cannot listen on {host}: this name has no address here ({exc.strerror}). "
            "Give another --host."
        ) from exc
    # asyncio turns Nagle's delay off only for sockets that say they are TCP: without it, each
    # answer would wait 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"Cannot listen on {host}:{port}: another process uses this port. "
                "Give another --port, or --port 0 for a free one."
            ) from exc
        raise ConfigError(
            f"Cannot listen on {host}:{port}: {exc.strerror}. Give another --host or --port."
        ) from exc
    return listener


def url_of(listener: socket.socket) -> str:
    """`http://HOST:PORT` of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
