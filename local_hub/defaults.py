"""Aspects that GMS adds when it first hears of an entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataspoke.local_hub.boot.platforms import DELIMITERS
from dataspoke.local_hub.effects.model import View
from dataspoke.local_hub.errors import BadUrn
from dataspoke.local_hub.registry import EntitySpec
from dataspoke.local_hub.urns import Urn

_PLATFORM = "urn:li:dataPlatform:"
# The field of the key that names the platform, with or without the urn's prefix.
_PLATFORM_FIELDS = ("platform", "dashboardTool", "orchestrator", "notebookTool")
_NOWHERE = {"id": "Default"}


def default_aspects(
    view: View, spec: EntitySpec, key: Mapping[str, Any], given: set[str]
) -> dict[str, dict[str, Any]]:
    """The defaults for a new entity, without those aspects that its first write brings."""
    defaults: dict[str, dict[str, Any]] = {}
    platform = platform_of(spec, key)
    if "dataPlatformInstance" in spec.aspects and "dataPlatformInstance" not in given and platform:
        defaults["dataPlatformInstance"] = {"platform": platform}
    if "browsePathsV2" in spec.aspects and "browsePathsV2" not in given:
        defaults["browsePathsV2"] = {"path": _browse_path(view, spec, key)}
    if spec.name == "dataset" and "aliases" not in given and key["name"] != key["name"].lower():
        urn = f"urn:li:dataset:({key['platform']},{key['name'].lower()},{key['origin']})"
        defaults["aliases"] = {"lowercasedUrn": urn}
    return defaults


def platform_of(spec: EntitySpec, key: Mapping[str, Any]) -> str | None:
    """Urn of the platform that an entity's key names, directly or through its flow."""
    for field in _PLATFORM_FIELDS:
        if isinstance(key.get(field), str):
            value: str = key[field]
            return value if value.startswith(_PLATFORM) else _PLATFORM + value
    if spec.name == "dataJob":
        return _PLATFORM + _orchestrator(key["flow"])
    return None


def _browse_path(view: View, spec: EntitySpec, key: Mapping[str, Any]) -> list[dict[str, str]]:
    if spec.name == "dataset":
        # A table sits in what its name says before the last part, in lower case as in GMS.
        parts = key["name"].lower().split(_delimiter(view, key["platform"]))
        folders = [{"id": folder} for folder in parts if folder][:-1]
        return folders or [_NOWHERE]
    if spec.name == "dataJob":
        return [{"id": key["flow"], "urn": key["flow"]}]
    return [_NOWHERE]


def _delimiter(view: View, platform: str) -> str:
    """What separates the parts of a dataset's name; a platform of one's own may say it."""
    known = DELIMITERS.get(platform.removeprefix(_PLATFORM))
    if known is not None:
        return known
    info = view.value(platform, "dataPlatformInfo") or {}
    return str(info.get("datasetNameDelimiter") or ".")[0]


def _orchestrator(urn: str) -> str:
    flow = Urn.parse(urn)
    if flow.entity_type != "dataFlow" or len(flow.parts) != 3:
        raise BadUrn(urn, "it names no dataFlow")
    return flow.parts[0]
