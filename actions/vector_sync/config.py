"""The recipe's `action.config` of `dataspoke-vector-sync`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datahub.configuration import ConfigModel
from pydantic import Field, SecretStr

from dataspoke.core.recipe import read_section
from dataspoke.core.settings import Settings


class VectorSyncConfig(ConfigModel):
    """Where work and index live, and who does the work."""

    home: Path | None = Field(
        default=None,
        description="Folder of Data Spoke's data. Default: DATASPOKE_HOME, else ~/.dataspoke.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description=(
            "SQLAlchemy URL of the database with the work table. Default: "
            "DATASPOKE_DATABASE_URL, else SQLite under `home`. It must outlive the process."
        ),
    )
    qdrant_url: str | None = Field(
        default=None,
        description=(
            "URL of a Qdrant server. Default: DATASPOKE_QDRANT_URL; if that is unset too, the "
            "embedded index under `home`, which the search service owns."
        ),
    )
    qdrant_api_key: SecretStr | None = Field(
        default=None, description="Key of the Qdrant server. Default: DATASPOKE_QDRANT_API_KEY."
    )
    model: str | None = Field(
        default=None,
        description=(
            "Embedding model: a name, a folder, or `hash` for tests. Default: DATASPOKE_MODEL. "
            "The search service must use the same."
        ),
    )
    workers: int = Field(
        default=2,
        ge=0,
        le=32,
        description=(
            "Threads that do the work. With two, one reads while the other embeds. 0 = none "
            "here: run `dataspoke worker` elsewhere."
        ),
    )
    health_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description=(
            "Port of /healthz, /readyz and /metrics. Unset = no such server; 0 = any free port, "
            "which the log names."
        ),
    )
    health_host: str = Field(
        default="127.0.0.1",
        description="Address that the health server listens on; 0.0.0.0 inside a container.",
    )
    reconcile_on_start: bool = Field(
        default=True,
        description=(
            "Compare index and DataHub once after the stream is joined: on the first start with "
            "a model, and after the index was lost. Needs workers above 0."
        ),
    )
    max_removal_share: float = Field(
        default=0.3,
        ge=0.0,
        le=1.0,
        description=(
            "Largest share of the index (0 to 1) that may vanish within an hour because DataHub "
            "no longer knows the entities, without delete events; 20 points always may."
        ),
    )
    batch_size: int = Field(
        default=256,
        ge=1,
        le=2000,
        description=(
            "Most rows of work that a thread claims at once. It claims fewer while each takes long."
        ),
    )
    lease_seconds: int = Field(
        default=15,
        ge=5,
        le=3600,
        description=(
            "After so long without a heartbeat a thread counts as dead and others take its rows: "
            "what was in hand at a kill waits that long after the restart."
        ),
    )

    def settings(self, environ: Mapping[str, str]) -> Settings:
        """The environment's settings with what the recipe sets instead."""
        values = {
            "DATASPOKE_DATABASE_URL": _secret(self.database_url),
            "DATASPOKE_QDRANT_URL": self.qdrant_url,
            "DATASPOKE_QDRANT_API_KEY": _secret(self.qdrant_api_key),
            "DATASPOKE_MODEL": self.model,
        }
        chosen = {name: value for name, value in values.items() if value}
        return Settings.from_env({**environ, **chosen}, home=self.home)


def read_config(values: Mapping[str, Any] | None) -> VectorSyncConfig:
    """Check `action.config`; ConfigError names each wrong key by its full path."""
    return read_section(VectorSyncConfig, values, path="action.config")


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
