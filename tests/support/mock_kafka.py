"""A Kafka broker for tests: librdkafka's mock cluster, in a process of its own.

It speaks the real protocol to real clients: groups, rebalances, commits. What it cannot do: it
keeps everything in memory, gives no fixed port, has no admin API, and keeps only the newest
5 MB of each partition; an older offset then follows the client's `auto.offset.reset` without a
word. Give load tests 16 partitions or more.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from logged_process import LoggedProcess, clean_env

TOPICS = (
    "MetadataChangeLog_Versioned_v1",
    "MetadataChangeLog_Timeseries_v1",
    "PlatformEvent_v1",
)
_PRODUCER = 0


class MockKafka(LoggedProcess):
    """The broker; `bootstrap` is HOST:PORT once it runs. A restart loses everything."""

    def __init__(
        self, home: Path, *, topics: tuple[str, ...] = TOPICS, partitions: int = 4
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(Path(__file__)), str(partitions), *topics]
        super().__init__(command, log_path=home / "mock_kafka.log", env=clean_env(home))
        self.bootstrap = ""

    def start(self) -> None:
        """Start it and wait until it has told its address."""
        self.bootstrap = ""
        self.log_path.unlink(missing_ok=True)
        super().start()
        self.wait_ready(self._read_bootstrap, what="the broker's address")

    def _read_bootstrap(self) -> bool:
        for line in self.log_text().splitlines():
            if line.startswith("bootstrap="):
                self.bootstrap = line.removeprefix("bootstrap=")
        return bool(self.bootstrap)

    def __enter__(self) -> MockKafka:
        super().__enter__()
        return self


def _librdkafka() -> ctypes.CDLL:
    """The library inside confluent_kafka's wheel, the very one that its clients use."""
    import confluent_kafka

    package = Path(confluent_kafka.__file__).parent
    bundled = sorted((package.parent / "confluent_kafka.libs").glob("librdkafka-*.so*"))
    bundled += sorted(package.glob(".dylibs/librdkafka*.dylib"))
    assert bundled, f"no librdkafka beside {package}"
    library = ctypes.CDLL(str(bundled[0]))
    pointers = ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new")
    for name in pointers:
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library


def main(partitions: int, topics: list[str]) -> None:
    """Serve until the process is ended."""
    import signal

    kafka = _librdkafka()
    error = ctypes.create_string_buffer(512)
    handle = kafka.rd_kafka_new(
        _PRODUCER, ctypes.c_void_p(kafka.rd_kafka_conf_new()), error, len(error)
    )
    assert handle, error.value.decode()
    cluster = ctypes.c_void_p(kafka.rd_kafka_mock_cluster_new(ctypes.c_void_p(handle), 1))
    assert cluster, "no mock cluster"
    for topic in topics:
        failed = kafka.rd_kafka_mock_topic_create(cluster, topic.encode(), partitions, 1)
        assert not failed, f"cannot create topic {topic}: error {failed}"
    bootstrap = kafka.rd_kafka_mock_cluster_bootstraps(cluster).decode()
    print(f"bootstrap={bootstrap}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
