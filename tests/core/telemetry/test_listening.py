"""Where a server listens, and what is said when it cannot."""

from __future__ import annotations

import socket

import pytest

from dataspoke.core.errors import ConfigError
from dataspoke.core.telemetry.listening import listen, url_of


def test_port_zero_takes_a_free_port() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert url_of(listener) == f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_answers_are_not_held_back() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("no-such-name.invalid", "this name has no address here"),
        ("192.0.2.1", "Give another --host or --port"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_sentence(host: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"Cannot listen on {host}.*{sentence}"):
        listen(host, 0)


def test_a_busy_port_is_a_sentence() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}: another process uses this port"):
            listen("127.0.0.1", port)
