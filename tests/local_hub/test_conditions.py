from __future__ import annotations

import pytest
from hub_client import Client

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
PAST, FUTURE = "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("change", "headers", "there", "status"),
    [
        ("UPSERT", {"If-Version-Match": "-1"}, False, 200),
        ("UPSERT", {"If-Version-Match": "1"}, False, 412),
        ("UPSERT", {"If-Version-Match": "-1"}, True, 412),
        ("UPSERT", {"if-version-match": "1"}, True, 200),
        ("UPSERT", {"If-Version-Match": "2"}, True, 412),
        ("RESTATE", {"If-Version-Match": "9"}, True, 200),
        ("CREATE", {"If-Version-Match": "-1"}, False, 200),
        ("CREATE", {"If-Version-Match": "1"}, True, 412),
        ("CREATE", {"If-None-Match": "*"}, True, 200),
        ("CREATE", {"If-None-Match": "x"}, True, 422),
        ("CREATE", {}, True, 422),
        ("CREATE_ENTITY", {"If-None-Match": "*"}, True, 200),
        ("CREATE_ENTITY", {}, True, 422),
        ("UPSERT", {"If-Modified-Since": PAST}, True, 200),
        ("UPSERT", {"If-Modified-Since": FUTURE}, True, 412),
        ("UPSERT", {"If-Modified-Since": PAST}, False, 412),
        ("UPSERT", {"If-Unmodified-Since": PAST}, True, 412),
        ("UPSERT", {"If-Unmodified-Since": FUTURE}, True, 200),
        ("UPSERT", {"If-Unmodified-Since": PAST}, False, 200),
        ("UPSERT", {"If-Unmodified-Since": "yesterday"}, True, 400),
    ],
)
def test_a_write_may_have_conditions(
    client: Client, change: str, headers: dict[str, str], there: bool, status: int
) -> None:
    if there:
        client.must_put(URN, "globalTags", {"tags": []})
    value = {"tags": [{"tag": "urn:li:tag:new"}]}
    response = client.put(URN, "globalTags", value, change, headers=headers)
    assert response.status_code == status, response.text
    kept = there and (status != 200 or "If-None-Match" in headers)
    assert client.get(URN, "globalTags") == (
        {"tags": []} if kept else value if status == 200 else None
    )


def test_several_aspects_create_an_entity_together(client: Client) -> None:
    base = "/openapi/v3/entity/dataset?async=false&createIfEntityNotExists=true"
    body = [
        {
            "urn": URN,
            "status": {"value": {"removed": False}},
            "globalTags": {"value": {"tags": []}},
        }
    ]
    assert client.http.post(base, json=body).status_code == 200
    assert client.http.post(base, json=body).status_code == 400
