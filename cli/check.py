"""`dataspoke check`: does everything load that this installation promises?"""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, distribution
from pathlib import Path
from typing import Annotated, Any

import typer

from dataspoke.core.errors import ConfigError, MissingExtraError
from dataspoke.recipes import recipe_files

DISTRIBUTION = "dataspoke"
PLUGIN_GROUPS = ("datahub.ingestion.", "datahub_actions.")


def plugin_entry_points() -> list[EntryPoint]:
    """Our entry points into DataHub's CLI and its actions framework."""
    found = distribution(DISTRIBUTION).entry_points
    return sorted(
        (point for point in found if point.group.startswith(PLUGIN_GROUPS)),
        key=lambda point: (point.group, point.name),
    )


def load_plugin(point: EntryPoint) -> None:
    """Import a plugin; ConfigError says what is missing."""
    try:
        point.load()
    except MissingExtraError:
        raise
    except Exception as exc:
        raise ConfigError(
            f"Cannot load the plugin '{point.name}' of {point.group}: "
            f"{type(exc).__name__}: {exc}. Install its extra again, or report it to us."
        ) from exc


def check_recipe(path: Path) -> str:
    """Parse a recipe against the config classes that its plugins declare; returns its kind."""
    from datahub.configuration.config_loader import load_config_file

    try:
        recipe: dict[str, Any] = load_config_file(path)
        if "action" in recipe:
            _check_action_recipe(recipe)
            return "action"
        _check_ingest_recipe(recipe)
    except ConfigError:
        raise
    except Exception as exc:
        raise ConfigError(f"Cannot use the recipe {path}: {exc}") from exc
    return "ingest"


def _check_ingest_recipe(recipe: dict[str, Any]) -> None:
    from datahub.ingestion.run.pipeline_config import PipelineConfig
    from datahub.ingestion.source.source_registry import source_registry
    from datahub.ingestion.transformer.transform_registry import transform_registry

    config = PipelineConfig.model_validate(recipe)
    source = source_registry.get(config.source.type)
    source.get_config_class().model_validate(config.source.config)  # type: ignore[attr-defined]
    for transformer in config.transformers or []:
        transform_registry.get(transformer.type)


def _check_action_recipe(recipe: dict[str, Any]) -> None:
    from datahub_actions.action.action_registry import action_registry
    from datahub_actions.pipeline.pipeline_config import PipelineConfig
    from datahub_actions.source.event_source_registry import event_source_registry

    config = PipelineConfig.model_validate(recipe)
    event_source_registry.get(config.source.type)
    action = action_registry.get(config.action.type)
    config_class = getattr(action, "get_config_class", None)
    if config_class is not None:
        config_class().model_validate(config.action.config or {})


def check(
    recipes: Annotated[
        list[Path] | None,
        typer.Argument(help="Recipes to parse. Without any: those that ship with Data Spoke."),
    ] = None,
) -> None:
    """Load every plugin and parse recipes; exit 1 at the first that fails.

    Give it your own recipes to find a wrong key before you deploy them.
    """
    os.environ.setdefault("DATAHUB_TELEMETRY_ENABLED", "false")
    for point in plugin_entry_points():
        load_plugin(point)
        typer.echo(f"ok  {point.group:<42} {point.name}")
    for path in recipes or recipe_files():
        kind = check_recipe(path)
        typer.echo(f"ok  {kind + ' recipe':<42} {path.parent.name}/{path.name}")
