"""Ranked hits as the JSON of the answer. Pure; shapes as in `schemas`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from dataspoke.core.index.model import Payload
from dataspoke.search_service.explain import Explanation
from dataspoke.search_service.filters import describe
from dataspoke.search_service.neighbours import Neighbour, Surroundings
from dataspoke.search_service.retrieve import RankedHit
from dataspoke.search_service.understand import ShownFilter

_SHOWN_COLUMNS = 50
_SHOWN_COPIES = 20

# DataHub's web page names some types unlike their urns.
_PAGES = {"dataFlow": "pipelines", "dataJob": "tasks", "mlModel": "mlModels"}


def result(hit: RankedHit, frontend_url: str | None) -> dict[str, Any]:
    """One entry of `results`."""
    payload = hit.payload
    return {
        **_card(payload, hit.around, frontend_url),
        "score": hit.score,
        "columns": _columns(payload, hit.explanation),
        "explanation": _explanation(hit.explanation),
    }


def entity(payload: Payload, around: Surroundings, frontend_url: str | None) -> dict[str, Any]:
    """All that the index knows of one entity."""
    return {
        **_card(payload, around, frontend_url),
        "columns": [_column(column) for column in payload["columns"]],
        "related": _references(payload, "related", "related_names"),
        "custom_properties": payload.get("custom_properties") or {},
        "structured_properties": payload.get("structured_properties") or {},
        "created": iso(payload["created"]),
    }


def _card(payload: Payload, around: Surroundings, frontend_url: str | None) -> dict[str, Any]:
    """What a hit and an entity's own answer have in common."""
    return {
        "urn": payload["urn"],
        "name": payload["name"],
        "qualified_name": payload["qualified_name"],
        "entity_type": payload["entity_type"],
        "platform": payload["platform"],
        "platform_instance": payload["platform_instance"],
        "env": payload["env"],
        "subtypes": payload["subtypes"],
        "description": payload["description"],
        "container": payload["container"],
        "path": payload["path"],
        "tags": _references(payload, "tags", "tag_names"),
        "terms": _references(payload, "terms", "term_names"),
        "owners": _owners(payload),
        "domains": _references(payload, "domains", "domain_names"),
        "consumers": _references(payload, "consumers", "consumer_names"),
        "upstreams": _neighbours(around.upstreams),
        "downstreams": _neighbours(around.downstreams),
        "copies": {
            "count": len(around.copies),
            "entities": [
                {
                    "urn": row.urn,
                    "name": row.name,
                    "qualified_name": row.qualified_name,
                    "platform": row.platform,
                    "env": row.env,
                }
                for row in around.copies[:_SHOWN_COPIES]
            ],
        },
        "column_count": payload["column_count"],
        "quality": payload.get("quality") or "unknown",
        "incidents": payload.get("incidents") or 0,
        "certified": bool(payload.get("certified")),
        "usage": payload.get("usage") or 0,
        "deprecated": payload["deprecated"],
        "deprecation_note": payload.get("deprecation_note") or "",
        "last_modified": iso(payload["last_modified"]),
        "external_url": payload["external_url"],
        "datahub_url": datahub_url(frontend_url, payload["entity_type"], payload["urn"]),
    }


def applied_filter(applied: ShownFilter) -> dict[str, Any]:
    """One entry of `filters`."""
    given, parsed = applied.filter, applied.parsed
    return {
        "id": given.id,
        "source": "parsed" if parsed else "explicit",
        "relaxed": applied.relaxed,
        "field": given.field,
        "op": given.op,
        "values": list(given.values),
        "negated": given.negated,
        "text": describe(given),
        "words": parsed.words if parsed else "",
        "span": list(parsed.span) if parsed else None,
    }


def datahub_url(frontend_url: str | None, entity_type: str, urn: str) -> str | None:
    """The entity's page for people.

    >>> datahub_url("https://hub", "tag", "urn:li:tag:a/b")
    'https://hub/tag/urn%3Ali%3Atag%3Aa%2Fb'
    """
    if not frontend_url:
        return None
    return f"{frontend_url}/{_PAGES.get(entity_type, entity_type)}/{quote(urn, safe='')}"


def iso(milliseconds: int) -> str | None:
    """UTC ms as ISO 8601; None for 0, which means unknown, and for what no calendar holds."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment.isoformat(timespec="seconds") if milliseconds else None


def _references(payload: Payload, urns: str, names: str) -> list[dict[str, str]]:
    pairs = zip(payload.get(urns) or (), payload.get(names) or (), strict=False)
    return [{"urn": urn, "name": name} for urn, name in pairs]


def _owners(payload: Payload) -> list[dict[str, str]]:
    kinds = payload.get("owner_types") or [""] * len(payload["owners"])
    owners = zip(_references(payload, "owners", "owner_names"), kinds, strict=False)
    return [{**owner, "type": kind} for owner, kind in owners]


def _neighbours(neighbours: Sequence[Neighbour]) -> list[dict[str, str]]:
    return [{"urn": neighbour.urn, "name": neighbour.name} for neighbour in neighbours]


def _column(column: Mapping[str, str]) -> dict[str, str]:
    return {
        "name": column["name"],
        "type": column.get("type") or "",
        "description": column.get("description") or "",
    }


def _columns(payload: Payload, explanation: Explanation) -> Sequence[Mapping[str, str]]:
    matched = {
        value
        for match in explanation.matches
        if match.field in ("columns", "column descriptions")
        for value in match.values
    }
    columns = sorted(payload["columns"], key=lambda column: column["name"] not in matched)
    return [_column(column) for column in columns[:_SHOWN_COLUMNS]]


def _explanation(explanation: Explanation) -> dict[str, Any]:
    found = explanation.found
    return {
        "summary": explanation.summary,
        "found_by": list(found.by),
        "exact": found.exact,
        "matches": [
            {"field": m.field, "words": list(m.words), "values": list(m.values)}
            for m in explanation.matches
        ],
        "filters": list(explanation.filters),
        "signals": [
            {"signal": signal.name, "factor": signal.factor, "text": signal.words}
            for signal in explanation.signals
        ],
        "meaning_score": _rounded(found.meaning),
        "words_score": _rounded(found.words),
    }


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)
