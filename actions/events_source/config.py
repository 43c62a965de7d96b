"""The recipe's `source.config` of `dataspoke-events`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from datahub.configuration import ConfigModel
from pydantic import Field, SecretStr, field_validator, model_validator

from dataspoke.core.recipe import read_section

MCL_TOPIC: Final = "MetadataChangeLog_Versioned_v1"
TIMESERIES_TOPIC: Final = "MetadataChangeLog_Timeseries_v1"
PLATFORM_EVENT_TOPIC: Final = "PlatformEvent_v1"

Topic = Literal[
    "MetadataChangeLog_Versioned_v1", "MetadataChangeLog_Timeseries_v1", "PlatformEvent_v1"
]


class EventsSourceConfig(ConfigModel):
    """What to follow, from where, and where to keep the position."""

    topics: list[Topic] = Field(
        default=[MCL_TOPIC],
        min_length=1,
        description=(
            "Topics to follow; one name is accepted too. More topics cost no latency: each has "
            "a poller of its own. Profiles, operations, usage and assertion results are on "
            "MetadataChangeLog_Timeseries_v1."
        ),
    )
    start: Literal["latest", "lookback"] = Field(
        default="latest",
        description=(
            "Where a pipeline without a stored position begins: with the next event, or "
            "`lookback_days` ago. Also used when DataHub no longer knows the stored position."
        ),
    )
    lookback_days: int | None = Field(
        default=None,
        ge=1,
        le=365,
        description="Days to go back with `start: lookback`. Bounded by DataHub's retention.",
    )
    poll_timeout_seconds: int = Field(
        default=2,
        ge=1,
        le=10,
        description=(
            "How long DataHub may wait for events in one poll, in seconds. DataHub 1.7 waits "
            "this long even when it has found some, so it bounds the latency from below."
        ),
    )
    limit: int = Field(
        default=500, ge=1, le=5000, description="Most events in one poll; a batch, for the offset."
    )
    redeliver_after_seconds: float = Field(
        default=5.0,
        gt=0,
        le=3600,
        description=(
            "How long a batch waits for acknowledgements that did not come, in seconds, before "
            "it is delivered again; doubled each time up to a minute."
        ),
    )
    home: Path | None = Field(
        default=None,
        description="Folder of Data Spoke's data. Default: DATASPOKE_HOME, else ~/.dataspoke.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description=(
            "SQLAlchemy URL of the database that keeps positions and unreadable events. "
            "Default: DATASPOKE_DATABASE_URL, else SQLite under `home`."
        ),
    )

    @field_validator("topics", mode="before")
    @classmethod
    def _one_topic_is_a_list(cls, value: Any) -> Any:
        topics = [value] if isinstance(value, str) else value
        return list(dict.fromkeys(topics)) if isinstance(topics, list) else topics

    @model_validator(mode="after")
    def _lookback_has_days(self) -> Self:
        if self.start == "lookback" and self.lookback_days is None:
            raise ValueError("start: lookback needs lookback_days; set it to 1 or more")
        if self.start == "latest" and self.lookback_days is not None:
            raise ValueError("lookback_days has no effect with start: latest; set start: lookback")
        return self

    @property
    def lookback(self) -> int | None:
        """Days to go back without a position, None for the end of the stream."""
        return self.lookback_days if self.start == "lookback" else None


def read_config(values: Mapping[str, Any] | None) -> EventsSourceConfig:
    """Check `source.config`; ConfigError names each wrong key by its full path."""
    return read_section(EventsSourceConfig, values, path="source.config")
