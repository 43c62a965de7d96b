"""Aspects that DataHub keeps about others: incidents of an asset, results, siblings, products."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dataspoke.local_hub.effects.model import Change, View, propose
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.urns import Urn

_MOST_INCIDENTS = 100
_STATES = {"ACTIVE": "activeIncidentDetails", "RESOLVED": "resolvedIncidentDetails"}
_OLD_FIELDS = ("activeIncidents", "resolvedIncidents")
_RESULTS = {
    "SUCCESS": "lastPassedAtMillis",
    "FAILURE": "lastFailedAtMillis",
    "ERROR": "lastErroredAtMillis",
}
_DBT = "urn:li:dataPlatform:dbt"
_SOURCE_SUBTYPES = frozenset({"source", "Source"})


def summarize_incident(view: View, change: Change) -> Iterable[Proposal]:
    """Keep `incidentsSummary` of the assets of an incident.

    A deleted incident leaves the summaries when the references to it are deleted.
    """
    if change.new is None:
        return
    for asset in change.new["entities"]:
        if "incidentsSummary" in view.registry.entity_of(asset).aspects:
            summary = view.value(asset, "incidentsSummary") or {}
            after = _summary(summary, change.urn, change.new)
            yield propose(view, asset, "incidentsSummary", after)


def _summary(summary: dict[str, Any], urn: str, info: dict[str, Any]) -> dict[str, Any]:
    result = {
        field: [item for item in summary[field] if item != urn]
        for field in _OLD_FIELDS
        if field in summary
    }
    for state, field in _STATES.items():
        others = [item for item in summary.get(field, ()) if item["urn"] != urn]
        if state == info["status"]["state"]:
            others.sort(key=lambda item: int(item["createdAt"]))
            others = [*others[-(_MOST_INCIDENTS - 1) :], _detail(urn, info)]
        result[field] = others
    return result


def _detail(urn: str, info: dict[str, Any]) -> dict[str, Any]:
    kind = info["type"]
    detail = {
        "urn": urn,
        "type": info.get("customType", kind) if kind == "CUSTOM" else kind,
        "createdAt": info["created"]["time"],
    }
    if "priority" in info:
        detail["priority"] = info["priority"]
    if info["status"]["state"] == "RESOLVED":
        detail["resolvedAt"] = info["status"]["lastUpdated"]["time"]
    return detail


def summarize_run(view: View, change: Change) -> Iterable[Proposal]:
    """Keep in `assertionRunSummary` when an assertion last passed, failed and had an error."""
    event = change.new
    if event is None or event["status"] != "COMPLETE":
        return
    field = _RESULTS.get((event.get("result") or {}).get("type", ""))
    if field is None:
        return
    summary = view.value(change.urn, "assertionRunSummary") or {}
    if event["timestampMillis"] > summary.get(field, -1):
        summary[field] = event["timestampMillis"]
        yield propose(view, change.urn, "assertionRunSummary", summary)


def associate_siblings(view: View, change: Change) -> Iterable[Proposal]:
    """Make a dbt dataset and the table that it describes or builds siblings of each other."""
    if change.new is None or change.entity.name != "dataset":
        return
    if platform(change.urn) == _DBT:
        subtypes = view.value(change.urn, "subTypes") or {}
        lineage = view.value(change.urn, "upstreamLineage") or {}
        upstreams = [upstream["dataset"] for upstream in lineage.get("upstreams", ())]
        is_source = not _SOURCE_SUBTYPES.isdisjoint(subtypes.get("typeNames", ()))
        if is_source and len(upstreams) == 1 and platform(upstreams[0]) != _DBT:
            yield from _siblings(view, change.urn, upstreams[0])
    elif change.aspect.name == "upstreamLineage":
        models = [
            upstream["dataset"]
            for upstream in change.new["upstreams"]
            if platform(upstream["dataset"]) == _DBT
        ]
        if len(models) == 1:
            yield from _siblings(view, models[0], change.urn)


def platform(dataset: str) -> str:
    """Urn of the platform of a dataset."""
    return Urn.parse(dataset).parts[0]


def _siblings(view: View, model: str, table: str) -> Iterable[Proposal]:
    of_model = (view.value(model, "siblings") or {}).get("siblings", [])
    of_table = (view.value(table, "siblings") or {}).get("siblings", [])
    if table in of_model and model in of_table:
        return
    yield propose(view, model, "siblings", {"siblings": [table], "primary": True})
    kept = [urn for urn in of_table if urn != model and view.exists(urn)]
    yield propose(view, table, "siblings", {"siblings": [*kept, model], "primary": False})


def take_from_other_products(view: View, change: Change) -> Iterable[Proposal]:
    """An asset belongs to one data product: take what one got off all others."""
    if change.new is None:
        return
    before = _assets(change.old)
    added = _assets(change.new) - before
    if not added:
        return
    for product in view.holders("dataProductProperties", "destinationUrn"):
        if product == change.urn:
            continue
        patch = [
            {"op": "remove", "path": f"/assets/{urn}"}
            for urn in sorted(_assets(view.value(product, "dataProductProperties")) & added)
        ]
        if patch:
            keys = {"assets": ["destinationUrn"]}
            value = {"patch": patch, "arrayPrimaryKeys": keys}
            yield propose(view, product, "dataProductProperties", value, "PATCH")


def _assets(product: dict[str, Any] | None) -> set[str]:
    return {asset["destinationUrn"] for asset in (product or {}).get("assets") or ()}
