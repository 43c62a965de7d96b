"""PATCH as GMS does it: JSON Patch over an aspect whose arrays are turned into maps.

`arrayPrimaryKeys` of the patch, or else the template of the aspect, says by which fields the
items of an array are keyed; ``/tags/urn:li:tag:x`` then names one tag. Nested key fields are
joined by ``␟``. Column lineage has a tree of its own:
``/fineGrainedLineages/<operation>/<downstream>/<query>/<upstream>``. Missing parents of a path
are created; removing what is not there changes nothing; ``*`` in a path to remove stands for
every key on its level.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dataspoke.local_hub.errors import BadRequest

_SEPARATOR = "␟"
_LINEAGES = "fineGrainedLineages"
_NONE = "NONE"

Keys = tuple[str, ...]
# Path of the array ("*" stands for every key before it) → fields that key its items; no fields:
# the items are plain strings.
Template = Mapping[tuple[str, ...], Keys]

_EDGE: Keys = ("destinationUrn",)

TEMPLATES: Mapping[str, Template] = {
    "globalTags": {("tags",): ("tag",)},
    "glossaryTerms": {("terms",): ("urn",)},
    "ownership": {("owners",): ("owner", "type")},
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
    "glossaryRelatedTerms": {
        ("isRelatedTerms",): (),
        ("hasRelatedTerms",): (),
        ("values",): (),
        ("relatedTerms",): (),
    },
    "propertyDefinition": {
        ("entityTypes",): (),
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
_WITH_LINEAGES = ("upstreamLineage", "dataJobInputOutput")


def apply_patch(aspect_name: str, current: Mapping[str, Any] | None, patch: Any) -> dict[str, Any]:
    """The aspect after `patch`: a list of operations, or an object that holds them.

    Raises BadRequest for a patch that cannot be read or applied. `current` is not changed.
    """
    operations, given = _read(patch)
    template = given or TEMPLATES.get(aspect_name, {})
    lineages = aspect_name in _WITH_LINEAGES and (_LINEAGES,) not in template
    document: dict[str, Any] = copy.deepcopy(dict(current or {}))
    touched = {operation["path"][0] for operation in operations if operation["path"]}
    for path, keys in template.items():
        if path[0] in touched:
            _transform(document, path, lambda items, keys=keys: _to_map(items, keys))
    if lineages and _LINEAGES in touched:
        document[_LINEAGES] = _lineages_to_tree(document.get(_LINEAGES) or [])
    for operation in operations:
        _apply(document, operation)
    for path, keys in sorted(template.items(), key=lambda item: -len(item[0])):
        if path[0] in touched:
            _transform(document, path, lambda node, keys=keys: _to_list(node, keys))
    if lineages and isinstance(document.get(_LINEAGES), dict):
        document[_LINEAGES] = _tree_to_lineages(document[_LINEAGES])
    return document


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


def _read(patch: Any) -> tuple[list[dict[str, Any]], Template]:
    given: Template = {}
    operations = patch
    if isinstance(patch, Mapping):
        operations = patch.get("patch")
        keys = patch.get("arrayPrimaryKeys") or {}
        if not isinstance(keys, Mapping) or not all(map(_are_names, keys.values())):
            raise BadRequest("Invalid JSON patch: arrayPrimaryKeys is no map of lists of names")
        given = {(field,): tuple(names) for field, names in keys.items()}
    if not isinstance(operations, list):
        raise BadRequest("Invalid JSON patch: expected a list of operations")
    return [_read_operation(operation) for operation in operations], given


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _read_operation(operation: Any) -> dict[str, Any]:
    if not isinstance(operation, Mapping):
        raise BadRequest("Invalid JSON patch: an operation is no object")
    kind, path = operation.get("op"), operation.get("path")
    if kind not in ("add", "remove", "replace"):
        raise BadRequest(f"Unsupported PATCH operation: `{kind}`")
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadRequest(f"Invalid JSON patch: bad path {path!r}")
    if kind != "remove" and "value" not in operation:
        raise BadRequest(f"Invalid JSON patch: {kind} {path} has no value")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    return {"op": kind, "path": steps, "value": operation.get("value")}


def _apply(document: dict[str, Any], operation: Mapping[str, Any]) -> None:
    if operation["op"] == "remove":
        _remove(document, operation["path"])
        return
    *parents, last = operation["path"]
    node: Any = document
    for step in parents:
        node = _step_into(node, step, operation["path"])
    value = copy.deepcopy(operation["value"])
    if isinstance(node, list):
        _put_in_list(node, last, value, replace=operation["op"] == "replace")
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise BadRequest(f"Invalid JSON patch: /{'/'.join(operation['path'])} leads into a value")


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
        for leaf in _leaves(inner, tuple(rest)):
            # A deep path may have made an item that never saw its own key.
            if isinstance(leaf, dict) and name and _SEPARATOR not in first:
                leaf.setdefault(first, name)
            yield leaf


def _lineages_to_tree(lineages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for lineage in lineages:
        downstreams = lineage.get("downstreams") or []
        if len(downstreams) != 1:
            raise BadRequest(
                "Patching not supported on fine grained lineages with not exactly one downstream"
            )
        upstreams = (
            tree.setdefault(lineage.get("transformOperation", _NONE), {})
            .setdefault(downstreams[0], {})
            .setdefault(lineage.get("query", _NONE), {})
        )
        for upstream in lineage.get("upstreams") or []:
            upstreams[upstream] = {
                "confidenceScore": lineage.get("confidenceScore", 1.0),
                "upstreamType": lineage.get("upstreamType", "FIELD_SET"),
                "downstreamType": lineage.get("downstreamType", "FIELD"),
            }
    return tree


def _tree_to_lineages(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    lineages = []
    for operation, downstreams in tree.items():
        for downstream, queries in downstreams.items():
            for query, upstreams in queries.items():
                if not upstreams:
                    continue
                values = [value for value in upstreams.values() if isinstance(value, Mapping)]
                lineage = {
                    "upstreamType": _last(values, "upstreamType", "FIELD_SET"),
                    "upstreams": list(upstreams),
                    "downstreamType": _last(values, "downstreamType", "FIELD"),
                    "downstreams": [downstream],
                    "confidenceScore": min(
                        [1.0, *(value.get("confidenceScore", 1.0) for value in values)]
                    ),
                    "transformOperation": operation,
                }
                if query and query != _NONE:
                    lineage["query"] = query
                lineages.append(lineage)
    return lineages


def _last(values: Sequence[Mapping[str, Any]], name: str, default: str) -> str:
    found = [value[name] for value in values if name in value]
    return str(found[-1]) if found else default
