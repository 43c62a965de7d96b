"""Log lines in, statements out."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.core.errors import SkippableError
from dataspoke.ingestion_sources.query_log.postgres_log import (
    LogRecord,
    Skipped,
    Statement,
    csv_record,
    csv_rows,
    json_record,
    statement_of,
    to_utc,
)

PRAGUE = ZoneInfo("Europe/Prague")


def record(message: str, severity: str = "LOG") -> LogRecord:
    return LogRecord("2026-11-01 10:00:00.123 UTC", "ada", "shop", "s1", severity, message, "psql")


@pytest.mark.parametrize(
    ("message", "sql"),
    [
        ("statement: SELECT 1 FROM t", "SELECT 1 FROM t"),
        ("statement: SELECT *\nFROM t", "SELECT *\nFROM t"),
        ("execute <unnamed>: SELECT $1 FROM t", "SELECT $1 FROM t"),
        ("execute q1: INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"),
        ("duration: 12.500 ms  statement: DELETE FROM t", "DELETE FROM t"),
        ("duration: 0.1 ms  execute a: UPDATE t SET a = 1", "UPDATE t SET a = 1"),
        ('AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,"select a, b from t",<none>', None),
        ("AUDIT: OBJECT,1,1,WRITE,INSERT,TABLE,public.t,insert into t values (1),<none>", None),
    ],
)
def test_a_statement_is_found_in_every_form_that_the_server_writes(
    message: str, sql: str | None
) -> None:
    found = statement_of(record(message), PRAGUE)
    if message.startswith("AUDIT"):
        # Class, id, sub-id, kind, command and object type stand before the name and the text.
        expected = "select a, b from t" if "select" in message else "insert into t values (1)"
    else:
        assert sql is not None
        expected = sql
    assert isinstance(found, Statement)
    assert found.sql == expected
    assert (found.user, found.database, found.session_id) == ("ada", "shop", "s1")
    assert found.timestamp == datetime(2026, 11, 1, 10, 0, 0, 123000, UTC)


@pytest.mark.parametrize(
    ("message", "severity", "why"),
    [
        ("connection received: host=[local]", "LOG", Skipped.NOT_A_STATEMENT),
        ("parse <unnamed>: SELECT 1 FROM t", "LOG", Skipped.NOT_A_STATEMENT),
        ("duration: 0.2 ms  bind a: SELECT 1", "LOG", Skipped.NOT_A_STATEMENT),
        ("statement: SELECT 1 FROM t", "ERROR", Skipped.NOT_A_STATEMENT),
        ("statement: BEGIN", "LOG", Skipped.NO_TABLES),
        ("statement:   set search_path to crm", "LOG", Skipped.NO_TABLES),
        ("AUDIT: SESSION,1", "LOG", Skipped.NOT_A_STATEMENT),
    ],
)
def test_what_is_no_statement_says_why(message: str, severity: str, why: Skipped) -> None:
    assert statement_of(record(message, severity), PRAGUE) is why


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01 10:00:00 UTC", "2026-11-01T10:00:00+00:00"),
        ("2026-11-01 10:00:00.5 GMT", "2026-11-01T10:00:00.500000+00:00"),
        ("2026-11-01 10:00:00 +02", "2026-11-01T08:00:00+00:00"),
        ("2026-11-01 10:00:00 -03:30", "2026-11-01T13:30:00+00:00"),
        ("2026-07-01 10:00:00 CEST", "2026-07-01T08:00:00+00:00"),
    ],
)
def test_timestamps_become_utc(text: str, expected: str) -> None:
    assert to_utc(text, PRAGUE).isoformat() == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01 10:00:00 UTC", "2026-11-01"])
def test_a_bad_timestamp_is_skippable(text: str) -> None:
    with pytest.raises(SkippableError):
        to_utc(text, PRAGUE)


@given(st.text())
def test_no_text_breaks_the_json_reader(line: str) -> None:
    try:
        found = json_record(line)
    except SkippableError:
        return
    assert isinstance(found, LogRecord)


@given(st.text(), st.sampled_from(["LOG", "ERROR", ""]))
def test_no_message_breaks_the_statement_reader(message: str, severity: str) -> None:
    found = statement_of(record(message, severity), PRAGUE)
    assert isinstance(found, Statement | Skipped)


def test_a_csv_row_may_span_lines_and_hold_quotes() -> None:
    fields = [""] * 26
    fields[0], fields[1], fields[2], fields[5] = "2026-11-01 10:00:00 UTC", "ada", "shop", "s1"
    fields[11], fields[22] = "LOG", "psql"
    fields[13] = 'statement: SELECT "a"\nFROM t'
    line = ",".join('"' + field.replace('"', '""') + '"' for field in fields)
    (row,) = csv_rows(iter(f"{line}\n".splitlines(keepends=True)))
    assert csv_record(row).message == 'statement: SELECT "a"\nFROM t'


def test_a_short_csv_row_is_skippable() -> None:
    with pytest.raises(SkippableError, match="only 2 fields"):
        csv_record(["a", "b"])
