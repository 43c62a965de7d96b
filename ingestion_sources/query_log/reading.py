"""From log files to what their queries say: which file, which lines, which of them count."""

from __future__ import annotations

import csv
import glob
import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.ingestion.api.common import PipelineContext
from datahub.metadata.urns import CorpUserUrn
from datahub.sql_parsing.sql_parsing_aggregator import ObservedQuery, SqlParsingAggregator

from dataspoke.core.errors import SkippableError
from dataspoke.ingestion_sources.query_log.config import LogFormat, QueryLogConfig
from dataspoke.ingestion_sources.query_log.postgres_log import (
    LogRecord,
    Skipped,
    Statement,
    csv_record,
    csv_rows,
    json_record,
    statement_of,
)
from dataspoke.ingestion_sources.query_log.report import QueryLogReport


class LogReading:
    """One run over the files; `report` says what became of each line."""

    def __init__(self, config: QueryLogConfig, ctx: PipelineContext) -> None:
        self.config = config
        self.report = QueryLogReport()
        self._zone = ZoneInfo(config.log_timezone)
        self._aggregator = SqlParsingAggregator(
            platform=config.platform,
            platform_instance=config.platform_instance,
            env=config.env,
            graph=ctx.graph,
            eager_graph_load=False,
            generate_usage_statistics=True,
            generate_query_usage_statistics=True,
            generate_operations=True,
            usage_config=config.usage,
            format_queries=False,
        )
        self.report.sql_aggregator = self._aggregator.report

    def read_all(self) -> None:
        for path in self._files():
            self._read(path)

    def results(self) -> Iterable[MetadataChangeProposalWrapper]:
        """Usage, lineage, operations and queries; once, after `read_all`."""
        return self._aggregator.gen_metadata()

    def close(self) -> None:
        self._aggregator.close()

    def _files(self) -> Iterator[Path]:
        for pattern in self.config.files:
            paths = matching(pattern)
            if not paths:
                self.report.failure(
                    title="No log files",
                    message="Cannot read the query log: no file matches a pattern of "
                    "source.config.files. Correct it, or run where the logs are.",
                    context=pattern,
                )
            yield from paths

    def _read(self, path: Path) -> None:
        kind = format_of(path, self.config.format)
        if kind is None:
            self.report.failure(
                title="Unknown log format",
                message="Cannot tell whether a log file is JSON or CSV by its name. "
                "Set source.config.format.",
                context=str(path),
            )
            return
        try:
            with _open(path) as stream:
                for record in self._records(stream, kind, path):
                    self._use(record, path)
        except (OSError, EOFError, zlib.error, csv.Error) as exc:
            self.report.failure(
                title="Log file not readable",
                message="Cannot read a log file to its end. Check its permissions and that it is "
                "whole; what was read before counts.",
                context=str(path),
                exc=exc,
            )
            return
        self.report.files_read.append(str(path))

    def _records(self, stream: TextIO, kind: LogFormat, path: Path) -> Iterator[LogRecord]:
        lines = (line for line in stream if line.strip())
        for item in csv_rows(lines) if kind == "csv" else lines:
            self.report.lines_read += 1
            try:
                yield csv_record(item) if isinstance(item, list) else json_record(item)
            except SkippableError as exc:
                self._unreadable(path, exc)

    def _use(self, record: LogRecord, path: Path) -> None:
        try:
            statement = statement_of(record, self._zone)
        except SkippableError as exc:
            self._unreadable(path, exc)
            return
        if statement is Skipped.NOT_A_STATEMENT:
            self.report.lines_not_a_statement += 1
        elif statement is Skipped.NO_TABLES:
            self.report.statements_without_tables += 1
        else:
            self._observe(statement)

    def _observe(self, statement: Statement) -> None:
        window = self.config.usage
        if not window.start_time <= statement.timestamp < window.end_time:
            self.report.statements_outside_the_window += 1
        elif self.config.databases and statement.database not in self.config.databases:
            self.report.statements_of_other_databases += 1
        elif statement.user in self.config.ignore_users:
            self.report.statements_of_ignored_users += 1
        else:
            self.report.statements_used += 1
            self.report.statements_by_user[statement.user] += 1
            self._aggregator.add_observed_query(
                ObservedQuery(
                    query=statement.sql,
                    session_id=statement.session_id,
                    timestamp=statement.timestamp,
                    user=self._user(statement.user),
                    default_db=statement.database,
                    default_schema=self.config.default_schema,
                )
            )

    def _user(self, name: str) -> CorpUserUrn:
        domain = self.config.email_domain
        return CorpUserUrn(f"{name}@{domain}" if domain else name)

    def _unreadable(self, path: Path, exc: SkippableError) -> None:
        self.report.lines_unreadable += 1
        self.report.unreadable_samples.append(f"{path}: {exc}")
        self.report.warning(
            title="Unreadable log line",
            message="A line of the query log was left out.",
            context=str(path),
            exc=exc,
            log=False,
        )


def matching(pattern: str) -> list[Path]:
    """The files that a pattern names, sorted; absolute patterns too, which Path.glob refuses."""
    return sorted(map(Path, glob.glob(str(Path(pattern).expanduser()), recursive=True)))  # noqa: PTH207


def format_of(path: Path, configured: LogFormat) -> LogFormat | None:
    """`json` or `csv`; None when `auto` cannot tell by the name.

    >>> format_of(Path("postgresql-Mon.csv.gz"), "auto")
    'csv'
    """
    if configured != "auto":
        return configured
    name = path.name.removesuffix(".gz")
    if name.endswith(".json"):
        return "json"
    return "csv" if name.endswith(".csv") else None


def _open(path: Path) -> TextIO:
    # A log cut off in the middle of a character must not end the run.
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return path.open(encoding="utf-8", errors="replace", newline="")
