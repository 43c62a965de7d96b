"""The options of the source `dataspoke-query-log`."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from datahub.configuration.source_common import EnvConfigMixin, PlatformInstanceConfigMixin
from datahub.ingestion.source.usage.usage_common import BaseUsageConfig
from pydantic import Field, field_validator

LogFormat = Literal["auto", "json", "csv"]


class QueryLogConfig(PlatformInstanceConfigMixin, EnvConfigMixin):
    """Usage, lineage, operations and queries from the logs that PostgreSQL writes anyway."""

    files: list[str] = Field(
        min_length=1,
        description="Log files or patterns: `/var/log/postgresql/*.json`. Files that end in "
        "`.gz` are unpacked while they are read. A pattern that matches nothing is a failure.",
    )
    format: LogFormat = Field(
        default="auto",
        description="`json` (log_destination = jsonlog) or `csv` (csvlog). `auto` goes by the "
        "file's name: `*.json` and `*.csv`, before `.gz`.",
    )
    platform: str = Field(
        default="postgres",
        description="Platform of the datasets that the queries name; it also sets the SQL dialect.",
    )
    databases: list[str] = Field(
        default=[], description="Read only the sessions in these databases. Empty: all."
    )
    ignore_users: list[str] = Field(
        default=[],
        description="Leave out what these database users run, such as a monitoring account or "
        "the account that DataHub's own profiler uses.",
    )
    default_schema: str = Field(
        default="public", description="Schema of tables that a query names without one."
    )
    log_timezone: str = Field(
        default="UTC",
        description="The server's `log_timezone`, as an IANA name such as `Europe/Prague`. It is "
        "used where a log line names a zone other than UTC, since abbreviations are ambiguous.",
    )
    email_domain: str | None = Field(
        default=None,
        description="When set, the user `ada` is linked to the DataHub user `ada@DOMAIN`; unset, "
        "to `ada`.",
    )
    usage: BaseUsageConfig = Field(
        default=BaseUsageConfig(),
        description="Time window (`start_time`, `end_time`; default: the last complete bucket up "
        "to now), `bucket_duration` (DAY or HOUR) and top queries.",
    )

    @field_validator("log_timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError) as exc:
            raise ValueError(f"{name!r} is no time zone: write one such as Europe/Prague") from exc
        return name
