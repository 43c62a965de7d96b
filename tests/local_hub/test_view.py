"""Where a write meets its effects: what they see, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hub_client import Client

from dataspoke.local_hub import effects
from dataspoke.local_hub.effects import Change, View, propose
from dataspoke.local_hub.errors import InvalidAspect
from dataspoke.local_hub.proposals import Proposal

URN = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.orders,PROD)"
OTHER = "urn:li:dataset:(urn:li:dataPlatform:hive,shop.customers,PROD)"
TERMS = {
    "terms": [{"urn": "urn:li:glossaryTerm:a"}],
    "auditStamp": {"time": 0, "actor": "urn:li:corpuser:a"},
}


def test_a_mutation_decides_what_is_stored(client: Client, monkeypatch: Any) -> None:
    def shout(_: View, change: Change) -> Any:
        return {**change.new, "name": change.new["name"].upper()}  # type: ignore[index]

    monkeypatch.setitem(effects.MUTATIONS, "datasetProperties", shout)
    client.must_put(URN, "datasetProperties", {"name": "orders"})
    assert client.get(URN, "datasetProperties")["name"] == "ORDERS"
    offset = client.last_offset()
    client.must_put(URN, "datasetProperties", {"name": "orders"})
    assert client.last_offset() == offset, "the stored value is compared with the mutated one"


def test_a_rule_refuses_a_write_and_a_deletion(client: Client, monkeypatch: Any) -> None:
    client.must_put(
        URN, "deprecation", {"deprecated": True, "note": "", "actor": "urn:li:corpuser:a"}
    )

    def refuse(_: View, change: Change) -> None:
        raise InvalidAspect(f"not {change.change}")

    monkeypatch.setitem(effects.RULES, "deprecation", refuse)
    monkeypatch.setitem(effects.RULES, "datasetKey", refuse)
    for change in ("UPSERT", "DELETE"):
        value = {"deprecated": False, "note": "", "actor": "urn:li:corpuser:a"}
        assert client.put(URN, "deprecation", value, change=change).status_code == 422
    assert client.http.post("/entities?action=delete", json={"urn": URN}).status_code == 422
    assert client.get(URN, "deprecation")["deprecated"] is True


def test_consequences_follow_in_the_same_transaction_and_run(
    client: Client, monkeypatch: Any
) -> None:
    seen: list[Any] = []

    def follow(view: View, change: Change) -> Iterator[Proposal]:
        seen.append((change.change, change.old, change.new, view.exists(OTHER)))
        if change.new is not None:
            yield propose(view, OTHER, "status", {"removed": change.new["removed"]})

    def further(view: View, change: Change) -> Iterator[Proposal]:
        assert view.value(change.urn, "status") == change.new
        yield propose(view, change.urn, "glossaryTerms", TERMS)

    monkeypatch.setitem(
        effects.CONSEQUENCES,
        "status",
        lambda view, change: (follow if change.urn == URN else further)(view, change),
    )
    client.must_put(URN, "status", {"removed": True}, systemMetadata={"runId": "one"})
    assert client.get(OTHER, "status") == {"removed": True}
    assert client.get(OTHER, "glossaryTerms") == TERMS
    runs = client.http.post(
        "/runs?action=describe", json={"runId": "one", "includeSoft": True}
    ).json()["value"]
    assert {row["urn"] for row in runs} == {URN, OTHER}
    client.put(URN, "status", None, change="DELETE")
    client.must_put(URN, "status", {"removed": True})
    client.must_put(URN, "status", {"removed": True})  # the same: nothing follows
    assert seen == [
        ("UPSERT", None, {"removed": True}, False),
        ("DELETE", {"removed": True}, None, True),
        ("UPSERT", None, {"removed": True}, True),
    ]


def test_a_refused_consequence_takes_the_write_along(client: Client, monkeypatch: Any) -> None:
    def follow(view: View, change: Change) -> Iterator[Proposal]:
        yield propose(view, OTHER, "status", {"removed": False}, "CREATE")

    client.must_put(OTHER, "status", {"removed": False})
    monkeypatch.setitem(effects.CONSEQUENCES, "deprecation", follow)
    value = {"deprecated": False, "note": "", "actor": "urn:li:corpuser:a"}
    assert client.put(URN, "deprecation", value).status_code == 422
    assert client.http.get(f"/aspects/{URN}?aspect=deprecation&version=0").status_code == 404


@pytest.mark.parametrize("held", ["urn:li:glossaryTerm:a", 'urn:li:glossaryTerm:"ü'])
def test_holders_are_found_by_a_text_in_an_aspect(
    client: Client, monkeypatch: Any, held: str
) -> None:
    found: list[str] = []

    def look(view: View, change: Change) -> Iterator[Proposal]:
        found.extend(view.holders("glossaryTerms", held))
        return iter(())

    monkeypatch.setitem(effects.CONSEQUENCES, "status", look)
    client.must_put(URN, "glossaryTerms", {**TERMS, "terms": [{"urn": held}]})
    client.must_put(URN, "status", {"removed": False})
    assert found == [URN]
