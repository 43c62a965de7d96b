"""Tokens and view policies of a real hub, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from airline_catalogue import OPS, airline, dataset_urn, settings_in, upsert
from hub_process import HubProcess
from search_support import Writer, wait_for
from starlette.testclient import TestClient

from dataspoke.core.index.embedder import Embedder
from dataspoke.search_service.access.service import open_access
from dataspoke.search_service.access.settings import AccessSettings
from dataspoke.search_service.app import create_app

ROOT = "root-of-the-hub"
ANN, BOB = "urn:li:corpuser:ann", "urn:li:corpuser:bob"
VISIBLE = {
    one.urn for one in airline() if OPS in one.domains or one.urn == OPS or one.entity_type == "tag"
}


class Hub:
    """A hub where nobody but root sees anything until a policy says so."""

    def __init__(self, process: HubProcess) -> None:
        self.process = process
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {ROOT}"

    def put(self, urn: str, aspect: str, value: Any) -> None:
        body = [{"urn": urn, aspect: {"value": value}}]
        path = f"/openapi/v3/entity/{urn.split(':')[2]}?async=false"
        answer = self._session.post(self.process.url + path, json=body, timeout=10)
        assert answer.status_code == 200, answer.text

    def policy(self, name: str, *, state: str = "ACTIVE", **more: Any) -> None:
        actors = {"resourceOwners": False, "allUsers": False, "allGroups": False}
        info = {
            "displayName": name,
            "description": "",
            "type": "METADATA",
            "state": state,
            "privileges": ["VIEW_ENTITY_PAGE"],
            "editable": True,
            **more,
            "actors": {**actors, **more.get("actors", {})},
        }
        self.put(f"urn:li:dataHubPolicy:{name}", "dataHubPolicyInfo", info)

    def graphql(self, query: str) -> Any:
        answer = self._session.post(
            f"{self.process.url}/api/graphql", json={"query": query}, timeout=10
        ).json()
        assert not answer.get("errors"), answer
        return answer["data"]

    def token(self, user: str) -> tuple[str, str]:
        """A personal access token, and its id."""
        made = self.graphql(
            f'mutation {{ it: createAccessToken(input: {{type: PERSONAL, actorUrn: "{user}", '
            'duration: ONE_HOUR, name: "t"}) { accessToken metadata { id } } }'
        )["it"]
        return made["accessToken"], made["metadata"]["id"]

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with HubProcess(tmp_path_factory.mktemp("hub"), token=ROOT) as process:
        hub = Hub(process)
        for name in ("view-entity-page-all", "asset-owners-metadata-policy"):
            hub.policy(name, state="INACTIVE")
        for user in (ANN, BOB):
            hub.put(user, "corpUserInfo", {"active": True, "displayName": user[-3:]})
        criteria = [{"field": "DOMAIN", "condition": "EQUALS", "values": [OPS]}]
        hub.policy(
            "ops",
            actors={"users": [ANN]},
            resources={"filter": {"criteria": criteria}},
        )
        yield hub
        hub.close()


@pytest.fixture(scope="module")
def service(
    hub: Hub, tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[TestClient]:
    environ = {"DATAHUB_GMS_URL": hub.process.url, "DATAHUB_GMS_TOKEN": ROOT}
    settings = settings_in(tmp_path_factory.mktemp("airline"), **environ)
    writer = Writer(settings, embedder)
    writer.apply(*(upsert(snapshot, embedder) for snapshot in airline()))
    writer.close()
    given = AccessSettings.from_env(
        {
            "DATASPOKE_DATAHUB_TOKENS": "on",
            "DATASPOKE_TOKEN_TTL": "0.5",
            "DATASPOKE_POLICIES_TTL": "0.5",
            "DATASPOKE_ADMINS": BOB,
            "DATASPOKE_CACHE_TTL": "60",
            "DATASPOKE_RATE_LIMIT": "off",
            "DATASPOKE_RATE_LIMIT_ADDRESS": "off",
        }
    )
    with TestClient(create_app(settings, access=open_access(given, settings))) as client:
        admin = {"Authorization": f"Bearer {hub.token(BOB)[0]}"}
        wait_for(lambda: client.get("/readyz", headers=admin).status_code == 200)

        def indexed() -> bool:
            details = client.get("/readyz", headers=admin).json()["details"]
            return bool(details["index"]["entities"] == len(airline()))

        wait_for(indexed)
        yield client


@pytest.fixture(scope="module")
def ann(hub: Hub) -> dict[str, str]:
    return {"Authorization": f"Bearer {hub.token(ANN)[0]}"}


def urns(client: TestClient, headers: dict[str, str], q: str = "", **more: Any) -> set[str]:
    answer = client.get("/search/semantic", params={"q": q, "limit": 100, **more}, headers=headers)
    assert answer.status_code == 200, answer.text
    found = {result["urn"] for result in answer.json()["results"]}
    assert answer.json()["total"] == len(found)
    return found


def test_a_policy_of_the_hub_decides_what_is_found_and_counted(
    service: TestClient, ann: dict[str, str]
) -> None:
    assert urns(service, ann) == VISIBLE
    assert urns(service, ann, "email address of passengers", parse=False) <= VISIBLE
    assert urns(service, ann, "frequent_flyers", parse=False) <= VISIBLE
    facts = service.get("/web/page.json", headers=ann).json()
    assert facts["entities"] == len(VISIBLE)


def test_the_invisible_is_answered_like_the_absent(
    service: TestClient, ann: dict[str, str]
) -> None:
    def ask(urn: str) -> tuple[int, str]:
        answer = service.get(f"/entities/{quote(urn, safe='')}", headers=ann)
        return answer.status_code, str(answer.json().get("detail", "")).replace(urn, "URN")

    hidden, absent = dataset_urn("airline.people.passengers"), dataset_urn("airline.no.such")
    assert ask(dataset_urn("airline.flight.flights"))[0] == 200
    assert ask(hidden) == ask(absent)
    assert ask(hidden)[0] == 404


def test_a_typing_mistake_is_not_corrected_to_what_is_hidden(
    service: TestClient, ann: dict[str, str]
) -> None:
    body = service.get(
        "/search/semantic", params={"q": "tables downstream of frequent_flyrs"}, headers=ann
    ).text
    assert "frequent_flyers" not in body


def test_nothing_hidden_stands_in_an_answer(service: TestClient, ann: dict[str, str]) -> None:
    hidden = {one.urn for one in airline() if one.entity_type != "container"} - VISIBLE
    for question in ("", "flights", "delay", "revenue", "crew"):
        body = service.get("/search/semantic", params={"q": question, "limit": 100}, headers=ann)
        assert not [urn for urn in hidden if urn in body.text]


def test_callers_of_other_rights_share_no_kept_answer(
    service: TestClient, hub: Hub, ann: dict[str, str]
) -> None:
    root = {"Authorization": f"Bearer {hub.token('urn:li:corpuser:datahub')[0]}"}
    assert len(urns(service, root, "")) > len(urns(service, ann, ""))
    assert urns(service, ann, "") == VISIBLE
    text = service.get("/metrics", headers={"Authorization": f"Bearer {hub.token(BOB)[0]}"}).text
    assert 'dataspoke_search_cache_total{outcome="hit"}' in text


def test_a_changed_policy_counts_at_once(
    service: TestClient, hub: Hub, ann: dict[str, str]
) -> None:
    hub.policy("everything", actors={"users": [ANN]})
    wait_for(lambda: len(urns(service, ann)) > len(VISIBLE), seconds=10)
    hub.policy("everything", state="INACTIVE", actors={"users": [ANN]})
    wait_for(lambda: urns(service, ann) == VISIBLE, seconds=10)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer a b", "Bearer \xff"]
)
def test_who_proves_nothing_is_told_how(service: TestClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = service.get("/search/semantic", params={"q": "flights"}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="dataspoke"')
    assert answer.headers["content-type"] == "application/problem+json"
    for path in ("/web/page.json", f"/entities/{OPS}", "/metrics", "/nothing"):
        assert service.get(path, headers=headers).status_code == 401
    assert service.get("/").status_code == service.get("/healthz").status_code == 200
    assert service.get("/readyz").json()["details"] == {}


def test_a_revoked_token_ends_soon(service: TestClient, hub: Hub) -> None:
    token, identifier = hub.token(ANN)
    headers = {"Authorization": f"Bearer {token}"}
    assert urns(service, headers) == VISIBLE
    hub.graphql(f'mutation {{ revokeAccessToken(tokenId: "{identifier}") }}')
    wait_for(lambda: service.get("/search/semantic", headers=headers).status_code == 401, seconds=5)


def test_metrics_are_for_operators(service: TestClient, hub: Hub, ann: dict[str, str]) -> None:
    refused = service.get("/metrics", headers=ann)
    assert refused.status_code == 403
    assert "DATASPOKE_OPERATORS" in refused.json()["detail"]
    admin = {"Authorization": f"Bearer {hub.token(BOB)[0]}"}
    assert service.get("/metrics", headers=admin).status_code == 200


def test_a_hub_that_asks_nobody_proves_nothing(tmp_path: Path) -> None:
    with HubProcess(tmp_path / "open") as process:
        settings = settings_in(tmp_path, DATAHUB_GMS_URL=process.url)
        given = AccessSettings.from_env({"DATASPOKE_DATAHUB_TOKENS": "on"})
        client = TestClient(create_app(settings, access=open_access(given, settings)))
        answer = client.get("/search/semantic", headers={"Authorization": "Bearer anything"})
        assert answer.status_code == 503
        assert "accepts any" in answer.json()["detail"]
        process.stop()
        away = client.get("/search/semantic", headers={"Authorization": "Bearer another"})
        assert away.status_code == 503
