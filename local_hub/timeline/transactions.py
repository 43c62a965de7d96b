"""The timeline of an entity: what changed when, by category, with semantic versions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.timeline.columns import COLUMN_DIFFERS
from dataspoke.local_hub.timeline.differ import DIFFERS
from dataspoke.local_hub.timeline.documents import document
from dataspoke.local_hub.timeline.history import Version
from dataspoke.local_hub.timeline.model import SEVERITIES, ChangeEvent, Transaction

CATEGORIES = (
    "DOCUMENTATION",
    "GLOSSARY_TERM",
    "OWNERSHIP",
    "TECHNICAL_SCHEMA",
    "TAG",
    "DOMAIN",
    "STRUCTURED_PROPERTY",
    "APPLICATION",
    "ASSET_MEMBERSHIP",
    "LIFECYCLE",
    "PARENT",
    "RELATED_ENTITIES",
    "VERSIONING",
)
_ALIASES = {"OWNER": "OWNERSHIP"}

_ALL_DIFFERS = {**DIFFERS, **COLUMN_DIFFERS, "documentInfo": document}

_COMMON = {
    "OWNERSHIP": ("ownership",),
    "STRUCTURED_PROPERTY": ("structuredProperties",),
}
_PLACED = {**_COMMON, "DOMAIN": ("domains",), "APPLICATION": ("applications",)}
# Which aspects tell of a category, by entity type.
_SOURCES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "dataset": {
        **_PLACED,
        "TAG": ("schemaMetadata", "editableSchemaMetadata", "globalTags"),
        "DOCUMENTATION": (
            "institutionalMemory",
            "editableDatasetProperties",
            "datasetProperties",
            "editableSchemaMetadata",
            "schemaMetadata",
        ),
        "GLOSSARY_TERM": ("glossaryTerms", "editableSchemaMetadata"),
        "TECHNICAL_SCHEMA": ("schemaMetadata",),
    },
    "glossaryTerm": {
        **_PLACED,
        "DOCUMENTATION": ("glossaryTermInfo",),
        "GLOSSARY_TERM": ("glossaryRelatedTerms",),
    },
    "domain": {**_COMMON, "DOCUMENTATION": ("institutionalMemory", "domainProperties")},
    "dataProduct": {
        **_PLACED,
        "DOCUMENTATION": ("dataProductProperties",),
        "TAG": ("globalTags",),
        "GLOSSARY_TERM": ("glossaryTerms",),
        "ASSET_MEMBERSHIP": ("dataProductProperties",),
    },
    "document": dict.fromkeys(
        ("LIFECYCLE", "DOCUMENTATION", "PARENT", "RELATED_ENTITIES"), ("documentInfo",)
    ),
}


def read_category(text: str) -> str:
    """A category in any case, with `-` or a space for `_`. Raises BadRequest."""
    name = text.strip().upper().replace("-", "_").replace(" ", "_")
    name = _ALIASES.get(name, name)
    if name not in CATEGORIES:
        raise BadRequest(f"{text!r} is no change category; use {', '.join(CATEGORIES)}")
    return name


def transactions(
    urn: str,
    entity_type: str,
    categories: Collection[str],
    kept: Mapping[str, Sequence[Version]],
    *,
    start: int = 0,
    end: int | None = None,
    raw: bool = False,
) -> list[Transaction]:
    """What changed with start <= at <= end (UTC ms), the oldest first.

    `kept` are the versions of all aspects of the entity. Raises BadRequest for an entity type
    that has no timeline.
    """
    sources = _SOURCES.get(entity_type)
    if sources is None:
        raise BadRequest(f"Entity Type {entity_type} not supported")
    wanted: dict[str, set[str]] = {}
    for category in categories:
        for aspect in sources.get(category, ()):
            wanted.setdefault(aspect, set()).add(category)
    moments: dict[int, Transaction] = {}
    for aspect in sorted(wanted):
        before: dict[str, Any] = {}
        for version in kept.get(aspect, ()):
            after = orjson.loads(version.value)
            if start <= version.at and (end is None or version.at <= end):
                moment = moments.setdefault(
                    version.at, Transaction(version.at, version.actor, [], raw=[])
                )
                told = list(_events(urn, aspect, before, after, wanted[aspect]))
                moment.events.extend(told)
                if raw and told:
                    moment.raw.extend(json_diff(before, after))
            before = after
    found = [moments[at] for at in sorted(moments)]
    _count_up(found)
    for moment in found:
        moment.stamp = _stamp(kept, moment.at)
    return [moment for moment in found if moment.events]


def _events(
    urn: str, aspect: str, before: Any, after: Any, categories: Collection[str]
) -> Iterable[ChangeEvent]:
    for event in _ALL_DIFFERS[aspect](urn, before, after):
        if event.category in categories:
            yield event


def _count_up(found: Iterable[Transaction]) -> None:
    """Semantic versions: the first moment is 0.0.0, a breaking change counts up the first part."""
    parts: list[int] | None = None
    for moment in found:
        place = len(SEVERITIES) - 1 - SEVERITIES.index(moment.severity)
        if parts is None:
            parts = [0, 0, 0]
        elif place < len(parts):
            parts = [*parts[:place], parts[place] + 1, *[0] * (len(parts) - 1 - place)]
        moment.version = ".".join(map(str, parts)) + "-computed"


def _stamp(kept: Mapping[str, Sequence[Version]], at: int) -> str:
    """The version of each aspect at a moment; an aspect that came later has none."""
    found = []
    for aspect in sorted(kept):
        numbers = [version.number for version in kept[aspect] if version.at <= at]
        if numbers:
            found.append(f"{aspect}:{numbers[-1]}")
    return ";".join(found)


def json_diff(old: Any, new: Any, path: str = "") -> list[dict[str, Any]]:
    """A JSON Patch from `old` to `new`; lists that differ are replaced as a whole."""
    if old == new:
        return []
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [{"op": "replace", "path": path, "value": new}]
    found: list[dict[str, Any]] = []
    for name in sorted({**old, **new}):
        here = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in new:
            found.append({"op": "remove", "path": here})
        elif name not in old:
            found.append({"op": "add", "path": here, "value": new[name]})
        else:
            found.extend(json_diff(old[name], new[name], here))
    return found
