"""`dataspoke work`: looking at open rows and dead letters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dataspoke.cli import work
from dataspoke.core.errors import ConfigError
from dataspoke.core.store.database import Database
from dataspoke.core.work.model import Priority, Work
from dataspoke.core.work.table import SqlWorkTable

NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATASPOKE_HOME", str(tmp_path))
    monkeypatch.delenv("DATASPOKE_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def table(tmp_path: Path) -> SqlWorkTable:
    return SqlWorkTable(Database.open(f"sqlite:///{tmp_path / 'dataspoke.db'}"))


def run(*args: str) -> Result:
    return CliRunner().invoke(work.app, args, catch_exceptions=False)


def bury(table: SqlWorkTable, *keys: str) -> None:
    for key in keys:
        table.bury_event(
            "sync", key, payload={}, reason=f"Cannot read {key}.", error_type="E", now=NOW
        )


def test_an_empty_table_has_nothing_to_show(table: SqlWorkTable) -> None:
    assert "Dead letters: none." in run("list").stdout
    assert "Open work: none." in run("list", "--open").stdout
    assert json.loads(run("list", "--json").stdout) == []


def test_dead_letters_are_listed_with_their_reasons(table: SqlWorkTable) -> None:
    bury(table, "urn:li:tag:a")
    shown = run("list").stdout
    assert "urn:li:tag:a" in shown
    assert "Cannot read urn:li:tag:a." in shown
    (letter,) = json.loads(run("list", "--json").stdout)
    assert letter["key"] == "urn:li:tag:a"
    assert letter["failed at"].startswith("2027-01-15")


def test_open_rows_are_listed_too(table: SqlWorkTable) -> None:
    table.put([Work("sync", "urn:li:tag:a", priority=Priority.EDIT)], now=NOW)
    (row,) = json.loads(run("list", "--open", "--json").stdout)
    assert (row["kind"], row["key"], row["priority"]) == ("sync", "urn:li:tag:a", 10)


def test_the_status_counts(table: SqlWorkTable) -> None:
    table.put([Work("sync", "a"), Work("sync", "b", not_before=NOW * 2)], now=NOW)
    bury(table, "c")
    status = json.loads(run("status", "--json").stdout)
    assert (status["ready"], status["delayed"], status["leased"], status["dead"]) == (1, 1, 0, 1)
    assert "ready" in run("status").stdout


def test_dead_letters_come_back_or_go(table: SqlWorkTable) -> None:
    bury(table, "a", "b", "c")
    first, second, _ = sorted(letter.id for letter in table.dead_letters(limit=10))
    assert run("retry", str(first)).stdout == "1 dead letters are work again.\n"
    assert [claim.work.key for claim in table.list_open(limit=10)] == ["a"]
    assert run("drop", str(second)).stdout == "1 dead letters are gone.\n"
    assert run("retry", "--all").stdout == "1 dead letters are work again.\n"
    assert table.stats(now=NOW).dead == 0


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_which_dead_letters_must_be_said(table: SqlWorkTable, command: str) -> None:
    for args in ((command,), (command, "1", "--all")):
        with pytest.raises(ConfigError, match="--all"):
            run(*args)
