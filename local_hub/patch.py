"""PATCH as GMS does it: JSON Patch over an aspect whose arrays are turned into maps.

`arrayPrimaryKeys` of the patch, or else the template of the aspect, says by which fields the
items of an array are keyed; ``/tags/urn:li:tag:x`` then names one tag. Nested key fields are
joined by ``␟``. Column lineage has a tree of its own:
``/fineGrainedLineages/<operation>/<downstream>/<query>/<upstream>``. With keys of its own, or
with `forceGenericPatch`, a patch sees nothing of the template. Missing parents of a path are
created; removing what is not there changes nothing; ``*`` in a path to remove stands for every
key on its level.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.patch_lineage import lineages_to_tree, tree_to_lineages

_SEPARATOR = "␟"
_LINEAGES = "fineGrainedLineages"

Keys = tuple[str, ...]
# Path of the array ("*" stands for every key before it) → fields that key its items; no fields:
# the items are plain strings.
Template = Mapping[tuple[str, ...], Keys]

_EDGE: Keys = ("destinationUrn",)

TEMPLATES: Mapping[str, Template] = {
    "globalTags": {("tags",): ("tag",)},
    "glossaryTerms": {("terms",): ("urn",)},
    "ownership": {("owners",): ("owner", "type", "typeUrn")},
    "institutionalMemory": {("elements",): ("url",)},
    "structuredProperties": {("properties",): ("propertyUrn",)},
    "documentation": {("documentations",): (f"attribution{_SEPARATOR}source",)},
    "domains": {("domains",): ()},
    "siblings": {("siblings",): ()},
    "upstreamLineage": {("upstreams",): ("dataset",)},
    "editableSchemaMetadata": {
        ("editableSchemaFieldInfo",): ("fieldPath",),
        ("editableSchemaFieldInfo", "*", "globalTags", "tags"): ("tag",),
        ("editableSchemaFieldInfo", "*", "glossaryTerms", "terms"): ("urn",),
    },
    "dataJobInputOutput": {
        ("inputDatasetEdges",): _EDGE,
        ("outputDatasetEdges",): _EDGE,
        ("inputDatajobEdges",): _EDGE,
        ("inputDatasets",): (),
        ("outputDatasets",): (),
        ("inputDatajobs",): (),
        ("inputDatasetFields",): (),
        ("outputDatasetFields",): (),
    },
    "dataProcessInstanceInput": {("inputEdges",): _EDGE, ("inputs",): ()},
    "dataProcessInstanceOutput": {("outputEdges",): _EDGE, ("outputs",): ()},
    "chartInfo": {("inputEdges",): _EDGE},
    "dashboardInfo": {
        ("chartEdges",): _EDGE,
        ("datasetEdges",): _EDGE,
        ("dashboards",): _EDGE,
        ("charts",): (),
        ("datasets",): (),
    },
    "dataProductProperties": {("assets",): _EDGE},
    "applicationProperties": {("assets",): _EDGE},
    "testResults": {("failing",): ("test",), ("passing",): ("test",)},
    "glossaryRelatedTerms": {
        ("isRelatedTerms",): (),
        ("hasRelatedTerms",): (),
        ("values",): (),
        ("relatedTerms",): (),
    },
    "propertyDefinition": {
        ("entityTypes",): (),
        ("allowedPlatforms",): (),
        ("allowedValues",): ("value",),
    },
    "formInfo": {
        ("prompts",): ("id",),
        ("actors", "users"): (),
        ("actors", "groups"): (),
        ("actors", "ownershipTypes"): (),
    },
    "forms": {("incompleteForms",): ("urn",), ("completedForms",): ("urn",)},
}
# Aspects of lineage, and the arrays that every patch by their template leaves, empty if need be.
_WITH_LINEAGES = {
    "upstreamLineage": ("upstreams", _LINEAGES),
    "dataJobInputOutput": (
        *("inputDatasetEdges", "outputDatasetEdges", "inputDatajobEdges", "inputDatajobs"),
        *("inputDatasetFields", "outputDatasetFields", _LINEAGES),
    ),
}


def apply_patch(
    aspect_name: str,
    current: Mapping[str, Any] | None,
    patch: Any,
    stamp: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The aspect after `patch`: a list of operations, or an object that holds them.

    `stamp` is the audit stamp of the change, `{actor, time}`, for records that it makes.
    Raises BadRequest for a patch that cannot be read or applied. `current` is not changed.
    """
    operations, given = _read(patch)
    template = TEMPLATES.get(aspect_name, {}) if given is None else given
    lineages = given is None and aspect_name in _WITH_LINEAGES
    document: dict[str, Any] = copy.deepcopy(dict(current or {}))
    touched = {steps[0] for one in operations for steps in (one.path, one.source) if steps}
    for path, keys in template.items():
        if path[0] in touched:
            _transform(document, path, lambda items, keys=keys: _to_map(items, keys))
    if lineages and _LINEAGES in touched:
        document[_LINEAGES] = lineages_to_tree(document.get(_LINEAGES) or [])
    for operation in operations:
        _apply(document, operation)
    for path, keys in sorted(template.items(), key=lambda item: -len(item[0])):
        if path[0] in touched:
            _transform(document, path, lambda node, keys=keys: _to_list(node, keys))
    if lineages and isinstance(document.get(_LINEAGES), dict):
        document[_LINEAGES] = tree_to_lineages(document[_LINEAGES])
    for name in _WITH_LINEAGES[aspect_name] if lineages else ():
        if document.get(name) is None:
            document[name] = []
    if aspect_name == "editableSchemaMetadata" and stamp is not None:
        _stamp_terms(document, stamp)
    return document


def _stamp_terms(document: Mapping[str, Any], stamp: Mapping[str, Any]) -> None:
    """Terms that the patch gave to a column: their record needs an audit stamp."""
    columns = document.get("editableSchemaFieldInfo")
    for column in columns if isinstance(columns, list) else ():
        terms = column.get("glossaryTerms") if isinstance(column, dict) else None
        if isinstance(terms, dict):
            terms.setdefault("auditStamp", dict(stamp))


def empty_aspect(schema: Mapping[str, Any], stamp: Mapping[str, Any]) -> dict[str, Any]:
    """What a patch starts from when there is no aspect: nothing, as far as it may be nothing.

    `stamp` is the audit stamp of the change, `{actor, time}`.
    """
    found: dict[str, Any] = {}
    for part in schema["fields"]:
        kind, default = part["type"], part.get("default")
        name = kind.get("name") if isinstance(kind, Mapping) else str(kind).rpartition(".")[2]
        container = kind.get("type") if isinstance(kind, Mapping) else None
        if isinstance(default, list | dict):
            found[part["name"]] = copy.deepcopy(default)
        elif "default" not in part and container in ("array", "map"):
            found[part["name"]] = {} if container == "map" else []
        elif "default" in part:
            continue
        elif name == "AuditStamp":
            found[part["name"]] = dict(stamp)
        elif name == "ChangeAuditStamps":
            found[part["name"]] = {"created": dict(stamp), "lastModified": dict(stamp)}
        elif kind == "boolean":
            found[part["name"]] = False
        elif part["name"] in ("title", "description"):
            found[part["name"]] = ""
    return found


@dataclass(frozen=True, slots=True)
class _Operation:
    kind: str
    path: list[str]
    source: list[str]
    value: Any


def _read(patch: Any) -> tuple[list[_Operation], Template | None]:
    """The operations, and the keys that the patch brings; None: those of the template."""
    given: Template | None = None
    operations = patch
    if isinstance(patch, Mapping):
        operations = patch.get("patch")
        keys = patch.get("arrayPrimaryKeys") or {}
        if not isinstance(keys, Mapping) or not all(map(_are_names, keys.values())):
            raise BadRequest("Invalid JSON patch: arrayPrimaryKeys is no map of lists of names")
        if keys or patch.get("forceGenericPatch") is True:
            given = {(field,): tuple(names) for field, names in keys.items()}
    if not isinstance(operations, list):
        raise BadRequest("Invalid JSON patch: expected a list of operations")
    return [_read_operation(operation) for operation in operations], given


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _read_operation(operation: Any) -> _Operation:
    if not isinstance(operation, Mapping):
        raise BadRequest("Invalid JSON patch: an operation is no object")
    kind = operation.get("op")
    if kind not in ("add", "remove", "replace", "move", "copy", "test"):
        raise BadRequest(f"Unsupported PATCH operation: `{kind}`")
    path = _read_path(operation.get("path"))
    if kind in ("add", "replace", "test") and "value" not in operation:
        raise BadRequest(f"Invalid JSON patch: {kind} /{'/'.join(path)} has no value")
    source = _read_path(operation.get("from")) if kind in ("move", "copy") else []
    return _Operation(kind, path, source, operation.get("value"))


def _read_path(path: Any) -> list[str]:
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadRequest(f"Invalid JSON patch: bad path {path!r}")
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def _apply(document: dict[str, Any], operation: _Operation) -> None:
    match operation.kind:
        case "remove":
            _remove(document, operation.path)
        case "test":
            if _value_at(document, operation.path) != operation.value:
                raise BadRequest(f"Invalid JSON patch: test of /{'/'.join(operation.path)} failed")
        case "move":
            value = _value_at(document, operation.source)
            _remove(document, operation.source)
            _put(document, operation.path, value)
        case "copy":
            _put(document, operation.path, _value_at(document, operation.source))
        case kind:
            _put(document, operation.path, operation.value, replace=kind == "replace")


def _put(
    document: dict[str, Any], path: Sequence[str], value: Any, *, replace: bool = False
) -> None:
    *parents, last = path
    node: Any = document
    for step in parents:
        node = _step_into(node, step, path)
    value = copy.deepcopy(value)
    if isinstance(node, list):
        _put_in_list(node, last, value, replace=replace)
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise BadRequest(f"Invalid JSON patch: /{'/'.join(path)} leads into a value")


def _value_at(node: Any, path: Sequence[str]) -> Any:
    for step in path:
        if isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            raise BadRequest(f"Invalid JSON patch: /{'/'.join(path)} does not exist")
    return node


def _step_into(node: Any, step: str, path: Sequence[str]) -> Any:
    if isinstance(node, list) and step.isdigit() and int(step) < len(node):
        return node[int(step)]
    if isinstance(node, dict):
        found = node.get(step)
        if found is None:
            found = node[step] = {}
        return found
    raise BadRequest(f"Invalid JSON patch: /{'/'.join(path)} does not exist")


def _put_in_list(node: list[Any], last: str, value: Any, *, replace: bool) -> None:
    if last == "-" and not replace:
        node.append(value)
    elif last.isdigit() and int(last) < len(node) + (not replace):
        if replace:
            node[int(last)] = value
        else:
            node.insert(int(last), value)
    else:
        raise BadRequest(f"Invalid JSON patch: no array index {last!r}")


def _remove(node: Any, path: Sequence[str]) -> None:
    first, *rest = path
    if isinstance(node, list):
        if first.isdigit() and int(first) < len(node):
            if rest:
                _remove(node[int(first)], rest)
            else:
                del node[int(first)]
        return
    if not isinstance(node, dict):
        return
    names = list(node) if first == "*" and "*" not in node else [first]
    for name in names:
        if name not in node:
            continue
        if rest:
            _remove(node[name], rest)
        else:
            del node[name]


def _transform(node: Any, path: Sequence[str], change: Any) -> None:
    """Replace what lies at `path` by `change(what)`; absent parents stay absent."""
    first, *rest = path
    if not isinstance(node, dict):
        return
    for name in list(node) if first == "*" else [first]:
        if name in node:
            if rest:
                _transform(node[name], rest, change)
            else:
                node[name] = change(node[name])


def _to_map(items: Any, keys: Keys) -> Any:
    if not isinstance(items, list):
        return items
    if not keys:
        return {str(item): item for item in items}
    root: dict[str, Any] = {}
    for item in items:
        node = root
        for key in keys[:-1]:
            node = node.setdefault(_key_of(item, key), {})
        node[_key_of(item, keys[-1])] = item
    return root


def _key_of(item: Any, key: str) -> str:
    for part in key.split(_SEPARATOR):
        item = item.get(part) if isinstance(item, Mapping) else None
    if item is None:
        return ""
    # A union value, such as an allowed value {"string": "x"}, is known by what it holds.
    if isinstance(item, Mapping) and len(item) == 1:
        (item,) = item.values()
    return str(item)


def _to_list(node: Any, keys: Keys) -> Any:
    if not isinstance(node, dict):
        return node
    if not keys:
        return list(node.values())
    return list(_leaves(node, keys))


def _leaves(node: Any, keys: Keys) -> Iterable[Any]:
    if not keys:
        yield from node if isinstance(node, list) else [node]
        return
    if not isinstance(node, Mapping):
        return
    first, *rest = keys
    for name, inner in node.items():
        # A path with fewer keys than there are put an item where its last keys would be.
        deeper = () if rest and _is_item(inner, rest) else tuple(rest)
        for leaf in _leaves(inner, deeper):
            # A deep path may have made an item that never saw its own key.
            if isinstance(leaf, dict) and name and _SEPARATOR not in first:
                leaf.setdefault(first, name)
            yield leaf


def _is_item(node: Any, keys: Sequence[str]) -> bool:
    """Whether a node is an item rather than a map of items by the next key: values are texts."""
    return isinstance(node, Mapping) and any(
        isinstance(value, str) for name, value in node.items() if name not in keys
    )
