"""Settings from the environment: one frozen value, read once at the edge and passed down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dataspoke.core.errors import ConfigError

DEFAULT_GMS_URL = "http://localhost:8080"
DEFAULT_MODEL = "all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class Settings:
    """What every process of Data Spoke shares.

    `database_url` is a SQLAlchemy URL. `qdrant_url` None means the embedded engine under
    `home`. `now` freezes the clock for repeatable runs. What may hold a secret is not printed.
    """

    home: Path
    gms_url: str
    gms_token: str | None = field(repr=False)
    frontend_url: str | None
    database_url: str = field(repr=False)
    qdrant_url: str | None
    qdrant_api_key: str | None = field(repr=False)
    model: str
    now: datetime | None

    @property
    def index_dir(self) -> Path:
        """The folder of the embedded index; one process owns it at a time."""
        return self.home / "index"

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, home: Path | None = None) -> Settings:
        """Read the DATASPOKE_* and DATAHUB_* variables; `home` wins over DATASPOKE_HOME."""
        home = (home or Path(environ.get("DATASPOKE_HOME") or "~/.dataspoke")).expanduser()
        home = home.absolute()
        return cls(
            home=home,
            gms_url=(environ.get("DATAHUB_GMS_URL") or DEFAULT_GMS_URL).rstrip("/"),
            gms_token=(environ.get("DATAHUB_GMS_TOKEN") or "").strip() or None,
            frontend_url=(environ.get("DATAHUB_FRONTEND_URL") or "").rstrip("/") or None,
            database_url=environ.get("DATASPOKE_DATABASE_URL")
            or f"sqlite:///{home / 'dataspoke.db'}",
            qdrant_url=environ.get("DATASPOKE_QDRANT_URL") or None,
            qdrant_api_key=environ.get("DATASPOKE_QDRANT_API_KEY") or None,
            model=environ.get("DATASPOKE_MODEL") or DEFAULT_MODEL,
            now=_parse_now(environ.get("DATASPOKE_NOW")),
        )


def _parse_now(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        now = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(
            f"Cannot read DATASPOKE_NOW: {text!r} is no ISO 8601 time. "
            "Write it as 2026-11-01T00:00:00+00:00."
        ) from exc
    return now if now.tzinfo else now.replace(tzinfo=UTC)
