"""What arrives at the door may be anything; the answer is never a failure of the hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from hub_client import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from dataspoke.local_hub.app import create_app
from dataspoke.local_hub.middleware import MOST_BODY_BYTES

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,orders,PROD)"


@dataclass(frozen=True)
class Sent:
    """A request as bytes, such as no well-meaning client makes."""

    method: str
    path: bytes
    query: bytes = b""
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass
class Door:
    """Calls the application of one hub without any client in between."""

    http: TestClient
    answers: list[int] = field(default_factory=list)

    def status(self, sent: Sent) -> int:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": sent.method,
            "scheme": "http",
            "path": sent.path.decode("utf-8", "replace"),
            "raw_path": sent.path,
            "root_path": "",
            "query_string": sent.query,
            "headers": [(b"host", b"testserver"), *sent.headers],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
            "state": {},
        }
        found: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": sent.body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                found.append(message["status"])

        async def call() -> None:
            await self.http.app(scope, receive, send)  # type: ignore[arg-type]

        assert self.http.portal is not None
        self.http.portal.call(call)
        return found[0]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    app = create_app(tmp_path_factory.mktemp("hub"))
    with TestClient(app) as http:
        yield Door(http)


URNS = st.sampled_from(
    [
        quote(URN, safe=""),
        URN,
        "urn:li:dataset:%00",
        "urn%3Ali%3Adataset%3A%28%28%28",
        "%FF%FE",
        "urn:li:nonsense:x",
        "%",
        "a" * 3000,
    ]
)
SEGMENTS = st.one_of(
    URNS,
    st.sampled_from(
        [
            "dataset",
            "corpuser",
            "status",
            "generic",
            "batchGet",
            "scroll",
            "latest",
            "..",
            "",
            "%2F",
        ]
    ),
    st.text(max_size=12).map(lambda text: quote(text, safe="")),
)
ROOTS = st.sampled_from(
    [
        "aspects",
        "entities",
        "entitiesV2",
        "runs",
        "operations",
        "platform",
        "usageStats",
        "config",
        "health",
        "api/graphql",
        "api/v2/graphql",
        "openapi/v1/events/poll",
        "openapi/v1/trace/write",
        "openapi/v2/entity",
        "openapi/v2/timeline/v1",
        "openapi/v2/timeseries",
        "openapi/v3/entity",
        "openapi/v3/relationship",
        "openapi/v3/lineage/scroll",
        "openapi/entities/v1",
        "openapi/relationships/v1",
        "openapi/v1/registry/models/entity/specifications",
        "schema-registry/api/subjects",
        "logIn",
        "signUp",
        "auth/verifyNativeUserCredentials",
    ]
)
PATHS = st.tuples(ROOTS, st.lists(SEGMENTS, max_size=3)).map(
    lambda given: ("/" + "/".join([given[0], *given[1]])).encode()
)
ACTIONS = st.sampled_from(
    [
        "ingestProposal",
        "ingestProposalBatch",
        "getTimeseriesAspectValues",
        "getCount",
        "delete",
        "listUrns",
        "search",
        "deleteReferences",
        "ingest",
        "list",
        "describe",
        "rollback",
        "restoreIndices",
        "nonsense",
    ]
)
NAMES = st.sampled_from(
    [
        "aspect",
        "aspects",
        "version",
        "count",
        "start",
        "scrollId",
        "query",
        "urn",
        "urns",
        "topic",
        "offsetId",
        "sortCriteria",
        "direction",
        "relationshipTypes",
        "startTimeMillis",
        "limit",
        "async",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        ["0", "-1", "9" * 30, "1e5", "", "null", "List(a,b)", "List(", "%00", "%zz", "*", "true"]
    ),
    URNS,
    st.text(max_size=10).map(lambda text: quote(text, safe="")),
)
QUERIES = st.tuples(
    st.lists(st.tuples(NAMES, VALUES), max_size=3), st.none() | ACTIONS, st.binary(max_size=6)
).map(
    lambda given: (
        b"&".join(
            [
                *(f"{name}={value}".encode() for name, value in given[0]),
                *([f"action={given[1]}".encode()] if given[1] else []),
                *([given[2]] if not given[0] else []),
            ]
        )
        # The poll waits for events when it may.
        + b"&pollTimeoutSeconds=0"
    )
)
KEYS = st.sampled_from(
    [
        "urn",
        "urns",
        "entity",
        "entityType",
        "entityUrn",
        "aspect",
        "aspectName",
        "proposal",
        "proposals",
        "value",
        "contentType",
        "changeType",
        "filter",
        "and",
        "or",
        "criteria",
        "field",
        "values",
        "condition",
        "query",
        "variables",
        "systemMetadata",
        "headers",
        "status",
        "removed",
        "patch",
        "username",
        "password",
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [URN, "dataset", "status", "UPSERT", "PATCH", "DELETE", "{me{corpUser{urn}}}"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=30))
HEADERS = st.lists(
    st.sampled_from(
        [
            (b"content-type", b"application/json"),
            (b"content-type", b"text/plain; charset=nonsense"),
            (b"authorization", b"Bearer a.b.c"),
            (b"authorization", b"\xff\xfe"),
            (b"cookie", b"PLAY_SESSION=x; =; \xff"),
            (b"content-length", b"-5"),
            (b"accept-encoding", b"gzip"),
            (b"if-version-match", b"x"),
        ]
    ),
    max_size=3,
).map(tuple)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"])
REQUESTS = st.builds(Sent, METHODS, PATHS, QUERIES, BODIES, HEADERS)

DEEP = b'{"a":' * 900 + b"1" + b"}" * 900


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(REQUESTS)
@example(Sent("POST", b"/openapi/v3/entity/dataset", body=DEEP))
@example(Sent("POST", b"/aspects", b"action=ingestProposal", body=DEEP))
@example(Sent("POST", b"/api/graphql", body=json.dumps({"query": "{a" * 500}).encode()))
@example(Sent("POST", b"/api/graphql", body=json.dumps({"query": "{me" + "{a" * 999}).encode()))
@example(Sent("GET", b"/openapi/v3/entity/dataset", b"query=" + b"a" * 100_000))
def test_no_request_makes_the_hub_fail(door: Door, sent: Sent) -> None:
    assert door.status(sent) < 500


def test_what_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    headers = {"Content-Length": str(MOST_BODY_BYTES + 1)}

    answer = client.http.post("/aspects?action=ingestProposal", headers=headers, content=b"{}")

    assert answer.status_code == 413
    assert answer.json()["error"] == "Payload Too Large"


def test_what_turns_out_too_large_is_refused(door: Door) -> None:
    sent = Sent("POST", b"/openapi/v3/entity/dataset", body=b" " * (MOST_BODY_BYTES + 1))

    assert door.status(sent) == 413


def test_a_foreign_token_counts_for_nothing_where_none_is_asked_for(client: Client) -> None:
    headers = {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln"}

    answer = client.http.get("/openapi/operations/identity/user/urn", headers=headers)

    assert answer.json() == {"urn": "urn:li:corpuser:datahub"}


def test_a_token_of_the_hub_counts_until_it_is_revoked(
    make_client: Callable[..., Client],
) -> None:
    client = make_client(token="s3cret")
    root = {"Authorization": "Bearer s3cret"}

    def graphql(query: str) -> Any:
        return client.http.post("/api/graphql", json={"query": query}, headers=root).json()["data"]

    user = "urn:li:corpuser:mira"
    client.http.headers.update(root)
    client.must_put(user, "corpUserInfo", {"active": True})
    made = graphql(
        f'mutation {{ it: createAccessToken(input: {{type: PERSONAL, actorUrn: "{user}", '
        'duration: ONE_HOUR, name: "test"}) { accessToken metadata { id expiresAt } } }'
    )["it"]
    mira = {"Authorization": f"Bearer {made['accessToken']}"}

    def who() -> Any:
        return client.http.get("/openapi/operations/identity/user/urn", headers=mira)

    assert who().json() == {"urn": user}
    client.must_put(user, "status", {"removed": True})
    assert who().status_code == 401
    client.must_put(user, "status", {"removed": False})
    assert who().status_code == 200
    assert graphql(f'mutation {{ it: revokeAccessToken(tokenId: "{made["metadata"]["id"]}") }}')
    assert who().status_code == 401


def test_a_login_leaves_a_session(make_client: Callable[..., Client]) -> None:
    client = make_client(token="s3cret")

    def log_in(name: str, password: str) -> int:
        body = {"username": name, "password": password}
        return int(client.http.post("/logIn", json=body).status_code)

    assert log_in("datahub", "datahub") == 400
    assert log_in("", "s3cret") == 400
    assert client.http.get("/openapi/operations/identity/user/urn").status_code == 401
    assert log_in("datahub", "s3cret") == 200
    assert client.http.cookies["actor"].strip('"') == "urn:li:corpuser:datahub"
    assert client.http.get("/openapi/operations/identity/user/urn").status_code == 200
    client.http.get("/logOut")
    assert client.http.get("/openapi/operations/identity/user/urn").status_code == 401


def test_people_sign_up_by_invitation(client: Client) -> None:
    invite = client.graphql("{ it: getInviteToken(input: {}) { inviteToken } }")["data"]["it"]
    body = {
        "fullName": "Mira",
        "email": "mira@example.com",
        "password": "pw",
        "title": "Steward",
        "inviteToken": invite["inviteToken"],
    }

    assert client.http.post("/signUp", json={**body, "inviteToken": "guess"}).status_code == 400
    assert client.http.post("/signUp", json={**body, "title": ""}).status_code == 400
    assert client.http.post("/signUp", json=body).status_code == 200
    who = client.http.get("/openapi/operations/identity/user/urn")
    assert who.json() == {"urn": "urn:li:corpuser:mira@example.com"}
    client.http.cookies.clear()
    assert client.http.post("/signUp", json=body).status_code == 400
    log_in = {"username": "mira@example.com", "password": "pw"}
    assert client.http.post("/logIn", json=log_in).status_code == 200
