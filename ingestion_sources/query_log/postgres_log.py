"""What PostgreSQL's jsonlog and csvlog lines say. Pure: text in, statements out.

Formats: https://www.postgresql.org/docs/current/runtime-config-logging.html
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from dataspoke.core.errors import SkippableError

_CSV_FIELDS = {
    "timestamp": 0,
    "user": 1,
    "dbname": 2,
    "session_id": 5,
    "error_severity": 11,
    "message": 13,
    "application_name": 22,
}

# log_statement and log_min_duration_statement write these; `parse` and `bind` repeat the text
# of the `execute` that follows them.
_STATEMENT = re.compile(
    r"(?:duration: [\d.]+ ms\s+)?(?:statement|execute [^:]*): (?P<sql>.*)", re.DOTALL
)
_AUDIT = re.compile(r"AUDIT: (?:SESSION|OBJECT),(?P<rest>.*)", re.DOTALL)
_AUDIT_STATEMENT = 6
_NO_TABLES = re.compile(
    r"\s*(begin|start transaction|commit|rollback|end|savepoint|release|set|reset|show|discard|"
    r"deallocate|listen|unlisten|notify|fetch|close|declare|checkpoint|vacuum|analyze|lock)\b",
    re.IGNORECASE,
)
_TIMESTAMP = re.compile(
    r"(?P<moment>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) (?P<zone>[A-Za-z]+|[+-]\d\d(?::?\d\d)?)"
)


class Skipped(StrEnum):
    """Why a line that could be read is no statement for us."""

    NOT_A_STATEMENT = "not a statement"
    NO_TABLES = "names no tables"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of the log, as far as we use it."""

    timestamp: str
    user: str
    database: str
    session_id: str
    severity: str
    message: str
    application: str


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL that a user ran; `timestamp` is aware, in UTC."""

    sql: str
    timestamp: datetime
    user: str
    database: str
    session_id: str
    application: str


def json_record(line: str) -> LogRecord:
    """A line of a jsonlog file. Raises SkippableError when it is none."""
    try:
        value = json.loads(line)
    except ValueError as exc:
        raise SkippableError(f"Cannot read a log line: it is no JSON ({exc}).") from exc
    if not isinstance(value, dict) or "timestamp" not in value:
        raise SkippableError("Cannot read a log line: it is no object with a `timestamp`.")
    return LogRecord(
        timestamp=str(value["timestamp"]),
        user=str(value.get("user", "")),
        database=str(value.get("dbname", "")),
        session_id=str(value.get("session_id", "")),
        severity=str(value.get("error_severity", "")),
        message=str(value.get("message", "")),
        application=str(value.get("application_name", "")),
    )


def csv_record(row: Sequence[str]) -> LogRecord:
    """A row of a csvlog file. Raises SkippableError when it has too few fields."""
    if len(row) <= _CSV_FIELDS["application_name"]:
        raise SkippableError(f"Cannot read a log line: a csvlog row of only {len(row)} fields.")
    return LogRecord(
        timestamp=row[_CSV_FIELDS["timestamp"]],
        user=row[_CSV_FIELDS["user"]],
        database=row[_CSV_FIELDS["dbname"]],
        session_id=row[_CSV_FIELDS["session_id"]],
        severity=row[_CSV_FIELDS["error_severity"]],
        message=row[_CSV_FIELDS["message"]],
        application=row[_CSV_FIELDS["application_name"]],
    )


def csv_rows(lines: Iterator[str]) -> Iterator[list[str]]:
    """Rows of a csvlog file; a statement may span lines."""
    return csv.reader(lines, strict=False)


def statement_of(record: LogRecord, zone: ZoneInfo) -> Statement | Skipped:
    """The SQL of a record, or why there is none. Raises SkippableError on a bad timestamp."""
    if record.severity != "LOG":
        return Skipped.NOT_A_STATEMENT
    sql = _sql_of(record.message)
    if not sql:
        return Skipped.NOT_A_STATEMENT
    if _NO_TABLES.match(sql):
        return Skipped.NO_TABLES
    return Statement(
        sql=sql,
        timestamp=to_utc(record.timestamp, zone),
        user=record.user,
        database=record.database,
        session_id=record.session_id,
        application=record.application,
    )


def to_utc(text: str, zone: ZoneInfo) -> datetime:
    """`2026-11-01 10:00:00.123 UTC` in UTC; an abbreviation other than UTC means `zone`.

    >>> to_utc("2026-11-01 10:00:00.5 CET", ZoneInfo("Europe/Prague")).isoformat()
    '2026-11-01T09:00:00.500000+00:00'
    """
    match = _TIMESTAMP.fullmatch(text.strip())
    if match is None:
        raise SkippableError(f"Cannot read a log line: {text[:40]!r} is no timestamp.")
    try:
        return _in_utc(match["moment"], match["zone"], zone)
    except ValueError as exc:
        raise SkippableError(f"Cannot read a log line: {text[:40]!r} is no timestamp.") from exc


def _in_utc(moment: str, name: str, zone: ZoneInfo) -> datetime:
    if name.upper() in ("UTC", "GMT", "Z"):
        return datetime.fromisoformat(f"{moment}+00:00")
    if name[0] in "+-":
        return datetime.fromisoformat(f"{moment}{name}").astimezone(UTC)
    return datetime.fromisoformat(moment).replace(tzinfo=zone).astimezone(UTC)


def _sql_of(message: str) -> str:
    match = _STATEMENT.fullmatch(message)
    if match is not None:
        return match["sql"].strip()
    audit = _AUDIT.fullmatch(message)
    if audit is None:
        return ""
    fields = next(csv.reader([audit["rest"].replace("\n", " ")]), [])
    return fields[_AUDIT_STATEMENT].strip() if len(fields) > _AUDIT_STATEMENT else ""
