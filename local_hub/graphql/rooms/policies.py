"""Access policies: list, make and change them; what they grant."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from dataspoke.local_hub.access.resources import groups_of, roles_of
from dataspoke.local_hub.errors import Forbidden
from dataspoke.local_hub.filters import criteria
from dataspoke.local_hub.graphql.entities import Entity
from dataspoke.local_hub.graphql.pages import given_only, page
from dataspoke.local_hub.graphql.permissions import UNAUTHORIZED
from dataspoke.local_hub.graphql.room import Arguments, Context, Room

_INFO = "dataHubPolicyInfo"
_RESOLVED = {
    "resolvedUsers": "users",
    "resolvedGroups": "groups",
    "resolvedRoles": "roles",
    "resolvedOwnershipTypes": "resourceOwnersTypes",
}

# What the interface asks about the caller, and the privileges that any of which will do.
_PLATFORM: Mapping[str, tuple[str, ...]] = {
    "viewAnalytics": ("VIEW_ANALYTICS",),
    "managePolicies": ("MANAGE_POLICIES",),
    "manageIdentities": ("MANAGE_USERS_AND_GROUPS",),
    "generatePersonalAccessTokens": ("GENERATE_PERSONAL_ACCESS_TOKENS",),
    "manageIngestion": ("MANAGE_INGESTION",),
    "manageSecrets": ("MANAGE_SECRETS",),
    "manageDomains": ("MANAGE_DOMAINS",),
    "viewTests": ("VIEW_TESTS", "MANAGE_TESTS"),
    "manageTests": ("MANAGE_TESTS",),
    "manageGlossaries": ("MANAGE_GLOSSARIES",),
    "manageUserCredentials": ("MANAGE_USER_CREDENTIALS",),
    "createDomains": ("CREATE_DOMAINS", "MANAGE_DOMAINS"),
    "createTags": ("CREATE_TAGS", "MANAGE_TAGS"),
    "manageTags": ("MANAGE_TAGS",),
    "viewManageTags": ("VIEW_MANAGE_TAGS", "MANAGE_TAGS"),
    "manageGlobalViews": ("MANAGE_GLOBAL_VIEWS",),
    "manageOwnershipTypes": ("MANAGE_GLOBAL_OWNERSHIP_TYPES",),
    "manageGlobalSettings": ("MANAGE_GLOBAL_SETTINGS",),
    "manageGlobalAnnouncements": ("MANAGE_GLOBAL_ANNOUNCEMENTS",),
    "manageTokens": ("MANAGE_ACCESS_TOKENS",),
    "createBusinessAttributes": ("CREATE_BUSINESS_ATTRIBUTE", "MANAGE_BUSINESS_ATTRIBUTE"),
    "manageBusinessAttributes": ("MANAGE_BUSINESS_ATTRIBUTE",),
    "manageStructuredProperties": ("MANAGE_STRUCTURED_PROPERTIES",),
    "viewStructuredPropertiesPage": (
        "VIEW_STRUCTURED_PROPERTIES_PAGE",
        "MANAGE_STRUCTURED_PROPERTIES",
    ),
    "manageFeatures": ("MANAGE_FEATURES",),
    "manageHomePageTemplates": ("MANAGE_HOME_PAGE_TEMPLATES",),
    "manageDocuments": ("MANAGE_DOCUMENTS",),
    "manageApplications": ("MANAGE_APPLICATIONS",),
}


def platform_privileges(context: Context) -> dict[str, bool]:
    """What the actor may do on the platform, by the names of the interface."""
    return {name: context.may(*privileges) for name, privileges in _PLATFORM.items()}


def _list(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    found = page(
        context, "dataHubPolicy", "policies", given, groups=criteria(given.get("orFilters"))
    )
    policies = [_shown(policy) for policy in found["policies"]]
    return {**found, "count": len(policies), "policies": policies}


def _shown(policy: Entity) -> dict[str, Any]:
    info = policy.aspect(_INFO)
    actors = dict(info.get("actors") or {})
    resolved = {name: actors.get(field) for name, field in _RESOLVED.items()}
    return {
        "urn": policy.urn,
        "type": info.get("type"),
        "name": info.get("displayName"),
        "description": info.get("description"),
        "state": info.get("state"),
        "privileges": info.get("privileges") or [],
        "editable": info.get("editable", True),
        "actors": {**_ANYONE, **actors, **resolved},
        "resources": _resources(info.get("resources")),
    }


_ANYONE = {"resourceOwners": False, "allUsers": False, "allGroups": False}


def _resources(resources: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if resources is None:
        return None
    return {
        **resources,
        "filter": _filter(resources.get("filter")),
        "policyConstraints": _filter(resources.get("privilegeConstraints")),
    }


def _filter(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {
        "criteria": [
            {
                "field": one["field"],
                "condition": one.get("condition", "EQUALS"),
                "values": [
                    {"value": value, "entity": value if value.startswith("urn:li:") else None}
                    for value in one["values"]
                ],
            }
            for one in given.get("criteria") or ()
        ]
    }


def _create(context: Context, arguments: Arguments) -> str:
    return _write(context, f"urn:li:dataHubPolicy:{uuid.uuid4()}", arguments["input"])


def _update(context: Context, arguments: Arguments) -> str:
    return _write(context, arguments["urn"], arguments["input"])


def _write(context: Context, urn: str, given: Arguments) -> str:
    info = {
        "displayName": given["name"],
        "description": given.get("description") or "",
        "type": given["type"],
        "state": given["state"],
        "privileges": given["privileges"],
        "actors": given_only(given["actors"]),
        "editable": True,
        "lastUpdatedTimestamp": context.now,
    }
    resources = given.get("resources")
    if resources is not None:
        written = given_only(resources)
        if "policyConstraints" in written:
            written["privilegeConstraints"] = written.pop("policyConstraints")
        info["resources"] = {"allResources": False, **written}
    context.upsert(urn, _INFO, info)
    return urn


def _delete(context: Context, arguments: Arguments) -> str:
    urn: str = arguments["urn"]
    context.delete(urn)
    return urn


def _granted(context: Context, arguments: Arguments) -> Any:
    given = arguments["input"]
    if given["actorUrn"] != context.actor and not context.may("MANAGE_POLICIES"):
        raise Forbidden(UNAUTHORIZED)
    spec = given.get("resourceSpec")
    authorizer = context.access.authorizer
    found = authorizer.privileges(given["actorUrn"], spec["resourceUrn"] if spec else None)
    return {"privileges": sorted(found)}


def _debug(context: Context, arguments: Arguments) -> Any:
    user, authorizer = arguments["userUrn"], context.access.authorizer
    groups = groups_of(user, authorizer.value)
    own = roles_of(user, (), authorizer.value)
    by_group = {group: roles_of(group, (), authorizer.value) for group in sorted(groups)}
    via_groups = frozenset[str]().union(*by_group.values())
    policies = authorizer.applicable(user)
    return {
        "roles": sorted(own),
        "groups": sorted(groups),
        "groupsWithRoles": [group for group, roles in by_group.items() if roles],
        "rolesViaGroups": sorted(via_groups),
        "allRoles": sorted(own | via_groups),
        "policies": sorted(policy.urn for policy in policies),
        "privileges": sorted(_all(policy.privileges for policy in policies)),
    }


def _all(groups: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*groups)


ROOM = Room(
    schema="policies.graphql",
    queries={"listPolicies": _list, "getGrantedPrivileges": _granted, "debugAccess": _debug},
    mutations={"createPolicy": _create, "updatePolicy": _update, "deletePolicy": _delete},
)
