"""`dataspoke check`: does everything load that this installation promises?"""

from __future__ import annotations

import difflib
import os
from importlib.metadata import EntryPoint, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataspoke.core.errors import ConfigError, MissingExtraError
from dataspoke.core.recipe import read_section
from dataspoke.recipes import recipe_files

if TYPE_CHECKING:
    from datahub.ingestion.api.registry import PluginRegistry

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
    """Import a plugin and what it needs; ConfigError says what is missing."""
    try:
        plugin = point.load()
        if config_class := getattr(plugin, "get_config_class", None):
            config_class()
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
            _check_action_recipe(recipe, f"the recipe {path}")
            return "action"
        _check_ingest_recipe(recipe, f"the recipe {path}")
    except ConfigError:
        raise
    except Exception as exc:
        reason = " ".join(str(exc).split()).rstrip(".")
        raise ConfigError(f"Cannot use the recipe {path}: {reason}. Correct it.") from exc
    return "ingest"


def _check_ingest_recipe(recipe: dict[str, Any], name: str) -> None:
    from datahub.ingestion.run.pipeline_config import PipelineConfig
    from datahub.ingestion.source.source_registry import source_registry
    from datahub.ingestion.transformer.transform_registry import transform_registry

    config = read_section(PipelineConfig, recipe, path="", recipe=name)
    _check_part(source_registry, config.source, "source", name)
    for number, transformer in enumerate(config.transformers or []):
        _check_part(transform_registry, transformer, f"transformers[{number}]", name)


def _check_action_recipe(recipe: dict[str, Any], name: str) -> None:
    from datahub_actions.action.action_registry import action_registry
    from datahub_actions.pipeline.pipeline_config import PipelineConfig
    from datahub_actions.source.event_source_registry import event_source_registry

    config = read_section(PipelineConfig, recipe, path="", recipe=name)
    _check_part(event_source_registry, config.source, "source", name)
    _check_part(action_registry, config.action, "action", name)


def _check_part(registry: PluginRegistry[Any], part: Any, path: str, name: str) -> None:
    """Check `type`, and `config` where the plugin says what may stand there."""
    if part.type in registry.mapping or "." in part.type:
        plugin = registry.get(part.type)
    else:
        near = difflib.get_close_matches(part.type, registry.mapping, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise ConfigError(
            f"Cannot read {name}: {path}.type: there is no plugin {part.type!r}{meant}. "
            "Correct it, or install what brings the plugin."
        )
    if config_class := getattr(plugin, "get_config_class", None):
        read_section(config_class(), part.config, path=f"{path}.config", recipe=name)


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
