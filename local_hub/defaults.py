"""Aspects that GMS adds when it first hears of an entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.errors import BadUrn
from dataspoke.local_hub.registry import EntitySpec
from dataspoke.local_hub.urns import Urn

_PLATFORM = "urn:li:dataPlatform:"
# Platforms whose dataset names are paths.
_SLASHED_PLATFORMS = ("s3", "gcs", "hdfs", "abs", "adlsGen1", "adlsGen2", "github")
# The field of the key that names the platform, with or without the urn's prefix.
_PLATFORM_FIELDS = ("platform", "dashboardTool", "orchestrator", "notebookTool")


def default_aspects(
    spec: EntitySpec, key: Mapping[str, Any], given: set[str]
) -> dict[str, dict[str, Any]]:
    """The defaults for a new entity, without those aspects that its first write brings."""
    defaults: dict[str, dict[str, Any]] = {}
    platform = platform_of(spec, key)
    if "dataPlatformInstance" in spec.aspects and "dataPlatformInstance" not in given and platform:
        defaults["dataPlatformInstance"] = {"platform": platform}
    if "browsePathsV2" in spec.aspects and "browsePathsV2" not in given:
        defaults["browsePathsV2"] = {"path": [{"id": part} for part in _browse_path(spec, key)]}
    return defaults


def platform_of(spec: EntitySpec, key: Mapping[str, Any]) -> str | None:
    """Urn of the platform that an entity's key names, directly or through its flow."""
    for field in _PLATFORM_FIELDS:
        if isinstance(key.get(field), str):
            value: str = key[field]
            return value if value.startswith(_PLATFORM) else _PLATFORM + value
    if spec.name == "dataJob":
        return _PLATFORM + _flow_parts(key)[0]
    return None


def _browse_path(spec: EntitySpec, key: Mapping[str, Any]) -> list[str]:
    if spec.name == "dataset":
        # A table sits in what its name says before the last part.
        platform = key["platform"].removeprefix(_PLATFORM)
        folders = key["name"].split("/" if platform in _SLASHED_PLATFORMS else ".")[:-1]
        return [folder for folder in folders if folder] or ["Default"]
    if spec.name == "dataJob":
        return [_flow_parts(key)[1]]
    return ["Default"]


def _flow_parts(key: Mapping[str, Any]) -> tuple[str, ...]:
    """Orchestrator, name and cluster of the flow that a job belongs to."""
    flow = Urn.parse(key["flow"])
    if flow.entity_type != "dataFlow" or len(flow.parts) != 3:
        raise BadUrn(key["flow"], "it names no dataFlow")
    return flow.parts
