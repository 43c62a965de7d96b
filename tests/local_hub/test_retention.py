from __future__ import annotations

from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub.retention import Policy

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"


@pytest.mark.parametrize(
    ("policy", "seq", "bounds"),
    [
        (Policy(20, None), 20, None),
        (Policy(20, None), 21, (1, 2**62)),
        (Policy(1, None), 3, (2, 2**62)),
        (Policy(None, 1000), 3, (3, 4000)),
        (Policy(2, 1000), 3, (1, 4000)),
        (Policy(None, None), 3, None),
    ],
)
def test_a_policy_says_which_versions_go(
    policy: Policy, seq: int, bounds: tuple[int, int] | None
) -> None:
    assert policy.bounds(seq, 5000) == bounds


def _versions(client: Client, aspect: str) -> list[int]:
    path = f"/openapi/v3/entity/dataset/{URN}/{aspect}"
    return [n for n in range(1, 9) if client.http.get(path, params={"version": n}).is_success]


def _write(client: Client, aspect: str, number: int) -> None:
    tag = {"tag": f"urn:li:tag:t{number}"}
    value: dict[str, Any] = {"tags": [tag]} if aspect == "globalTags" else {"name": str(number)}
    client.must_put(URN, aspect, value)


def test_the_nearest_policy_counts_from_its_writing_on(client: Client) -> None:
    for number in range(3):
        _write(client, "globalTags", number)
    for key, most in (("dataset,*", 3), ("dataset,globalTags", 2)):
        config = {"retention": {"version": {"maxVersions": most}}}
        client.must_put(f"urn:li:dataHubRetention:({key})", "dataHubRetentionConfig", config)
    assert _versions(client, "globalTags") == [1, 2, 3]
    for aspect in ("globalTags", "datasetProperties"):
        for number in range(3, 7):
            _write(client, aspect, number)
    assert _versions(client, "globalTags") == [6, 7]
    assert _versions(client, "datasetProperties") == [2, 3, 4]
    client.http.post(
        "/entities?action=delete", json={"urn": "urn:li:dataHubRetention:(dataset,globalTags)"}
    )
    _write(client, "globalTags", 7)
    assert _versions(client, "globalTags") == [6, 7, 8]
