from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataspoke.core.documents.render import render
from dataspoke.core.hub.aspects import snapshot_of
from dataspoke.core.index.conditions import holds
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.model import Hashes, IndexSpec, UpsertPoint
from dataspoke.local_hub.access import policies as hub
from dataspoke.local_hub.access.resources import StoredResource
from dataspoke.search_service.access.policies import (
    OPEN_TYPES,
    VIEW_PRIVILEGES,
    Actor,
    Trees,
    compiled,
    policy_of,
    tree_kinds,
)

USERS = [f"urn:li:corpuser:{name}" for name in ("ann", "bob")]
GROUPS = [f"urn:li:corpGroup:{name}" for name in ("red", "blue")]
ROLES = [f"urn:li:dataHubRole:{name}" for name in ("Reader", "Editor")]
DOMAINS = [f"urn:li:domain:{name}" for name in ("a", "ab", "b", "c")]
CONTAINERS = [f"urn:li:container:{name}" for name in ("x", "xy", "y")]
TAGS = [f"urn:li:tag:{name}" for name in ("p", "pq")]
TERMS = [f"urn:li:glossaryTerm:{name}" for name in ("t", "u")]
KINDS = ["urn:li:ownershipType:technical", "urn:li:ownershipType:business"]
INSTANCES = [f"urn:li:dataPlatformInstance:(urn:li:dataPlatform:pg,{n})" for n in ("eu", "us")]
TABLES = [f"urn:li:dataset:(urn:li:dataPlatform:pg,s.{n},PROD)" for n in ("one", "two")]
JOBS = ["urn:li:dataJob:(urn:li:dataFlow:(airflow,f,PROD),j)"]
URNS = [*TABLES, *JOBS, *CONTAINERS, *DOMAINS, *TAGS, *TERMS]
TYPES = ["dataset", "dataJob", "container", "domain", "tag", "glossaryTerm"]
VALUES = {
    "TYPE": TYPES,
    "RESOURCE_URN": URNS,
    "OWNER": USERS + GROUPS,
    "DOMAIN": DOMAINS,
    "CONTAINER": CONTAINERS,
    "TAG": TAGS,
    "GLOSSARY_TERM": TERMS,
    "DATA_PLATFORM_INSTANCE": INSTANCES,
    "GROUP_MEMBERSHIP": GROUPS,
    "NEW_FIELD": TAGS,
}


def some(values: list[str], most: int = 2) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True)


CRITERIA = st.sampled_from(sorted(VALUES)).flatmap(
    lambda field: st.fixed_dictionaries(
        {
            "field": st.just(field),
            "values": some([*VALUES[field], VALUES[field][0][:-1], "urn:li:"]),
            "condition": st.sampled_from(["EQUALS", "STARTS_WITH", "NOT_EQUALS", "LIKE"]),
        }
    )
)
RESOURCES = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"filter": st.fixed_dictionaries({"criteria": st.lists(CRITERIA, max_size=2)})}
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from([None, *TYPES]),
            "resources": st.one_of(st.none(), some(URNS)),
            "allResources": st.booleans(),
        }
    ),
)
POLICIES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["METADATA", "METADATA", "METADATA", "PLATFORM"]),
        "state": st.sampled_from(["ACTIVE", "ACTIVE", "INACTIVE"]),
        "privileges": st.lists(
            st.sampled_from([*sorted(VIEW_PRIVILEGES), "EDIT_ENTITY_TAGS"]), max_size=2
        ),
        "actors": st.fixed_dictionaries(
            {
                "users": some(USERS),
                "groups": some(GROUPS),
                "roles": some(ROLES),
                "allUsers": st.sampled_from([False, False, True]),
                "allGroups": st.booleans(),
                "resourceOwners": st.booleans(),
                "resourceOwnersTypes": st.one_of(st.none(), some(KINDS)),
            }
        ),
        "resources": RESOURCES,
    }
)
OWNERS = st.lists(
    st.fixed_dictionaries(
        {
            "owner": st.sampled_from(USERS + GROUPS),
            "type": st.just("CUSTOM"),
            "typeUrn": st.sampled_from([None, *KINDS]),
        }
    ),
    max_size=2,
)
COLUMN = {"fieldPath": "c", "nativeDataType": "text", "type": {"type": {}}}
ASPECTS = st.fixed_dictionaries(
    {
        "ownership": st.fixed_dictionaries({"owners": OWNERS}),
        "domains": st.fixed_dictionaries({"domains": some(DOMAINS)}),
        "container": st.sampled_from(CONTAINERS).map(lambda urn: {"container": urn}),
        "globalTags": some(TAGS).map(lambda urns: {"tags": [{"tag": urn} for urn in urns]}),
        "glossaryTerms": some(TERMS).map(lambda urns: {"terms": [{"urn": urn} for urn in urns]}),
        "dataPlatformInstance": st.sampled_from(INSTANCES).map(
            lambda urn: {"platform": "urn:li:dataPlatform:pg", "instance": urn}
        ),
        "schemaMetadata": some(TAGS).map(
            lambda urns: {
                "fields": [{**COLUMN, "globalTags": {"tags": [{"tag": urn} for urn in urns]}}]
            }
        ),
        "browsePathsV2": some(CONTAINERS).map(
            lambda urns: {"path": [{"id": urn, "urn": urn} for urn in urns]}
        ),
    }
)
# Which aspects an entity type has, as DataHub's registry says.
HAS = {
    "dataset": set(
        [
            "ownership",
            "domains",
            "container",
            "globalTags",
            "glossaryTerms",
            "dataPlatformInstance",
            "schemaMetadata",
            "browsePathsV2",
        ]
    ),
    "dataJob": set(["ownership", "domains", "container", "globalTags", "glossaryTerms"]),
    "container": set(["ownership", "domains", "container", "globalTags", "glossaryTerms"]),
    "domain": {"ownership"},
    "tag": {"ownership"},
    "glossaryTerm": {"ownership", "domains"},
}
ENTITIES = st.dictionaries(st.sampled_from(URNS), ASPECTS, min_size=1, max_size=6)
PARENTS = st.tuples(
    st.dictionaries(st.sampled_from(DOMAINS), st.sampled_from(DOMAINS)),
    st.dictionaries(st.sampled_from(CONTAINERS), st.sampled_from(CONTAINERS)),
)
ACTORS = st.builds(
    Actor, st.sampled_from(USERS), some(GROUPS).map(frozenset), some(ROLES).map(frozenset)
)


def kind_of(urn: str) -> str:
    return urn.split(":")[2]


def stored(
    entities: dict[str, dict[str, Any]], parents: tuple[dict[str, str], dict[str, str]]
) -> dict[str, dict[str, Any]]:
    """All aspects by urn. What is above a container is said by its own aspect."""
    found = {
        urn: {name: value for name, value in aspects.items() if name in HAS[kind_of(urn)]}
        for urn, aspects in entities.items()
    }
    for urn in found.keys() & set(CONTAINERS):
        found[urn].pop("container", None)
    for child, parent in parents[0].items():
        found.setdefault(child, {})["domainProperties"] = {"name": "d", "parentDomain": parent}
    for child, parent in parents[1].items():
        found.setdefault(child, {})["container"] = {"container": parent}
    return found


def shown_by_the_hub(
    infos: list[dict[str, Any]], actor: Actor, catalogue: Mapping[str, Mapping[str, Any]]
) -> set[str]:
    """What the local hub's own interpreter of policies shows."""
    given_policies = [hub.policy_of("", info) for info in infos]
    who = hub.Actor(actor.urn, actor.groups, actor.roles)

    def read(urn: str, aspect: str) -> Any:
        return catalogue.get(urn, {}).get(aspect)

    return {
        urn
        for urn in catalogue
        if kind_of(urn) in OPEN_TYPES
        or any(
            hub.granted(given_policies, who, privilege, StoredResource(urn, kind_of(urn), read))
            for privilege in VIEW_PRIVILEGES
        )
    }


def payload_of(urn: str, aspects: Mapping[str, Any]) -> Mapping[str, Any]:
    read = {name: {"value": value} for name, value in aspects.items()}
    return render(snapshot_of(urn, read), model_id="any").payload


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(POLICIES, max_size=4), ACTORS, ENTITIES, PARENTS)
def test_the_conditions_show_exactly_what_the_policies_show(
    infos: list[dict[str, Any]],
    actor: Actor,
    entities: dict[str, dict[str, Any]],
    parents: tuple[dict[str, str], dict[str, str]],
) -> None:
    catalogue = stored(entities, parents)
    read = [policy for info in infos if (policy := policy_of(info)) is not None]
    conditions = compiled(read, actor, Trees(*parents))
    shown = {urn for urn in catalogue if holds(conditions or (), payload_of(urn, catalogue[urn]))}
    assert shown == shown_by_the_hub(infos, actor, catalogue)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> EdgeIndex:
    folder: Path = tmp_path_factory.mktemp("edge")
    return EdgeIndex.open(folder, IndexSpec("any", {"m": 4}, ()), now_ms=0)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(POLICIES, max_size=4), ACTORS, ENTITIES, PARENTS)
def test_the_engine_shows_the_same(
    index: EdgeIndex,
    infos: list[dict[str, Any]],
    actor: Actor,
    entities: dict[str, dict[str, Any]],
    parents: tuple[dict[str, str], dict[str, str]],
) -> None:
    catalogue = stored(entities, parents)
    index.apply(
        [
            UpsertPoint(urn, Hashes("", ""), {}, {}, payload_of(urn, catalogue.get(urn, {})), 1)
            for urn in URNS
        ]
    )
    read = [policy for info in infos if (policy := policy_of(info)) is not None]
    conditions = compiled(read, actor, Trees(*parents))
    everything = {urn: catalogue.get(urn, {}) for urn in URNS}
    assert index.count(conditions or ()) == len(shown_by_the_hub(infos, actor, everything))


VIEW = {"privileges": ["VIEW_ENTITY_PAGE"], "actors": {"allUsers": True}}


@pytest.mark.parametrize(
    "broken",
    [
        {"actors": {"allUsers": True}},
        {**VIEW, "privileges": None},
        {**VIEW, "actors": []},
        {**VIEW, "actors": {"allUsers": "yes"}},
        {**VIEW, "actors": {"users": USERS[0]}},
        {**VIEW, "resources": {"filter": {"criteria": [{"values": ["x"]}]}}},
        {**VIEW, "resources": {"filter": {"criteria": [{"field": "TAG", "values": "x"}]}}},
        {**VIEW, "resources": {"filter": {"criteria": {"field": "TAG"}}}},
        {**VIEW, "resources": "all"},
    ],
)
def test_a_policy_of_another_form_shows_nothing(broken: dict[str, Any]) -> None:
    read = policy_of(broken)
    conditions = compiled([read] if read else [], Actor(USERS[0]), Trees({}, {}))
    assert conditions is not None
    assert not holds(conditions, payload_of(TABLES[0], {}))


def test_without_policies_only_open_types_are_shown() -> None:
    conditions = compiled([], Actor(USERS[0]), Trees({}, {}))
    assert conditions is not None
    assert holds(conditions, payload_of(TAGS[0], {}))
    assert not holds(conditions, payload_of(TABLES[0], {}))


def test_trees_are_asked_for_only_by_policies_that_need_them() -> None:
    def about(field: str) -> dict[str, Any]:
        return {**VIEW, "resources": {"filter": {"criteria": [{"field": field, "values": []}]}}}

    read = [policy_of(about(field)) for field in ("TAG", "domain")]
    assert tree_kinds(policy for policy in read if policy) == {"domain"}
