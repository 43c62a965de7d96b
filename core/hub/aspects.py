"""Aspects to `EntitySnapshot`. Pure.

Missing aspects are normal. A malformed one is a SkippableError that names aspect and urn: a
snapshot that silently lacked its tags would be wrong, not poor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

from dataspoke.core.entities import Column, EntitySnapshot
from dataspoke.core.errors import SkippableError
from dataspoke.core.hub.columns import Edit, columns_from, edits_from, tag_urns, term_urns
from dataspoke.core.hub.rights import rights_of
from dataspoke.core.hub.shapes import Aspects, Shape, shape_of
from dataspoke.core.hub.signals import (
    Usage,
    last_operation,
    open_incidents,
    usage_features,
    usage_statistics,
)
from dataspoke.core.hub.values import moment, strings, text, unique
from dataspoke.core.urns import (
    dataset_parts,
    entity_type_of,
    env_of,
    id_parts,
    last_part,
    platform_of,
)

T = TypeVar("T")
Value = Mapping[str, Any]

# What the parsers run into when a value has another form than DataHub's model.
_MALFORMED = (TypeError, KeyError, AttributeError, ValueError, OverflowError, OSError)


class _Info(NamedTuple):
    """What the main aspect of every type says."""

    name: str = ""
    qualified_name: str = ""
    description: str = ""
    parent: str = ""
    url: str = ""
    env: str = ""
    custom_properties: Mapping[str, str] = {}
    inputs: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    created: datetime | None = None
    modified: datetime | None = None


def snapshot_of(urn: str, aspects: Aspects) -> EntitySnapshot:
    """The snapshot, still without `names`. Raises SkippableError as the module says."""
    entity_type = entity_type_of(urn)
    shape = shape_of(entity_type)

    def read(aspect: str, parse: Callable[[Value], T], missing: T) -> T:
        return _read(urn, aspects, aspect, parse, missing)

    nothing: tuple[str, ...] = ()
    info = read(shape.info, lambda value: _info(shape, value), _Info())
    edited_name, edited = read(shape.editable, _edited, ("", ""))
    platform, instance = read("dataPlatformInstance", _platform_instance, ("", ""))
    deprecated, note = read("deprecation", _deprecation, (False, ""))
    container = read("container", lambda value: text(value["container"]), "")
    container = container or info.parent or _flow_of(urn, entity_type)
    containers = _chain(read("browsePathsV2", _browse_containers, nothing), container)
    nobody: dict[str, str] = {}
    owners = read("ownership", _owners, nobody)
    usage = _usage(read)
    operated = read("operation", last_operation, None)
    return EntitySnapshot(
        urn=urn,
        entity_type=entity_type,
        name=edited_name or info.name or last_part(urn),
        removed=read("status", lambda value: _flag(value.get("removed")), False),
        qualified_name=info.qualified_name or _qualified_name(urn, entity_type),
        description=info.description,
        editable_description=edited,
        documentation=read("documentation", _documentation, ""),
        platform=platform_of(urn) or platform,
        platform_instance=instance,
        env=env_of(urn) or info.env,
        container=containers[-1] if containers else "",
        containers=containers,
        subtypes=read("subTypes", lambda value: strings(value.get("typeNames")), nothing),
        columns=_columns(urn, aspects) if entity_type == "dataset" else (),
        tags=unique((*read("globalTags", tag_urns, nothing), *info.tags)),
        terms=read("glossaryTerms", term_urns, nothing),
        owners=tuple(owners),
        owner_types=tuple(owners.values()),
        domains=read("domains", lambda value: strings(value.get("domains")), nothing),
        upstreams=unique(
            (
                *info.inputs,
                *read("upstreamLineage", _lineage, nothing),
                *read("dataJobInputOutput", _job_inputs, nothing),
            )
        ),
        downstreams=unique((*info.outputs, *read("dataJobInputOutput", _job_outputs, nothing))),
        related=unique(
            (*info.related, *read("glossaryRelatedTerms", _related_terms, nothing)),
        ),
        sibling=read("siblings", lambda value: _primary(urn, value), ""),
        consumers=usage.consumers,
        queries_per_month=usage.per_month,
        open_incidents=read("incidentsSummary", open_incidents, 0),
        rights=rights_of(read),
        custom_properties=info.custom_properties,
        structured_properties=read("structuredProperties", _structured_properties, {}),
        deprecated=deprecated,
        deprecation_note=note,
        view_definition=read("viewProperties", lambda value: text(value.get("viewLogic")), ""),
        external_url=info.url,
        created=info.created,
        last_modified=max(filter(None, (info.modified, operated)), default=None),
    )


def references_of(snapshot: EntitySnapshot) -> Iterator[str]:
    """Every urn whose name the readers of a snapshot want; may repeat."""
    yield from snapshot.tags
    yield from snapshot.terms
    yield from snapshot.owners
    yield from snapshot.domains
    yield from snapshot.containers
    yield from snapshot.upstreams
    yield from snapshot.downstreams
    yield from snapshot.related
    yield from snapshot.consumers
    yield from snapshot.structured_properties
    yield from (kind for kind in snapshot.owner_types if kind.startswith("urn:li:"))
    for column in snapshot.columns:
        yield from column.tags
        yield from column.terms


def _read(urn: str, aspects: Aspects, aspect: str, parse: Callable[[Value], T], missing: T) -> T:
    wrapped = aspects.get(aspect)
    if wrapped is None:
        return missing
    try:
        return parse(wrapped["value"])
    except (SkippableError, *_MALFORMED) as exc:
        raise SkippableError(
            f"Cannot read the aspect '{aspect}' of {urn}: {type(exc).__name__}: {exc}. "
            "Write it again with the fields of DataHub's model."
        ) from exc


def _info(shape: Shape, value: Value) -> _Info:
    created, modified = _times(value)
    return _Info(
        name=text(value.get(shape.name)),
        qualified_name=text(value.get("qualifiedName")),
        description=_contents(value) or text(value.get(shape.description)),
        parent=_parent(value.get(shape.parent)) if shape.parent else "",
        url=next(filter(None, (text(value.get(key)) for key in shape.url)), ""),
        env=text(value.get("env")),
        custom_properties={
            str(key): str(entry) for key, entry in (value.get("customProperties") or {}).items()
        },
        inputs=unique(urn for key in shape.inputs for urn in _edges(value.get(key))),
        related=unique(urn for key in shape.related for urn in _edges(value.get(key))),
        outputs=unique(_edges(value.get("downstreamJobs"))),
        tags=_plain_tags(value),
        created=created,
        modified=modified,
    )


def _contents(value: Value) -> str:
    contents = value.get("contents")
    return text(contents["text"]) if contents else ""


def _parent(value: Any) -> str:
    return text(value["document"] if isinstance(value, dict) else value)


def _times(value: Value) -> tuple[datetime | None, datetime | None]:
    """Charts and dashboards keep both stamps inside `lastModified`."""
    created, modified = value.get("created"), value.get("lastModified")
    if modified and "lastModified" in modified:
        created, modified = modified.get("created"), modified["lastModified"]
    return (
        moment(created.get("time")) if created else None,
        moment(modified.get("time")) if modified else None,
    )


def _edited(value: Value) -> tuple[str, str]:
    return text(value.get("name")), text(value.get("description"))


def _documentation(value: Value) -> str:
    texts = (text(item["documentation"]) for item in value.get("documentations") or ())
    return next(filter(None, texts), "")


def _deprecation(value: Value) -> tuple[bool, str]:
    return _flag(value.get("deprecated")), text(value.get("note"))


def _flag(value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"expected true or false, found {type(value).__name__}")
    return bool(value)


def _owners(value: Value) -> dict[str, str]:
    """Owner to the first type of ownership: a urn, or the name of a built-in type."""
    owners: dict[str, str] = {}
    for item in value.get("owners") or ():
        owner = text(item["owner"])
        if owner:
            owners.setdefault(owner, _ownership_type(item))
    return owners


def _ownership_type(item: Value) -> str:
    kind = text(item.get("typeUrn"))
    built_in = kind.partition("urn:li:ownershipType:__system__")[2]
    if kind and not built_in:
        return kind
    return (built_in or text(item.get("type"))).replace("_", " ").lower()


def _plain_tags(value: Value) -> tuple[str, ...]:
    """Models and datasets may carry tags as plain words in their main aspect."""
    tags = value.get("tags")
    if not isinstance(tags, list):
        return ()
    return unique(tag if tag.startswith("urn:li:tag:") else f"urn:li:tag:{tag}" for tag in tags)


def _usage(read: Callable[[str, Callable[[Value], Usage], Usage], Usage]) -> Usage:
    """What the server worked out for a month, else the latest bucket that was reported."""
    worked_out = read("usageFeatures", usage_features, Usage())
    if worked_out.per_month:
        return worked_out
    kinds = ("datasetUsageStatistics", "dashboardUsageStatistics", "chartUsageStatistics")
    found = [read(aspect, usage_statistics, Usage()) for aspect in kinds]
    return next((usage for usage in found if usage != Usage()), worked_out)


def _primary(urn: str, value: Value) -> str:
    """The primary of the siblings, which may be the entity itself."""
    siblings = strings(value.get("siblings"))
    if not siblings:
        return ""
    return urn if value.get("primary") is True else siblings[0]


def _related_terms(value: Value) -> tuple[str, ...]:
    fields = ("isRelatedTerms", "hasRelatedTerms", "values", "relatedTerms")
    return unique(urn for key in fields for urn in value.get(key) or ())


def _lineage(value: Value) -> tuple[str, ...]:
    return unique(item["dataset"] for item in value.get("upstreams") or ())


def _job_inputs(value: Value) -> tuple[str, ...]:
    fields = ("inputDatasets", "inputDatasetEdges", "inputDatajobs", "inputDatajobEdges")
    return unique(urn for key in fields for urn in _edges(value.get(key)))


def _job_outputs(value: Value) -> tuple[str, ...]:
    fields = ("outputDatasets", "outputDatasetEdges")
    return unique(urn for key in fields for urn in _edges(value.get(key)))


def _edges(values: Any) -> Iterable[str]:
    """Plain urns, or edges, which name the other end by one of a few fields."""
    for item in values or ():
        yield _other_end(item) if isinstance(item, dict) else item


def _other_end(edge: Value) -> str:
    for key in ("destinationUrn", "asset", "document"):
        if key in edge:
            return text(edge[key])
    raise KeyError("destinationUrn")


def _platform_instance(value: Value) -> tuple[str, str]:
    platform, instance = text(value.get("platform")), text(value.get("instance"))
    return (
        platform_of(platform) if platform else "",
        last_part(instance) if instance else "",
    )


def _browse_containers(value: Value) -> tuple[str, ...]:
    return unique(
        urn
        for entry in value.get("path") or ()
        if (urn := text(entry.get("urn"))).startswith("urn:li:container:")
    )


def _chain(above: tuple[str, ...], container: str) -> tuple[str, ...]:
    """Outermost first, the nearest container last, whichever aspect knows it."""
    if not container or (above and above[-1] == container):
        return above
    return (*(urn for urn in above if urn != container), container)


def _columns(urn: str, aspects: Aspects) -> tuple[Column, ...]:
    nothing: dict[str, Edit] = {}
    none: tuple[Column, ...] = ()
    edits = _read(urn, aspects, "editableSchemaMetadata", edits_from, nothing)
    return _read(urn, aspects, "schemaMetadata", lambda schema: columns_from(schema, edits), none)


def _qualified_name(urn: str, entity_type: str) -> str:
    return unquote(dataset_parts(urn).name) if entity_type == "dataset" else ""


def _flow_of(urn: str, entity_type: str) -> str:
    """A job lies in its flow as a table lies in its schema."""
    return id_parts(urn)[0] if entity_type == "dataJob" else ""


def _structured_properties(value: Value) -> Mapping[str, tuple[str, ...]]:
    return {
        text(item["propertyUrn"]): tuple(_scalar(entry) for entry in item.get("values") or ())
        for item in value.get("properties") or ()
    }


def _scalar(value: Any) -> str:
    """A value of a union: plain, or wrapped as `{"string": …}` / `{"double": …}`."""
    if isinstance(value, dict):
        (value,) = value.values()
    return str(value)
