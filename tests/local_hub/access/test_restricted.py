"""A hub as users see it whom policies restrict."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from hub_client import Client
from starlette.testclient import TestClient

from dataspoke.local_hub.app import create_app

ORDERS, PAYMENTS, SALARIES = (
    f"urn:li:dataset:(urn:li:dataPlatform:postgres,{name},PROD)"
    for name in ("orders", "payments", "salaries")
)
SALES, STAFF = "urn:li:domain:sales", "urn:li:domain:staff"
EVERYONE = ("7", "view-entity-page-all", "view-dataset-sensitive")
TOKEN = "s3cret"


@dataclass
class Callers:
    """The hub as the root user and as Mira call it; `user` is the urn of Mira."""

    client: Client
    root: Mapping[str, str]
    mira: Mapping[str, str]
    user: str

    def graphql(self, headers: Mapping[str, str], query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        return self.client.http.post("/api/graphql", json=body, headers=headers).json()

    def grant(self, privileges: list[str], kind: str = "METADATA", **more: Any) -> str:
        """A policy for Mira; its urn."""
        policy = {
            "type": kind,
            "name": "For Mira",
            "state": "ACTIVE",
            "privileges": privileges,
            "actors": {
                "users": [self.user],
                "resourceOwners": False,
                "allUsers": False,
                "allGroups": False,
            },
            **more,
        }
        made = self.graphql(
            self.root,
            "mutation($p: PolicyUpdateInput!) { createPolicy(input: $p) }",
            p=policy,
        )
        urn: str = made["data"]["createPolicy"]
        return urn

    def read(self, urn: str) -> int:
        path = f"/openapi/v3/entity/dataset/{quote(urn, safe='')}"
        status: int = self.client.http.get(path, headers=self.mira).status_code
        return status

    def write(self, urn: str, aspect: str, value: Any) -> int:
        body = [{"urn": urn, aspect: {"value": value}}]
        path = f"/openapi/v3/entity/{urn.split(':')[2]}?async=false"
        status: int = self.client.http.post(path, json=body, headers=self.mira).status_code
        return status


def criteria(*given: tuple[str, list[str]]) -> dict[str, Any]:
    made = [{"field": field, "values": values, "condition": "EQUALS"} for field, values in given]
    return {"filter": {"criteria": made}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One hub for all tests, where nobody but the root user may do anything."""
    with TestClient(create_app(tmp_path_factory.mktemp("hub"), token=TOKEN)) as http:
        http.headers["Authorization"] = f"Bearer {TOKEN}"
        client = Client(http)
        for policy in EVERYONE:
            client.must_put(f"urn:li:dataHubPolicy:{policy}", "dataHubPolicyInfo", _nothing(policy))
        for urn, domain in ((ORDERS, SALES), (PAYMENTS, SALES), (SALARIES, STAFF)):
            client.must_put(urn, "datasetProperties", {"name": urn.split(",")[1]})
            client.must_put(urn, "domains", {"domains": [domain]})
        yield client


@pytest.fixture
def callers(client: Client, request: pytest.FixtureRequest) -> Callers:
    """Each test has a Mira of its own, so that what one is granted is no other's."""
    name = hashlib.md5(request.node.name.encode(), usedforsecurity=False).hexdigest()
    user = f"urn:li:corpuser:mira-{name}"
    access = client.http.app.state.access  # type: ignore[attr-defined]
    access.users.create(user, full_name="Mira", email="mira", title="Steward", password="pw")
    token = access.tokens.session(user)
    root = {"Authorization": f"Bearer {TOKEN}"}
    return Callers(client, root, {"Authorization": f"Bearer {token}"}, user)


def _nothing(name: str) -> dict[str, Any]:
    return {
        "displayName": name,
        "description": "",
        "type": "METADATA",
        "state": "INACTIVE",
        "privileges": [],
        "actors": {"resourceOwners": False, "allUsers": True, "allGroups": False},
        "editable": True,
    }


SEARCH = """query {
searchAcrossEntities(input: {types: [DATASET], query: "*", start: 0, count: 9}) {
  total searchResults { entity { urn } } facets { field aggregations { count } } } }"""


def found(answer: Any) -> set[str]:
    results = answer["data"]["searchAcrossEntities"]["searchResults"]
    return {result["entity"]["urn"] for result in results}


def test_without_a_policy_nothing_can_be_read(callers: Callers) -> None:
    assert callers.read(ORDERS) == 403
    assert found(callers.graphql(callers.mira, SEARCH)) == set()
    assert found(callers.graphql(callers.root, SEARCH)) >= {ORDERS, PAYMENTS, SALARIES}


def test_a_policy_for_a_domain_shows_what_is_in_it(callers: Callers) -> None:
    policy = callers.grant(["VIEW_ENTITY_PAGE"], resources=criteria(("DOMAIN", [SALES])))

    answer = callers.graphql(callers.mira, SEARCH)

    assert found(answer) == {ORDERS, PAYMENTS}
    assert answer["data"]["searchAcrossEntities"]["total"] == 2
    assert (callers.read(ORDERS), callers.read(SALARIES)) == (200, 403)
    callers.graphql(callers.root, f'mutation {{ deletePolicy(urn: "{policy}") }}')
    assert callers.read(ORDERS) == 403


def test_scrolls_leave_out_what_may_not_be_seen(callers: Callers) -> None:
    callers.grant(["VIEW_ENTITY_PAGE"], resources=criteria(("URN", [PAYMENTS])))

    answer = callers.client.http.get("/openapi/v3/entity/dataset", headers=callers.mira).json()

    assert [entity["urn"] for entity in answer["entities"]] == [PAYMENTS]


def test_graphql_leaves_only_the_name_of_what_may_not_be_seen(callers: Callers) -> None:
    query = f'query {{ dataset(urn: "{SALARIES}") {{ urn domain {{ domain {{ urn }} }} }} }}'

    shown = callers.graphql(callers.mira, query)["data"]["dataset"]

    assert shown == {"urn": SALARIES, "domain": None}


def test_an_entity_can_be_created_in_the_domain_of_the_policy_only(callers: Callers) -> None:
    callers.grant(["CREATE_ENTITY"], resources=criteria(("DOMAIN", [SALES])))

    new = "urn:li:dataset:(urn:li:dataPlatform:postgres,new,PROD)"

    def create(name: str, domain: str) -> int:
        urn = f"urn:li:dataset:(urn:li:dataPlatform:postgres,{name},PROD)"
        body = [
            {
                "urn": urn,
                "datasetProperties": {"value": {"name": name}},
                "domains": {"value": {"domains": [domain]}},
            }
        ]
        path = "/openapi/v3/entity/dataset?async=false"
        made = callers.client.http.post(path, json=body, headers=callers.mira)
        return int(made.status_code)

    assert create("new", SALES) == 200
    assert create("other", STAFF) == 403
    callers.client.http.post("/entities?action=delete", json={"urn": new})
    assert callers.write(ORDERS, "datasetProperties", {"name": "changed"}) == 403


def test_editing_needs_the_privilege_in_every_protocol(callers: Callers) -> None:
    proposal = {
        "entityType": "dataset",
        "entityUrn": ORDERS,
        "changeType": "UPSERT",
        "aspectName": "datasetProperties",
        "aspect": {"value": '{"name": "x"}', "contentType": "application/json"},
    }

    def restli() -> Any:
        path = "/aspects?action=ingestProposal"
        return callers.client.http.post(path, json={"proposal": proposal}, headers=callers.mira)

    refused = restli()
    assert refused.status_code == 403
    assert refused.json()["status"] == 403
    assert "EDIT_ENTITY" in refused.json()["message"]
    callers.grant(["EDIT_ENTITY"], resources=criteria(("URN", [ORDERS])))
    assert restli().status_code == 200
    assert callers.write(ORDERS, "datasetProperties", {"name": "y"}) == 200
    assert callers.write(PAYMENTS, "datasetProperties", {"name": "y"}) == 403


def test_nobody_makes_an_admin_of_what_it_may_edit(callers: Callers) -> None:
    group = "urn:li:corpGroup:crew"
    callers.client.must_put(group, "corpGroupInfo", {"admins": [], "members": [], "groups": []})
    callers.grant(["UPDATE_USERS_AND_GROUPS"], "PLATFORM")

    roles = {"roles": ["urn:li:dataHubRole:Admin"]}

    assert callers.write(group, "roleMembership", roles) == 403
    assert callers.write(group, "status", {"removed": False}) == 200


def test_owners_may_do_what_the_policy_of_owners_grants(callers: Callers) -> None:
    owner = {"owner": callers.user, "type": "DATAOWNER"}
    callers.client.must_put(SALARIES, "ownership", {"owners": [owner]})

    assert callers.read(SALARIES) == 200
    assert callers.write(SALARIES, "datasetProperties", {"name": "mine"}) == 200


def test_deleting_needs_its_own_privilege(callers: Callers) -> None:
    urn = "urn:li:dataset:(urn:li:dataPlatform:postgres,old,PROD)"
    callers.client.must_put(urn, "status", {"removed": False})
    callers.grant(["EDIT_ENTITY"])

    def delete() -> int:
        path = "/entities?action=delete"
        made = callers.client.http.post(path, json={"urn": urn}, headers=callers.mira)
        return int(made.status_code)

    assert delete() == 403
    callers.grant(["DELETE_ENTITY"])
    assert delete() == 200


@pytest.mark.parametrize(
    ("method", "path", "privilege"),
    [
        (
            "GET",
            "/openapi/v1/events/poll?topic=PlatformEvent_v1&pollTimeoutSeconds=0",
            "GET_PLATFORM_EVENTS",
        ),
        (
            "GET",
            "/openapi/v1/events/poll?topic=MetadataChangeLog_Versioned_v1&pollTimeoutSeconds=0",
            "GET_METADATA_CHANGE_LOG_EVENTS",
        ),
        ("POST", "/operations?action=restoreIndices", "RESTORE_INDICES_PRIVILEGE"),
        ("POST", "/entities?action=listUrns", "GET_ENTITY_PRIVILEGE"),
        ("POST", "/aspects?action=getCount", "GET_COUNTS_PRIVILEGE"),
        ("POST", "/runs?action=list", "GET_ENTITY_PRIVILEGE"),
        (
            "GET",
            f"/openapi/v2/timeline/v1/{quote(ORDERS, safe='')}?categories=TAG",
            "GET_TIMELINE_PRIVILEGE",
        ),
    ],
)
def test_operations_ask_for_their_privilege(
    callers: Callers, method: str, path: str, privilege: str
) -> None:
    body = {"entity": "dataset", "aspect": "status"} if method == "POST" else None

    def status() -> int:
        return int(
            callers.client.http.request(method, path, json=body, headers=callers.mira).status_code
        )

    assert status() == 403
    callers.grant([privilege], "PLATFORM")
    assert status() != 403


def test_passwords_are_shown_to_nobody_who_may_not_manage_them(callers: Callers) -> None:
    path = f"/openapi/v3/entity/corpuser/{quote(callers.user, safe='')}"

    entity = callers.client.http.get(path, headers=callers.mira)

    assert entity.status_code == 200
    assert "corpUserInfo" in entity.json()
    assert "corpUserCredentials" not in entity.text
    aspect = callers.client.http.get(f"{path}/corpUserCredentials", headers=callers.mira)
    assert aspect.status_code == 403
    shown = callers.client.http.get(f"{path}/corpUserCredentials", headers=callers.root)
    assert "hashedPassword" in shown.text


MUTATIONS = {
    'createTag(input: {name: "t"})': "MANAGE_TAGS",
    'createRole(input: {name: "r"})': "MANAGE_POLICIES",
    'createGroup(input: {name: "g"})': "MANAGE_USERS_AND_GROUPS",
    'createServiceAccount(input: {displayName: "s"}) { urn }': "MANAGE_SERVICE_ACCOUNTS",
}


@pytest.mark.parametrize(("mutation", "privilege"), MUTATIONS.items())
def test_mutations_ask_for_their_privilege(callers: Callers, mutation: str, privilege: str) -> None:
    query = f"mutation {{ it: {mutation} }}"

    refused = callers.graphql(callers.mira, query)

    assert refused["data"] == {"it": None}
    assert refused["errors"][0]["extensions"]["code"] == 403
    assert refused["errors"][0]["extensions"]["type"] == "UNAUTHORIZED"
    callers.grant([privilege], "PLATFORM")
    assert callers.graphql(callers.mira, query)["data"]["it"]


def test_tags_are_put_on_by_those_who_may_edit_tags(callers: Callers) -> None:
    query = f'mutation {{ addTag(input: {{tagUrn: "urn:li:tag:t", resourceUrn: "{ORDERS}"}}) }}'
    callers.client.must_put("urn:li:tag:t", "tagProperties", {"name": "t"})

    assert callers.graphql(callers.mira, query)["data"] == {"addTag": None}
    callers.grant(["EDIT_ENTITY_TAGS"], resources=criteria(("URN", [ORDERS])))
    assert callers.graphql(callers.mira, query)["data"] == {"addTag": True}


def test_a_role_by_a_group_counts(callers: Callers) -> None:
    group = callers.graphql(callers.root, 'mutation { createGroup(input: {name: "crew"}) }')
    urn = group["data"]["createGroup"]
    role = "urn:li:dataHubRole:Admin"
    callers.graphql(
        callers.root,
        f'mutation {{ batchAssignRole(input: {{roleUrn: "{role}", actors: ["{urn}"]}}) '
        f'addGroupMembers(input: {{groupUrn: "{urn}", userUrns: ["{callers.user}"]}}) }}',
    )

    assert callers.read(ORDERS) == 200
    debug = callers.graphql(
        callers.root,
        "query($u: String!) { debugAccess(userUrn: $u) { groups rolesViaGroups allRoles roles } }",
        u=callers.user,
    )
    assert debug["data"]["debugAccess"] == {
        "groups": [urn],
        "rolesViaGroups": [role],
        "allRoles": [role],
        "roles": [],
    }
    callers.graphql(callers.root, f'mutation {{ removeGroup(urn: "{urn}") }}')
    assert callers.read(ORDERS) == 403
