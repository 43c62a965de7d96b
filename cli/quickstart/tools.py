"""The commands that the quickstart runs, and the environment that they run in."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from dataspoke.cli.quickstart.home import Home
from dataspoke.cli.quickstart.ports import LOOPBACK
from dataspoke.cli.quickstart.postgres import Warehouse
from dataspoke.core.errors import ConfigError, require

_OTHER_INSTALLATIONS = ("DATAHUB_", "DATASPOKE_", "KAFKA_", "SCHEMA_REGISTRY_")
_KEPT = ("DATASPOKE_MODEL", "DATASPOKE_CACHE")
_EXTRAS = "actions,local,search"
_LIBRARIES = (
    ("datahub_actions", "run the action"),
    ("sqlalchemy", "keep the work table"),
    ("numpy", "search"),
    ("onnxruntime", "search"),
    ("qdrant_edge", "keep the index"),
    ("fastapi", "run the hub and the search service"),
    ("uvicorn", "run the hub and the search service"),
    ("graphql", "run the hub"),
    ("psycopg", "fill the warehouse"),
    ("psycopg2", "ingest from PostgreSQL"),
)


def require_libraries() -> None:
    """MissingExtraError for the first library that is missing, before anything is started."""
    for module, purpose in _LIBRARIES:
        if find_spec(module) is None:  # importing all of them would take seconds
            require(module, extra=_EXTRAS, purpose=purpose)


def tool(name: str) -> str:
    """The console script `name` of this installation."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise ConfigError(
            f"Cannot find the command '{name}' beside {sys.executable}. "
            "Run: pip install 'dataspoke[actions,local,search]'"
        )
    return found


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without the settings of other DataHub installations."""
    env = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or not name.startswith(_OTHER_INSTALLATIONS)
    }
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = ",".join(filter(None, (env.get(name), LOOPBACK, "localhost")))
    return env | {"DATAHUB_TELEMETRY_ENABLED": "false", "PYTHONUNBUFFERED": "1"}


def recipe_environment(
    home: Home, hub_url: str, warehouse: Warehouse, *, model: str
) -> dict[str, str]:
    """The variables that our recipes and commands need to work on this quickstart.

    Database and user are the defaults of the recipe: DataHub masks the value of every variable
    that a recipe names in its logs, and "postgres" stands in many lines.
    """
    return {
        "DATAHUB_GMS_URL": hub_url,
        "DATAHUB_TELEMETRY_ENABLED": "false",
        "DATASPOKE_HOME": str(home.data),
        "DATASPOKE_MODEL": model,
        "DATASPOKE_GOVERNANCE_FILE": str(home.governance_file),
        "DATASPOKE_WAREHOUSE_HOST_PORT": warehouse.host_port,
        "DATASPOKE_WAREHOUSE_PASSWORD": warehouse.password,
    }
