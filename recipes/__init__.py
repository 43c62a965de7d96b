"""The recipes that ship with Data Spoke, for `datahub ingest -c` and `datahub actions -c`."""

from __future__ import annotations

from pathlib import Path

from dataspoke.core.errors import ConfigError

FOLDER = Path(__file__).parent


def recipe_files() -> list[Path]:
    """All recipes, sorted by path."""
    return sorted(FOLDER.rglob("*.yml"))


def recipe_path(name: str) -> Path:
    """The file of a recipe named as in this folder: `actions/vector_sync.yml`."""
    path = FOLDER / name
    if not path.is_file():
        known = ", ".join(str(file.relative_to(FOLDER)) for file in recipe_files())
        raise ConfigError(f"Cannot find the recipe '{name}': these exist: {known}.")
    return path
