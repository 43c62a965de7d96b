"""Which privilege a refused request needs. Pure.

The names are those that DataHub shows when a policy is made (PoliciesConfig.java).
"""

from __future__ import annotations

_BY_GRAPHQL = {
    "createTag": "Create Tags",
    "addTag": "Edit Tags",
    "removeTag": "Edit Tags",
    "addTerm": "Edit Glossary Terms",
    "removeTerm": "Edit Glossary Terms",
    "addOwner": "Edit Owners",
    "removeOwner": "Edit Owners",
    "setDomain": "Edit Domain",
    "unsetDomain": "Edit Domain",
    "updateDeprecation": "Edit Deprecation",
    "raiseIncident": "Edit Incidents",
    "updateIncident": "Edit Incidents",
    "upsertCustomAssertion": "Edit Assertions",
    "reportAssertionResult": "Edit Assertions",
    "StructuredPropert": "Manage Structured Properties, or Edit Properties of the asset",
    "searchAcross": "View Entity Page",
    "scrollAcross": "View Entity Page",
}
_BY_PATH = (
    ("topic=PlatformEvent", "Get Platform Events"),
    ("topic=MetadataChangeLog", "Get Metadata Change Log Events"),
    ("/openapi/v1/events", "Get Platform Events, Get Metadata Change Log Events"),
    ("getTimeseriesAspectValues", "Get Timeseries Aspect API"),
    ("/openapi/v2/timeseries", "Get Timeseries Aspect API"),
    ("/openapi/v2/timeline", "Get Timeline API"),
    ("action=getCount", "Get Aspect/Entity Count APIs"),
    ("action=rollback", "Delete, and Manage System Operations"),
    ("/runs", "Manage System Operations"),
    ("/openapi/v1/trace", "Manage System Operations"),
    ("action=listUrns", "View Entity Page"),
    ("action=delete", "Delete"),
    ("relationship", "Get Relationships API, or View Entity Page"),
    ("lineage", "Get Lineage API, or View Entity Page"),
    ("ingestProposal", "Create Entity and Edit Entity"),
)


def privilege_for(request: str) -> str | None:
    """The privilege that a request (method, path with query, GraphQL text) needs, if known.

    >>> privilege_for("GET /openapi/v1/events/poll?topic=PlatformEvent_v1")
    'Get Platform Events'
    >>> privilege_for("POST /openapi/v3/entity/dataset")
    'Create Entity and Edit Entity'
    """
    if "/api/graphql" in request:
        return next((name for field, name in _BY_GRAPHQL.items() if field in request), None)
    for sign, name in _BY_PATH:
        if sign in request:
            return name
    method = request.partition(" ")[0]
    if "/openapi/v3/entity" in request:
        return {
            "DELETE": "Delete",
            "GET": "View Entity Page",
            "HEAD": "Entity Exists",
        }.get(
            method,
            "View Entity Page"
            if "batchGet" in request or "scroll" in request
            else "Create Entity and Edit Entity",
        )
    return "View Entity Page" if method == "GET" else None
