"""What GMS boots into an empty database, as DataHub's own clients expect to find it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dataspoke.local_hub.boot.platforms import platforms
from dataspoke.local_hub.boot.policies import policies
from dataspoke.local_hub.hub import SYSTEM_ACTOR, Hub, now_millis
from dataspoke.local_hub.registry import Registry

_USERS = (
    ("datahub", "DataHub", "DataHub Root User"),
    ("__datahub_system", "DataHub System", "DataHub System User"),
)

_OWNERSHIP_TYPES = (
    (
        "technical_owner",
        "Technical Owner",
        "Involved in the production, maintenance, or distribution of the asset(s).",
    ),
    (
        "business_owner",
        "Business Owner",
        "Principle stakeholders or domain experts associated with the asset(s).",
    ),
    ("data_steward", "Data Steward", "Involved in governance of the asset(s)."),
    ("none", "None", "No ownership type specified."),
)

_DATA_TYPES = (
    ("string", "String", "A string of characters."),
    ("number", "Number", "An integer or decimal number."),
    ("urn", "Urn", "An unique identifier for a DataHub entity."),
    ("rich_text", "Rich Text", "An attributed string of characters."),
    ("date", "Date", "A specific day, without time."),
)

_ROLES = (
    ("Admin", "Can do everything on the platform."),
    ("Editor", "Can read and edit all metadata. Cannot take administrative actions."),
    (
        "Reader",
        "Can read all metadata. Cannot edit anything by default, or take administrative actions.",
    ),
)

# urn, aspect, value
_Boot = tuple[str, str, dict[str, Any]]


def bootstrap(hub: Hub) -> None:
    """Write the boot data. Idempotent: an aspect that is there stays as it is."""
    wanted = list(_boot_data(hub.registry, now_millis()))
    there = hub.store.aspects([urn for urn, _, _ in wanted], {aspect for _, aspect, _ in wanted})
    proposals = [
        hub.proposals.build(hub.registry.entity_of(urn).name, urn, aspect, "UPSERT", value)
        for urn, aspect, value in wanted
        if aspect not in there.get(urn, {})
    ]
    if proposals:
        hub.ingest(proposals, SYSTEM_ACTOR).result()


def _boot_data(registry: Registry, now: int) -> Iterator[_Boot]:
    for user, name, title in _USERS:
        info = {"active": True, "displayName": name, "title": title, "system": True}
        yield f"urn:li:corpuser:{user}", "corpUserInfo", info
    for platform, info in platforms():
        yield f"urn:li:dataPlatform:{platform}", "dataPlatformInfo", info
    stamp = {"actor": SYSTEM_ACTOR, "time": now}
    for identifier, name, description in _OWNERSHIP_TYPES:
        yield (
            f"urn:li:ownershipType:__system__{identifier}",
            "ownershipTypeInfo",
            {"name": name, "description": description, "created": stamp, "lastModified": stamp},
        )
    for kind, name, description in _DATA_TYPES:
        qualified = f"datahub.{kind}"
        info = {"qualifiedName": qualified, "displayName": name, "description": description}
        yield f"urn:li:dataType:{qualified}", "dataTypeInfo", info
    for entity in registry.entities:
        qualified = f"datahub.{entity}"
        yield (
            f"urn:li:entityType:{qualified}",
            "entityTypeInfo",
            {"qualifiedName": qualified, "displayName": entity},
        )
    for role, description in _ROLES:
        info = {"name": role, "description": description, "editable": False}
        yield f"urn:li:dataHubRole:{role}", "dataHubRoleInfo", info
    for identifier, info in policies():
        info["lastUpdatedTimestamp"] = now
        yield f"urn:li:dataHubPolicy:{identifier}", "dataHubPolicyInfo", info
    yield "urn:li:globalSettings:0", "globalSettingsInfo", {"views": {}}
