"""Opening a database, and what happens when it is away, damaged or not ours."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from postgres_server import PostgresServer

from dataspoke.core.errors import (
    ConfigError,
    DataSpokeError,
    FatalError,
    MissingExtraError,
    RetriableError,
)
from dataspoke.core.store.database import Database
from dataspoke.core.store.schema import SCHEMA_VERSION
from dataspoke.core.store.state import StateStore


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _is_one_sentence_for_people(error: BaseException) -> bool:
    text = str(error)
    return text.startswith("Cannot ") and "\n" not in text and "sqlalche.me" not in text


def test_a_missing_folder_is_created(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "dataspoke.db"
    Database.open(_url(path)).close()
    assert [file.name for file in path.parent.iterdir()] == ["dataspoke.db"], "nothing left open"


def test_opening_again_finds_what_is_there(database_url: str) -> None:
    first = Database.open(database_url)
    StateStore(first).set("a", "1")
    first.close()
    second = Database.open(database_url)
    assert StateStore(second).get("a") == "1"
    second.close()


def test_many_first_starts_at_once_all_succeed(database_url: str) -> None:
    opened: list[Database] = []
    failures: list[BaseException] = []

    def start() -> None:
        try:
            opened.append(Database.open(database_url))
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with opened[0].reading() as conn:
        assert opened[0].run(conn, "SELECT version FROM dataspoke_schema").all() == [
            (SCHEMA_VERSION,)
        ]
        assert len(opened[0].run(conn, "SELECT * FROM dataspoke_fencing").all()) == 1
    for database in opened:
        database.close()


def test_an_exception_rolls_back_and_passes_through(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as conn:  # noqa: PT012
        database.run(conn, "INSERT INTO dataspoke_state (key, value) VALUES (?, ?)", ("a", "1"))
        _ = 1 // 0
    assert StateStore(database).get("a") is None


def test_a_fault_in_our_sql_is_not_hidden(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), database.reading() as conn:
        database.run(conn, "SELECT no_such_column FROM dataspoke_state")


def test_reading_does_not_wait_for_a_writer(database: Database) -> None:
    store = StateStore(database)
    store.set("a", "1")
    with database.transaction() as conn:
        database.run(conn, "UPDATE dataspoke_state SET value = ?", ("2",))
        assert store.get("a") == "1"
    assert store.get("a") == "2"


def test_an_older_schema_is_brought_up_to_date(database_url: str) -> None:
    database = Database.open(database_url)
    with database.transaction() as conn:
        database.run(conn, "ALTER TABLE dataspoke_index_points DROP COLUMN source_hash", ())
        database.run(conn, "UPDATE dataspoke_schema SET version = ?", (1,))
    database.close()
    again = Database.open(database_url)
    with again.reading() as conn:
        assert again.run(conn, "SELECT version FROM dataspoke_schema", ()).scalar() == 2
        assert again.run(conn, "SELECT source_hash FROM dataspoke_index_points", ()).all() == []
    again.close()


def test_a_newer_schema_is_refused_with_what_to_do(database_url: str) -> None:
    database = Database.open(database_url)
    with database.transaction() as conn:
        database.run(conn, "UPDATE dataspoke_schema SET version = ?", (SCHEMA_VERSION + 1,))
    database.close()
    said = rf"version {SCHEMA_VERSION + 1} .* knows version {SCHEMA_VERSION}\. Install the newer"
    with pytest.raises(FatalError, match=said):
        Database.open(database_url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://u:secret@h/d", "'mysql' is not supported"),
        ("postgresql+psycopg2://u:secret@h/d", r"'postgresql\+psycopg2' is not supported"),
        ("no url at all", "it is no database URL"),
        ("postgresql://u:secret@h:port/d", "it is no database URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////tmp/a.db?synchronous=off", "only .synchronous=normal"),
        ("sqlite:////tmp/a.db?mode=ro", "only .synchronous=normal"),
    ],
)
def test_a_wrong_url_is_the_operators_to_correct(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"DATASPOKE_DATABASE_URL: .*{says}") as caught:
        Database.open(url)
    assert "secret" not in str(caught.value)


def test_a_home_directory_may_be_written_as_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Database.open("sqlite:///~/ours.db").close()
    assert (tmp_path / "ours.db").exists()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 100)
    with pytest.raises(FatalError, match="is no SQLite database"):
        Database.open(_url(path))
    assert path.read_text() == "not a database\n" * 100


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    with pytest.raises(FatalError, match=r"another program .* 'bookmarks'"):
        Database.open(_url(path))


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "dataspoke.db"
    database = Database.open(_url(path))
    store = StateStore(database)
    for n in range(200):
        store.set(f"{n}", "x" * 500)
    database.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(FatalError, match="the file is damaged") as caught:  # noqa: PT012
        damaged = Database.open(_url(path))
        try:
            StateStore(damaged).items("")
        finally:
            damaged.close()
    assert _is_one_sentence_for_people(caught.value)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FatalError, match=r"Cannot create the folder .*: Not a directory"):
        Database.open(_url(tmp_path / "file" / "sub" / "dataspoke.db"))
    with pytest.raises(FatalError, match="Cannot"):
        Database.open(_url(tmp_path))


_OPEN = """
import os, sys
from dataspoke.core.errors import DataSpokeError
from dataspoke.core.store.database import Database
warm_up, url, user = sys.argv[1:]
Database.open(warm_up).close()
if user:
    os.setuid(int(user))
try:
    Database.open(url)
except DataSpokeError as exc:
    print(type(exc).__name__, exc)
"""


@pytest.mark.parametrize("forbidden", ["folder", "new folder", "file"])
def test_without_the_right_to_write_one_sentence_says_so(tmp_path: Path, forbidden: str) -> None:
    folder = tmp_path / "ours"
    path = folder / "dataspoke.db"
    folder.mkdir()
    if forbidden == "file":
        Database.open(_url(path)).close()
        path.chmod(0o444)
    if forbidden == "new folder":
        path = folder / "new" / "dataspoke.db"
    folder.chmod(0o555)
    for parent in (folder, *folder.parents):
        if parent != parent.parent and parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o055)
    # root may write anywhere: try it as nobody.
    user = "65534" if os.geteuid() == 0 else ""
    answer = subprocess.run(
        [sys.executable, "-c", _OPEN, _url(tmp_path / "warm-up.db"), _url(path), user],
        capture_output=True,
        text=True,
        check=True,
    )
    folder.chmod(0o755)
    assert answer.stdout.startswith("FatalError Cannot ")
    assert "DATASPOKE_DATABASE_URL" in answer.stdout
    assert len(answer.stdout.splitlines()) == 1


def test_a_file_locked_by_another_process_is_retriable_and_works_again(tmp_path: Path) -> None:
    url = _url(tmp_path / "dataspoke.db")
    database = Database.open(url, wait_ms=100)
    store = StateStore(database)
    store.set("a", "1")
    lock = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", lock, str(tmp_path / "dataspoke.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(RetriableError, match="another process keeps it locked"):
            store.set("a", "2")
        with pytest.raises(RetriableError, match="locked"), database.transaction():
            pass
        assert store.get("a") == "1", "reading goes on"
        assert other.stdin is not None
        other.stdin.close()
    store.set("a", "3")
    assert store.get("a") == "3"
    database.close()


def test_a_file_that_was_moved_away_is_retriable_until_it_is_back(tmp_path: Path) -> None:
    path, away = tmp_path / "dataspoke.db", tmp_path / "away.db"
    database = Database.open(_url(path))
    store = StateStore(database)
    store.set("a", "1")
    path.rename(away)
    for call in (lambda: store.set("a", "2"), lambda: store.get("a"), lambda: store.items("")):
        with pytest.raises(RetriableError, match=r"No such file .* Put the file back"):
            call()
    assert not path.exists(), "no empty database in its place"
    away.rename(path)
    store.set("b", "2")
    assert store.items("") == {"a": "1", "b": "2"}
    database.close()


def test_another_file_in_its_place_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "dataspoke.db"
    database = Database.open(_url(path))
    path.rename(tmp_path / "before.db")
    Database.open(_url(path)).close()
    with pytest.raises(FatalError, match=r"another file has taken its place\. Start"):
        StateStore(database).set("a", "1")
    database.close()


def test_tables_that_were_removed_under_us_are_said_to_be_gone(database: Database) -> None:
    with database.transaction() as conn:
        conn.exec_driver_sql("DROP TABLE dataspoke_state")
    with pytest.raises(FatalError, match="its tables were removed"):
        StateStore(database).set("a", "1")
    with pytest.raises(FatalError, match="its tables were removed"):
        StateStore(database).get("a")


@pytest.mark.parametrize(("option", "level"), [("", 1), ("?synchronous=full", 2)])
def test_the_url_may_ask_that_every_commit_reaches_the_disk(
    tmp_path: Path, option: str, level: int
) -> None:
    database = Database.open(_url(tmp_path / "dataspoke.db") + option)
    with database.reading() as conn:
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == level
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()


def test_a_slow_thread_of_ours_is_retriable_too(tmp_path: Path) -> None:
    database = Database.open(_url(tmp_path / "dataspoke.db"), wait_ms=50)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(30)
    with pytest.raises(RetriableError, match="another thread"):
        StateStore(database).set("a", "1")
    leave.set()
    thread.join()
    StateStore(database).set("a", "1")
    database.close()


def test_exhausted_connections_are_retriable(tmp_path: Path) -> None:
    database = Database.open(_url(tmp_path / "dataspoke.db"), wait_ms=50)
    with pytest.raises(RetriableError, match="connections are busy"):
        _read_nested(database, 100)
    assert StateStore(database).get("a") is None
    database.close()


def _read_nested(database: Database, depth: int) -> None:
    if depth:
        with database.reading():
            _read_nested(database, depth - 1)


def test_a_postgres_that_stops_is_retriable_and_works_again(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "server", fsync=False)
    server.start()
    try:
        database = Database.open(server.url)
        store = StateStore(database)
        store.set("a", "1")
        server.stop()
        for call in (lambda: store.set("a", "2"), lambda: store.get("a")):
            with pytest.raises(RetriableError, match="Cannot reach the database") as caught:
                call()
            assert _is_one_sentence_for_people(caught.value)
            assert server.password not in str(caught.value)
        with pytest.raises(RetriableError):
            Database.open(server.url)
        server.start()
        assert store.get("a") == "1"
        server.stop(immediate=True)
        server.start()
        store.set("a", "3")
        assert store.get("a") == "3", "a connection that died meanwhile goes unnoticed"
        database.close()
    finally:
        server.stop(immediate=True)


def test_a_postgres_that_dies_inside_a_transaction_is_retriable(
    postgres: PostgresServer, postgres_url: str
) -> None:
    database = Database.open(postgres_url)
    other = Database.open(postgres.url + "?application_name=killer")
    store = StateStore(database)
    with pytest.raises(RetriableError), database.transaction() as conn:  # noqa: PT012
        database.run(conn, "INSERT INTO dataspoke_state VALUES (?, ?)", ("a", "1"))
        with other.transaction() as kill:
            other.run(
                kill,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ?",
                ("dataspoke",),
            )
        database.run(conn, "SELECT 1")
    assert store.get("a") is None
    store.set("a", "2")
    assert store.get("a") == "2"
    database.close()
    other.close()


def test_a_wrong_database_name_is_the_operators_to_correct(postgres: PostgresServer) -> None:
    with pytest.raises(ConfigError, match=r"Cannot log in .*\"nope\" does not exist"):
        Database.open(postgres.url.replace("/postgres", "/nope"))


def test_a_role_without_rights_is_the_operators_to_correct(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as conn:
        conn.execute("CREATE ROLE poor LOGIN")
    url = f"postgresql://poor:secret@{postgres.host_port}/postgres"
    with pytest.raises(ConfigError, match="permission denied"):
        Database.open(url + "?options=-csearch_path%3Dpublic")


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dataspoke\[postgres\]'"):
        Database.open("postgresql://u:p@127.0.0.1/d")


def test_the_password_is_never_shown(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    assert "unused-but-asked-for" not in database.url_for_people
    assert database.url_for_people.startswith("postgresql://postgres:***@127.0.0.1")
    database.close()


def test_the_error_tree_holds_all_of_these() -> None:
    assert issubclass(MissingExtraError, ConfigError)
    assert issubclass(FatalError, DataSpokeError)
