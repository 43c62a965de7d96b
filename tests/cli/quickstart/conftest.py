"""Folders for a real PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def server_folder() -> Iterator[Path]:
    """A folder beside pytest's own.

    As root, PostgreSQL runs as another user, and every pytest that starts makes the folder of
    all `tmp_path`s impassable to others again.
    """
    with tempfile.TemporaryDirectory(prefix="dataspoke-test-") as folder:
        yield Path(folder).resolve()
