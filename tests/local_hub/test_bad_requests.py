"""Bad requests get the error JSON of GMS, and never a stack trace."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hub_client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,a,PROD)"
INVALID = "urn:li:dataset:(urn:li:dataPlatform:hive,a,INVALID)"
FOOBAR = "urn:li:FOOBAR:(urn:li:dataPlatform:hive,a,PROD)"
STATUS = '{"removed":false}'
INGEST = "/aspects?action=ingestProposal"


def _proposal(**changes: Any) -> dict[str, Any]:
    aspect = {"value": changes.pop("value", STATUS), "contentType": "application/json"}
    full = {
        "entityType": "dataset",
        "entityUrn": URN,
        "changeType": "UPSERT",
        "aspectName": "status",
        "aspect": aspect,
        **changes,
    }
    return {"proposal": {name: value for name, value in full.items() if value is not ...}}


RESTLI: list[tuple[str, str, Any, int]] = [
    ("POST", INGEST, b"{", 400),
    ("POST", INGEST, b"\xff\xfe", 400),
    ("POST", INGEST, [], 400),
    ("POST", INGEST, {}, 400),
    ("POST", INGEST, {"proposal": []}, 400),
    ("POST", INGEST, _proposal(entityUrn=...), 422),
    ("POST", INGEST, _proposal(entityType=...), 422),
    ("POST", INGEST, _proposal(aspectName=...), 422),
    ("POST", INGEST, _proposal(aspect=...), 422),
    ("POST", INGEST, _proposal(aspect={"value": {}}), 422),
    ("POST", INGEST, _proposal(changeType="NONSENSE"), 422),
    ("POST", INGEST, _proposal(changeType=["UPSERT"]), 422),
    ("POST", INGEST, _proposal(aspectName="nonsense"), 422),
    ("POST", INGEST, _proposal(aspectName="chartInfo"), 422),
    ("POST", INGEST, _proposal(entityType="nonsense"), 422),
    ("POST", INGEST, _proposal(entityType="chart"), 400),
    ("POST", INGEST, _proposal(entityUrn="nonsense"), 400),
    ("POST", INGEST, _proposal(entityUrn=INVALID), 400),
    ("POST", INGEST, _proposal(entityUrn=FOOBAR), 400),
    ("POST", INGEST, _proposal(entityUrn=URN.replace("hive,a", "hive," + "x" * 600)), 400),
    ("POST", INGEST, _proposal(value="{"), 400),
    ("POST", INGEST, _proposal(value="[]"), 422),
    ("POST", INGEST, _proposal(value='{"removed":"x"}'), 422),
    ("POST", INGEST, _proposal(systemMetadata=[]), 400),
    ("POST", INGEST, _proposal(headers="x"), 400),
    ("POST", INGEST, _proposal(changeType="PATCH", value="{}"), 400),
    ("POST", INGEST, _proposal(changeType="PATCH", value='[{"op":"move"}]'), 400),
    (
        "POST",
        INGEST,
        _proposal(changeType="PATCH", value='[{"op":"add","path":"/removed","value":1}]'),
        422,
    ),
    (
        "POST",
        INGEST,
        _proposal(changeType="PATCH", aspectName="datasetProfile", value="[]"),
        422,
    ),
    ("POST", "/aspects?action=ingestProposalBatch", {"proposals": {}}, 400),
    ("POST", "/aspects?action=nonsense", {}, 400),
    ("POST", "/aspects", {}, 400),
    ("GET", "/aspects", None, 405),
    ("GET", f"/aspects/{quote(URN, safe='')}?aspect=status&version=0", None, 404),
    ("GET", f"/aspects/{quote(URN, safe='')}", None, 400),
    ("GET", f"/aspects/{quote(URN, safe='')}?aspect=nonsense", None, 422),
    ("GET", f"/aspects/{quote(URN, safe='')}?aspect=status&version=x", None, 400),
    ("GET", "/aspects/nonsense?aspect=status", None, 400),
    ("GET", "/entitiesV2/nonsense", None, 400),
    ("GET", f"/entitiesV2/{quote(FOOBAR, safe='')}", None, 422),
    ("POST", "/entities?action=delete", {}, 400),
    ("POST", "/entities?action=delete", {"urn": 1}, 400),
    ("POST", "/entities?action=delete", {"urn": URN, "aspectName": "nonsense"}, 422),
    ("POST", "/entities?action=listUrns", {"entity": "nonsense"}, 422),
    ("POST", "/entities?action=listUrns", {"entity": "dataset", "start": "x"}, 400),
    ("POST", "/entities?action=listUrns", {"entity": "dataset", "count": -1}, 400),
    ("POST", "/entities?action=search", {"entity": "nonsense", "input": "*"}, 422),
    ("POST", "/entities?action=search", {"entity": "dataset", "filter": "x"}, 400),
    ("POST", "/entities?action=deleteReferences", {}, 400),
    ("POST", "/runs?action=rollback", {}, 400),
    ("POST", "/runs?action=list", {"pageSize": "many"}, 400),
    (
        "POST",
        "/aspects?action=getTimeseriesAspectValues",
        {"urn": URN, "entity": "dataset", "aspect": "datasetProfile", "startTimeMillis": "x"},
        400,
    ),
    (
        "POST",
        "/aspects?action=getTimeseriesAspectValues",
        {"urn": URN, "entity": "dataset", "aspect": "nonsense"},
        422,
    ),
    ("GET", "/nonsense", None, 404),
]

BASE = "/openapi/v3/entity/dataset"
OPENAPI: list[tuple[str, str, Any, int, str]] = [
    ("POST", BASE, b"{", 400, "Bad Request"),
    ("POST", BASE, {}, 400, "Bad Request"),
    ("POST", BASE, [1], 400, "Bad Request"),
    ("POST", BASE, [{}], 400, "Bad Request"),
    ("POST", BASE, [{"urn": URN, "status": {}}], 400, "Bad Request"),
    ("POST", BASE, [{"urn": URN, "status": {"value": {}, "headers": 1}}], 400, "Bad Request"),
    (
        "POST",
        BASE,
        [{"urn": URN, "INVALID": {"value": {"removed": False}}}],
        400,
        "Validation Error",
    ),
    (
        "POST",
        BASE,
        [{"urn": URN, "status": {"value": {"removed": "x"}}}],
        400,
        "Validation Error",
    ),
    (
        "POST",
        BASE,
        [{"urn": FOOBAR, "status": {"value": {"removed": False}}}],
        400,
        f"Invalid urn!: {FOOBAR}",
    ),
    (
        "POST",
        f"{BASE}?async=true",
        [{"urn": INVALID, "status": {"value": {"removed": False}}}],
        400,
        f"Invalid urn!: {INVALID}",
    ),
    (
        "POST",
        f"{BASE}?async=false",
        [
            {
                "urn": URN,
                "status": {
                    "value": {"removed": False},
                    "headers": {"If-Version-Match": "-10000"},
                },
            }
        ],
        412,
        "Precondition Error",
    ),
    ("POST", "/openapi/v3/entity/nonsense", [], 400, "Validation Error"),
    ("GET", f"{BASE}/nonsense", None, 400, "Invalid urn!: nonsense"),
    ("GET", f"{BASE}/urn%3Ali%3Atag%3Ax", None, 400, "Invalid urn!: urn:li:tag:x"),
    ("GET", f"{BASE}/{quote(URN, safe='')}/nonsense", None, 400, "Validation Error"),
    ("GET", f"{BASE}/{quote(URN, safe='')}/status?version=x", None, 400, "Bad Request"),
    ("DELETE", f"{BASE}/{quote(URN, safe='')}/nonsense", None, 400, "Validation Error"),
    ("POST", f"{BASE}/batchGet", {}, 400, "Bad Request"),
    ("POST", f"{BASE}/batchGet", [{}], 400, "Bad Request"),
    ("POST", f"{BASE}/batchGet", [1], 400, "Bad Request"),
    (
        "POST",
        f"{BASE}/batchGet",
        [{"urn": "urn:li:tag:x"}],
        400,
        "Invalid urn!: urn:li:tag:x",
    ),
    (
        "PATCH",
        f"{BASE}?async=false",
        [{"urn": URN, "status": {"value": "x"}}],
        400,
        "Bad Request",
    ),
    ("POST", "/openapi/v3/entity/scroll", [], 400, "Bad Request"),
    ("POST", "/openapi/v3/entity/scroll?count=x", {}, 400, "Bad Request"),
    ("POST", "/openapi/v3/entity/scroll?scrollId=%FF", {}, 400, "Bad Request"),
    ("POST", "/openapi/v3/entity/scroll", {"entities": ["x"]}, 400, "Validation Error"),
    ("POST", "/openapi/v3/entity/scroll", {"filter": [1]}, 400, "Bad Request"),
    ("POST", "/openapi/v3/relationship/scroll", [], 400, "Bad Request"),
    ("POST", "/openapi/v3/lineage/scroll?direction=UP", {}, 400, "Bad Request"),
    ("POST", "/openapi/v3/relationship/scroll?direction=UP", {}, 400, "Bad Request"),
    ("POST", "/openapi/v3/relationship/scroll?scrollId=x", {}, 400, "Bad Request"),
    ("POST", "/openapi/v3/entity/scroll?sortOrder=UP", {}, 400, "Bad Request"),
    ("POST", "/openapi/v3/entity/scroll?sliceId=2&sliceMax=2", {}, 400, "Bad Request"),
    ("POST", "/openapi/v3/entity/scroll", {"sortCriteria": [1]}, 400, "Bad Request"),
    ("POST", "/openapi/v3/entity/generic", [], 400, "Bad Request"),
    ("POST", "/openapi/v3/entity/generic", {"dataset": {}}, 400, "Bad Request"),
    ("POST", "/openapi/v2/entity/dataset", [{"urn": URN}], 400, "Bad Request"),
    ("POST", "/openapi/v2/entity/batch/dataset", {"urns": "x"}, 400, "Bad Request"),
    ("POST", "/openapi/platform/entities/v1", {}, 400, "Bad Request"),
    ("POST", "/openapi/entities/v1", [{}], 400, "Bad Request"),
    ("GET", "/openapi/entities/v1/latest", None, 400, "Bad Request"),
    ("DELETE", "/openapi/entities/v1", None, 400, "Bad Request"),
    ("GET", "/openapi/relationships/v1", None, 400, "Bad Request"),
    ("GET", f"/openapi/relationships/v1?urn={URN}&direction=UP", None, 400, "Bad Request"),
    ("POST", "/api/graphql", [], 400, "Bad Request"),
    ("POST", "/api/graphql", {"query": "{me}", "variables": []}, 400, "Bad Request"),
    ("GET", "/api/graphql", None, 405, "Not Found"),
    ("GET", "/openapi/nonsense", None, 404, "Not Found"),
]


def _send(client: Client, method: str, path: str, body: Any) -> Any:
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
    return client.http.request(method, path, content=content)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One hub for all refusals: none of them may leave anything behind."""
    from starlette.testclient import TestClient

    from dataspoke.local_hub.app import create_app

    app = create_app(tmp_path_factory.mktemp("hub"))
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Client(http)


@pytest.mark.parametrize(("method", "path", "body", "status"), RESTLI)
def test_rest_li_refuses_as_gms_does(
    hub: Client, method: str, path: str, body: Any, status: int
) -> None:
    start = hub.last_offset()
    answer = _send(hub, method, path, body)
    assert answer.status_code == status, answer.text
    error = answer.json()
    assert set(error) == {"exceptionClass", "message", "status"}
    assert error["status"] == status
    assert "Traceback" not in answer.text
    assert hub.last_offset() == start


@pytest.mark.parametrize(("method", "path", "body", "status", "error"), OPENAPI)
def test_openapi_refuses_as_gms_does(
    hub: Client, method: str, path: str, body: Any, status: int, error: str
) -> None:
    start = hub.last_offset()
    answer = _send(hub, method, path, body)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "message"}
    assert answer.json()["error"] == error
    assert hub.last_offset() == start


_KEYS = [
    *("urn", "urns", "status", "value", "headers", "proposal", "proposals", "entity", "entities"),
    *("aspect", "aspects", "filter", "or", "and", "criteria", "field", "values", "sourceFilter"),
    *("runId", "limit", "start", "query", "variables"),
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner),
    max_leaves=12,
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=_JSON,
    path=st.sampled_from(
        [
            INGEST,
            "/aspects?action=ingestProposalBatch",
            "/aspects?action=getTimeseriesAspectValues",
            "/aspects?action=getCount",
            "/entities?action=delete",
            "/entities?action=listUrns",
            "/entities?action=search",
            "/entities?action=deleteReferences",
            "/runs?action=list",
            "/runs?action=describe",
            "/runs?action=rollback",
            BASE,
            f"{BASE}/batchGet",
            "/openapi/v3/entity/scroll",
            "/openapi/v3/relationship/scroll",
            "/openapi/v3/lineage/scroll",
            "/api/graphql",
            "/openapi/v1/trace/write/x",
        ]
    ),
)
def test_no_json_makes_the_hub_fail(hub: Client, body: Any, path: str) -> None:
    assert _send(hub, "POST", path, body).status_code < 500


def test_an_unexpected_failure_is_logged_once_and_not_shown(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(client.http.app.state.hub.store, "list_urns", fail)  # type: ignore[attr-defined]
    with caplog.at_level(logging.ERROR):
        answer = client.http.post("/entities?action=listUrns", json={"entity": "dataset"})
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.json()["status"] == 500
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_a_token_is_asked_for(make_client: Callable[..., Client]) -> None:
    client = make_client(token="s3cret")
    for path in (f"/entitiesV2/{URN}", "/openapi/v1/events/poll", "/nonsense"):
        for header in (None, "Bearer wrong", "s3cret", "Basic s3cret", "Bearer s3cret2"):
            headers = {"Authorization": header} if header else {}
            assert client.http.get(path, headers=headers).status_code == 401
    right = {"Authorization": "Bearer s3cret"}
    assert client.http.get("/openapi/v1/events/poll", headers=right).status_code == 400
    for path in ("/health", "/admin", "/config", "/schema-registry/api/subjects"):
        assert client.http.get(path).status_code == 200
