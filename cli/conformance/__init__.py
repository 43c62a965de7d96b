"""`dataspoke conformance`: what our plugins rely on, checked against any DataHub."""

from __future__ import annotations

from dataspoke.cli.conformance.command import app

__all__ = ["app"]
