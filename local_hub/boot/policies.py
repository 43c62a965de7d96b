"""The policies that DataHub starts with: what root, the roles, owners and everyone may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_BASE = "GENERATE_PERSONAL_ACCESS_TOKENS"
_CURATE = (
    "MANAGE_DOMAINS MANAGE_GLOBAL_ANNOUNCEMENTS MANAGE_GLOSSARIES MANAGE_TAGS "
    "MANAGE_BUSINESS_ATTRIBUTE CREATE_BUSINESS_ATTRIBUTE MANAGE_DOCUMENTATION_FORMS "
    "MANAGE_STRUCTURED_PROPERTIES VIEW_STRUCTURED_PROPERTIES_PAGE"
)
_OPERATE = (
    "MANAGE_POLICIES MANAGE_INGESTION MANAGE_SECRETS MANAGE_USERS_AND_GROUPS VIEW_ANALYTICS "
    "MANAGE_ACCESS_TOKENS MANAGE_TESTS MANAGE_USER_CREDENTIALS MANAGE_GLOBAL_VIEWS "
    "RESTORE_INDICES_PRIVILEGE GET_TIMESERIES_INDEX_SIZES_PRIVILEGE "
    "TRUNCATE_TIMESERIES_INDEX_PRIVILEGE GET_ES_TASK_STATUS_PRIVILEGE SET_WRITEABLE_PRIVILEGE "
    "APPLY_RETENTION_PRIVILEGE MANAGE_GLOBAL_OWNERSHIP_TYPES GET_ANALYTICS_PRIVILEGE "
    "MANAGE_CONNECTIONS MANAGE_SYSTEM_OPERATIONS GET_PLATFORM_EVENTS "
    "GET_METADATA_CHANGE_LOG_EVENTS PRODUCE_PLATFORM_EVENT_PRIVILEGE MANAGE_FEATURES "
    "CREATE_USERS_AND_GROUPS UPDATE_USERS_AND_GROUPS MANAGE_SERVICE_ACCOUNTS"
)
_READ = (
    "VIEW_ENTITY_PAGE SEARCH_PRIVILEGE GET_COUNTS_PRIVILEGE GET_TIMESERIES_ASPECT_PRIVILEGE "
    "GET_ENTITY_PRIVILEGE GET_TIMELINE_PRIVILEGE EXISTS_ENTITY"
)
_SENSITIVE = "VIEW_DATASET_USAGE VIEW_DATASET_PROFILE"
_EDIT = (
    "EDIT_ENTITY_TAGS EDIT_ENTITY_GLOSSARY_TERMS EDIT_ENTITY_DOCS EDIT_ENTITY_DOC_LINKS "
    "EDIT_ENTITY_STATUS EDIT_DOMAINS_PRIVILEGE EDIT_ENTITY_DATA_PRODUCTS "
    "EDIT_DEPRECATION_PRIVILEGE EDIT_ENTITY_ASSERTIONS EDIT_ENTITY_INCIDENTS "
    "EDIT_ENTITY_PROPERTIES EDIT_DATASET_COL_TAGS EDIT_DATASET_COL_GLOSSARY_TERMS "
    "EDIT_DATASET_COL_DESCRIPTION EDIT_TAG_COLOR EDIT_LINEAGE EDIT_ENTITY_QUERIES "
    "MANAGE_DATA_PRODUCTS"
)
_OWN = "EDIT_ENTITY EDIT_ENTITY_OWNERS EDIT_GROUP_MEMBERS EDIT_USER_PROFILE EDIT_CONTACT_INFO"
_EDITOR_TYPES = (
    "dataset chart dashboard dataFlow dataJob tag container domain glossaryTerm glossaryNode "
    "notebook dataProduct"
)

_ROOT = {"users": ["urn:li:corpuser:datahub"]}
_EVERYONE = {"allUsers": True}
_OWNERS = {"resourceOwners": True}


def _role(name: str) -> dict[str, Any]:
    return {"roles": [f"urn:li:dataHubRole:{name}"]}


_PLATFORM, _METADATA = "PLATFORM", "METADATA"

# (id, display name, type, editable, actors, privileges, description)
_POLICIES: tuple[tuple[str, str, str, bool, dict[str, Any], str, str], ...] = (
    (
        "0",
        "Root User - All Platform Privileges",
        _PLATFORM,
        False,
        _ROOT,
        f"{_OPERATE} {_CURATE} {_BASE}",
        "The root user may do everything on the platform.",
    ),
    (
        "1",
        "Root User - Edit and View All Resources",
        _METADATA,
        False,
        _ROOT,
        f"{_READ} {_SENSITIVE} {_EDIT} {_OWN} CREATE_ENTITY DELETE_ENTITY",
        "The root user may see, edit and delete every entity.",
    ),
    (
        "7",
        "All Users - Base Platform Privileges",
        _PLATFORM,
        True,
        _EVERYONE,
        f"VIEW_ANALYTICS {_BASE}",
        "What every user may do on the platform.",
    ),
    (
        "view-entity-page-all",
        "All Users - View Entity Page",
        _METADATA,
        True,
        _EVERYONE,
        _READ,
        "Every user may see every entity.",
    ),
    (
        "view-dataset-sensitive",
        "All Users - View Dataset Sensitive Information",
        _METADATA,
        True,
        _EVERYONE,
        _SENSITIVE,
        "Every user may see the usage and the profiles of datasets.",
    ),
    (
        "admin-platform-policy",
        "Admins - Platform Policy",
        _PLATFORM,
        False,
        _role("Admin"),
        f"{_OPERATE} {_CURATE} {_BASE}",
        "Admins may do everything on the platform.",
    ),
    (
        "admin-metadata-policy",
        "Admins - Metadata Policy",
        _METADATA,
        False,
        _role("Admin"),
        f"{_READ} {_SENSITIVE} {_EDIT} {_OWN} CREATE_ENTITY DELETE_ENTITY",
        "Admins may see, edit and delete every entity.",
    ),
    (
        "editor-platform-policy",
        "Editors - Platform Policy",
        _PLATFORM,
        False,
        _role("Editor"),
        f"{_CURATE} {_BASE}",
        "Editors curate domains, glossary, tags and announcements.",
    ),
    (
        "editor-metadata-policy",
        "Editors - Metadata Policy",
        _METADATA,
        False,
        _role("Editor"),
        f"{_READ} {_SENSITIVE} {_EDIT}",
        "Editors may see every entity and edit what describes it.",
    ),
    (
        "editor-metadata-policy-entities",
        "Editors - Edit Metadata Entities",
        _METADATA,
        True,
        _role("Editor"),
        "EDIT_ENTITY",
        "Editors may edit the main types of entities.",
    ),
    (
        "reader-platform-policy",
        "Readers - Platform Policy",
        _PLATFORM,
        False,
        _role("Reader"),
        "",
        "Readers have no privileges on the platform of their own.",
    ),
    (
        "reader-metadata-policy",
        "Readers - Metadata Policy",
        _METADATA,
        False,
        _role("Reader"),
        f"{_READ} {_SENSITIVE}",
        "Readers may see every entity.",
    ),
    (
        "asset-owners-metadata-policy",
        "Asset Owners - Metadata Policy",
        _METADATA,
        True,
        _OWNERS,
        f"{_READ} {_SENSITIVE} {_EDIT} {_OWN}",
        "Owners may edit everything about what they own.",
    ),
)


def policies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Ids and `dataHubPolicyInfo` of the policies."""
    for identifier, name, kind, editable, actors, privileges, description in _POLICIES:
        info: dict[str, Any] = {
            "displayName": name,
            "description": description,
            "type": kind,
            "state": "ACTIVE",
            "privileges": privileges.split(),
            "actors": {"resourceOwners": False, "allUsers": False, "allGroups": False, **actors},
            "editable": editable,
        }
        if identifier == "editor-metadata-policy-entities":
            criterion = {
                "field": "TYPE",
                "values": _EDITOR_TYPES.split(),
                "condition": "EQUALS",
            }
            info["resources"] = {"allResources": False, "filter": {"criteria": [criterion]}}
        yield identifier, info
