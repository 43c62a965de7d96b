"""How the service writes its logs: for people, or one JSON object per line."""

from __future__ import annotations

import logging
import os
import stat
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import orjson

from dataspoke.core.errors import ConfigError
from dataspoke.search_service.observe import audit
from dataspoke.search_service.problems import correlation_id

_LONGEST = 2000
_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


class JsonFormatter(logging.Formatter):
    """`time` (ISO 8601, UTC), `level`, `logger`, `message`, `correlation_id`, the facts of the
    audit log, and `exception`. Every text is cut after 2,000 characters, an exception never."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:_LONGEST],
            "correlation_id": correlation_id.get(),
        }
        for name, value in getattr(record, "facts", {}).items():
            line[name] = value[:_LONGEST] if isinstance(value, str) else value
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        safe = {k: _readable(v) if isinstance(v, str) else v for k, v in line.items()}
        return orjson.dumps(safe).decode()


def set_up(*, json: bool, audit_log: Path | None) -> None:
    """For the whole process; `audit_log` is appended to, and opened again when it was moved away.

    Raises ConfigError when that file cannot be written.
    """
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if json else plain)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    if audit_log is None:
        audit.setLevel(logging.CRITICAL)
        return
    try:
        os.close(os.open(audit_log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, _OWNER_ONLY))
    except OSError as exc:
        raise ConfigError(
            f"Cannot write the audit log {audit_log}: {exc.strerror}. Correct DATASPOKE_AUDIT_LOG."
        ) from exc
    lines = WatchedFileHandler(audit_log, encoding="utf-8")
    lines.setFormatter(JsonFormatter())
    audit.addHandler(lines)
    audit.setLevel(logging.INFO)
    audit.propagate = False


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
