"""`dataspoke quickstart`: the whole product on a real PostgreSQL, on this machine alone."""

from __future__ import annotations

from dataspoke.cli.quickstart.command import quickstart

__all__ = ["quickstart"]
