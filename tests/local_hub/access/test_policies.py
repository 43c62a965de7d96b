from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dataspoke.local_hub.access.policies import Actor, all_granted, granted, policy_of
from dataspoke.local_hub.access.resources import StoredResource, groups_of, roles_of

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.orders,PROD)"
MIRA = "urn:li:corpuser:mira"
CREW, DESK = "urn:li:corpGroup:crew", "urn:li:corpGroup:desk"
SALES, EUROPE, BERLIN = (f"urn:li:domain:{name}" for name in ("sales", "europe", "berlin"))
SCHEMA, DATABASE = "urn:li:container:schema", "urn:li:container:database"
STEWARD, TECHNICAL = (f"urn:li:ownershipType:{name}" for name in ("steward", "technical"))

STORED: Mapping[tuple[str, str], Any] = {
    (ORDERS, "domains"): {"domains": [BERLIN]},
    (BERLIN, "domainProperties"): {"name": "Berlin", "parentDomain": EUROPE},
    (EUROPE, "domainProperties"): {"name": "Europe", "parentDomain": SALES},
    (SALES, "domainProperties"): {"name": "Sales", "parentDomain": BERLIN},  # a circle
    (ORDERS, "container"): {"container": SCHEMA},
    (SCHEMA, "container"): {"container": DATABASE},
    (ORDERS, "globalTags"): {"tags": [{"tag": "urn:li:tag:pii"}]},
    (ORDERS, "ownership"): {
        "owners": [
            {"owner": MIRA, "type": "CUSTOM", "typeUrn": STEWARD},
            {"owner": CREW, "type": "CUSTOM", "typeUrn": TECHNICAL},
        ]
    },
    (MIRA, "groupMembership"): {"groups": [CREW]},
    (MIRA, "nativeGroupMembership"): {"nativeGroups": [DESK]},
    (MIRA, "roleMembership"): {"roles": ["urn:li:dataHubRole:Reader"]},
    (DESK, "roleMembership"): {"roles": ["urn:li:dataHubRole:Editor"]},
}


def read(urn: str, aspect: str) -> Any:
    return STORED.get((urn, aspect))


def grants(
    actor: Actor = Actor(MIRA),
    resource: str | None = ORDERS,
    **info: Any,
) -> bool:
    policy = policy_of(
        "urn:li:dataHubPolicy:p",
        {"type": "METADATA", "state": "ACTIVE", "privileges": ["VIEW_ENTITY_PAGE"], **info},
    )
    what = None if resource is None else StoredResource(resource, resource.split(":")[2], read)
    return granted([policy], actor, "VIEW_ENTITY_PAGE", what)


@pytest.mark.parametrize(
    ("actors", "actor", "expected"),
    [
        ({"allUsers": True}, Actor(MIRA), True),
        ({"users": [MIRA]}, Actor(MIRA), True),
        ({"users": ["urn:li:corpuser:other"]}, Actor(MIRA), False),
        ({"groups": [CREW]}, Actor(MIRA, frozenset({CREW})), True),
        ({"groups": [CREW]}, Actor(MIRA, frozenset({DESK})), False),
        ({"allGroups": True}, Actor(MIRA, frozenset({DESK})), True),
        ({"allGroups": True}, Actor(MIRA), False),
        ({"roles": ["r"]}, Actor(MIRA, roles=frozenset({"r"})), True),
        ({"roles": ["r"]}, Actor(MIRA, roles=frozenset({"s"})), False),
        ({"resourceOwners": True}, Actor(MIRA), True),
        ({"resourceOwners": True}, Actor("urn:li:corpuser:x", frozenset({CREW})), True),
        ({"resourceOwners": True}, Actor("urn:li:corpuser:x"), False),
        ({"resourceOwners": True, "resourceOwnersTypes": [STEWARD]}, Actor(MIRA), True),
        ({"resourceOwners": True, "resourceOwnersTypes": [TECHNICAL]}, Actor(MIRA), False),
        ({}, Actor(MIRA), False),
    ],
)
def test_a_policy_is_for_the_actors_that_it_names(
    actors: dict[str, Any], actor: Actor, expected: bool
) -> None:
    assert grants(actor, actors=actors) is expected


def criteria(*given: tuple[str, str, list[str]]) -> dict[str, Any]:
    return {
        "filter": {
            "criteria": [
                {"field": field, "condition": condition, "values": values}
                for field, condition, values in given
            ]
        }
    }


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"allResources": True}, True),
        ({"type": "dataset", "allResources": True}, True),
        ({"type": "chart", "allResources": True}, False),
        ({"type": "dataset", "resources": [ORDERS]}, True),
        ({"type": "dataset", "resources": ["urn:li:dataset:x"]}, False),
        (criteria(), True),
        (criteria(("TYPE", "EQUALS", ["chart", "dataset"])), True),
        (criteria(("RESOURCE_TYPE", "EQUALS", ["chart"])), False),
        (criteria(("URN", "EQUALS", [ORDERS])), True),
        (criteria(("urn", "STARTS_WITH", ["urn:li:dataset:(urn:li:dataPlatform:post"])), True),
        (criteria(("URN", "NOT_EQUALS", [ORDERS])), False),
        (criteria(("DOMAIN", "EQUALS", [BERLIN])), True),
        (criteria(("DOMAIN", "EQUALS", [SALES])), True),
        (criteria(("DOMAIN", "EQUALS", ["urn:li:domain:other"])), False),
        (criteria(("CONTAINER", "EQUALS", [DATABASE])), True),
        (criteria(("TAG", "EQUALS", ["urn:li:tag:pii"])), True),
        (criteria(("TAG", "NOT_EQUALS", ["urn:li:tag:pii"])), False),
        (criteria(("OWNER", "EQUALS", [CREW])), True),
        (criteria(("TAG", "EQUALS", ["urn:li:tag:pii"]), ("TYPE", "EQUALS", ["chart"])), False),
        (criteria(("NO_SUCH_FIELD", "EQUALS", ["x"])), False),
        (criteria(("URN", "NO_SUCH_CONDITION", [ORDERS])), False),
    ],
)
def test_a_policy_covers_the_resources_of_its_filter(
    resources: dict[str, Any], expected: bool
) -> None:
    assert grants(resources=resources, actors={"allUsers": True}) is expected


@pytest.mark.parametrize(
    ("info", "resource", "expected"),
    [
        ({"type": "METADATA", "resources": {"type": "dataset"}}, None, False),
        ({"type": "PLATFORM", "resources": {"type": "chart"}}, None, True),
        ({"type": "METADATA"}, None, True),
        ({"state": "INACTIVE"}, ORDERS, False),
        ({"privileges": ["EDIT_ENTITY"]}, ORDERS, False),
    ],
)
def test_type_state_and_privileges_of_a_policy_count(
    info: dict[str, Any], resource: str | None, expected: bool
) -> None:
    assert grants(resource=resource, actors={"allUsers": True}, **info) is expected


def test_all_privileges_of_the_policies_that_apply_are_granted() -> None:
    def policy(privileges: list[str], users: list[str]) -> Any:
        return policy_of("p", {"privileges": privileges, "actors": {"users": users}})

    policies = [policy(["A", "B"], [MIRA]), policy(["B", "C"], [MIRA]), policy(["D"], [])]

    assert all_granted(policies, Actor(MIRA), None) == {"A", "B", "C"}


def test_aspects_of_an_entity_that_is_to_be_created_count() -> None:
    urn = "urn:li:dataset:(urn:li:dataPlatform:postgres,new,PROD)"
    resource = StoredResource(urn, "dataset", read, {"domains": {"domains": [EUROPE]}})

    assert resource.values("DOMAIN") == {EUROPE, SALES, BERLIN}


def test_groups_and_roles_come_from_both_memberships() -> None:
    groups = groups_of(MIRA, read)

    assert groups == {CREW, DESK}
    assert roles_of(MIRA, groups, read) == {
        "urn:li:dataHubRole:Reader",
        "urn:li:dataHubRole:Editor",
    }
