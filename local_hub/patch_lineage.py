"""Column lineage as the tree that patches of it address.

``{operation: {downstream: {query: {upstream: {confidenceScore, upstreamType, …}}}}}``; an
operation or query that is not given is called NONE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataspoke.local_hub.errors import BadRequest

_NONE = "NONE"


def lineages_to_tree(lineages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Raises BadRequest for lineage that has not exactly one downstream column."""
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


def tree_to_lineages(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One lineage for each query, with the least confidence of its upstreams."""
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
