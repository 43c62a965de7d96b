from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hub_process import HubProcess
from scripted_server import Reply, Request, ScriptedServer, reply_json

from dataspoke.core.entities import SEARCHABLE_ENTITY_TYPES
from dataspoke.core.errors import RetriableError, SkippableError
from dataspoke.core.hub.connection import HubConnection, InternalError
from dataspoke.core.hub.reader import HubReader
from dataspoke.core.settings import Settings
from dataspoke.core.urns import entity_type_of

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:s3,shop%2Forders,PROD)"
RAW = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.raw.orders,PROD)"
TAGS = [f"urn:li:tag:t{n:03}" for n in range(100)]


def connect(url: str, token: str = "") -> HubConnection:
    return HubConnection.open(
        Settings.from_env({"DATAHUB_GMS_URL": url, "DATAHUB_GMS_TOKEN": token})
    )


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubConnection]:
    with HubProcess(tmp_path_factory.mktemp("hub"), token="open-sesame") as process:
        connection = connect(process.url, "open-sesame")
        yield connection
        connection.close()


def write(hub: HubConnection, urn: str, **aspects: Any) -> None:
    body = [{"urn": urn, **{name: {"value": value} for name, value in aspects.items()}}]
    path = f"/openapi/v3/entity/{entity_type_of(urn)}"
    hub.request("POST", path, body=body, params={"async": "false"})


def test_a_snapshot_carries_the_present_names_of_what_it_refers_to(hub: HubConnection) -> None:
    reader = HubReader(hub)
    stamp = {"time": 1, "actor": "urn:li:corpuser:jane"}
    write(
        hub,
        ORDERS,
        datasetProperties={"name": "orders", "customProperties": {}, "tags": []},
        globalTags={"tags": [{"tag": "urn:li:tag:gold"}, {"tag": "urn:li:tag:unheard"}]},
        ownership={
            "owners": [{"owner": "urn:li:corpuser:jane", "type": "DATAOWNER"}],
            "lastModified": stamp,
        },
        upstreamLineage={"upstreams": [{"dataset": RAW, "type": "COPY", "auditStamp": stamp}]},
    )
    write(hub, RAW, datasetProperties={"name": "Raw", "customProperties": {}, "tags": []})
    write(hub, "urn:li:tag:gold", tagProperties={"name": "Gold"})
    write(hub, "urn:li:corpuser:jane", corpUserInfo={"active": True, "displayName": "Jane Doe"})
    names = {"urn:li:tag:gold": "Gold", "urn:li:corpuser:jane": "Jane Doe", RAW: "Raw"}
    assert reader.read([ORDERS]).found[ORDERS].names == names
    write(hub, "urn:li:tag:gold", tagProperties={"name": "Golden"})
    assert reader.read([ORDERS]).found[ORDERS].names == names | {"urn:li:tag:gold": "Golden"}


def test_absent_bad_and_found_are_told_apart(hub: HubConnection) -> None:
    write(hub, "urn:li:tag:there", tagProperties={"name": "There"})
    result = HubReader(hub).read(
        [
            "urn:li:tag:there",
            "urn:li:tag:nowhere",
            "no urn",
            "urn:li:corpuser:x",
            "urn:li:tag:there",
        ]
    )
    assert list(result.found) == ["urn:li:tag:there"]
    assert result.absent == ["urn:li:tag:nowhere"]
    assert set(result.bad) == {"no urn", "urn:li:corpuser:x"}


def test_a_soft_deleted_entity_is_found_and_exists(hub: HubConnection) -> None:
    urn = "urn:li:dataset:(urn:li:dataPlatform:postgres,a%2Fb c,PROD)"
    reader = HubReader(hub)
    assert not reader.exists(urn)
    write(hub, urn, status={"removed": True})
    assert reader.exists(urn)
    assert reader.read([urn]).found[urn].removed
    hub.post("/entities", {"urn": urn}, action="delete")
    assert not reader.exists(urn)
    assert reader.read([urn]).absent == [urn]


def test_the_urns_of_a_type_come_in_pages(hub: HubConnection) -> None:
    reader = HubReader(hub)
    for number in range(5):
        write(hub, f"urn:li:domain:{number}", domainProperties={"name": str(number)})
    pages = [reader.list_urns("domain", start=start, count=2) for start in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert {urn for page in pages for urn in page} == {f"urn:li:domain:{n}" for n in range(5)}


@pytest.mark.parametrize("entity_type", SEARCHABLE_ENTITY_TYPES)
def test_the_hub_knows_every_aspect_that_we_ask_for(hub: HubConnection, entity_type: str) -> None:
    ids = {
        "dataset": "(urn:li:dataPlatform:x,none,PROD)",
        "mlModel": "(urn:li:dataPlatform:x,none,PROD)",
        "dataFlow": "(airflow,none,prod)",
        "dataJob": "(urn:li:dataFlow:(airflow,nightly,prod),none)",
        "chart": "(looker,none)",
        "dashboard": "(looker,none)",
    }
    urn = f"urn:li:{entity_type}:{ids.get(entity_type, 'none')}"
    assert HubReader(hub).read([urn]).absent == [urn]


def hub_where(fails: Callable[[set[str]], Reply | None]) -> Callable[[Request], Reply]:
    """A hub on which every tag exists, unless `fails` has another answer for a set of urns."""

    def answer(request: Request) -> Reply:
        urns = [item["urn"] for item in json.loads(request.body)]
        return fails(set(urns)) or reply_json(
            [{"urn": urn, "tagProperties": {"value": {"name": urn[-4:]}}} for urn in urns]
        )

    return answer


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize("victims", [{TAGS[0]}, {TAGS[99]}, {TAGS[3], TAGS[50], TAGS[51]}])
def test_an_entity_that_breaks_the_batch_is_found_and_the_others_are_read(
    server: ScriptedServer, status: int, victims: set[str]
) -> None:
    server.answer = hub_where(
        lambda urns: reply_json({"message": "boom"}, status) if urns & victims else None
    )
    result = HubReader(connect(server.url)).read(TAGS)
    assert set(result.bad) == victims
    assert set(result.found) == set(TAGS) - victims
    assert result.absent == []
    assert all(isinstance(exc, SkippableError) for exc in result.bad.values())
    assert len(server.requests) <= 2 * 8 * len(victims)


def test_a_hub_that_breaks_on_everything_is_at_fault_itself(server: ScriptedServer) -> None:
    server.answer = hub_where(lambda _: reply_json({"message": "boom"}, 500))
    with pytest.raises(InternalError):
        HubReader(connect(server.url)).read(TAGS)
    assert len(server.requests) < 20


@pytest.mark.parametrize("reply", [reply_json({}, 503), reply_json({}, 429), reply_json({"a": 1})])
def test_a_hub_that_is_unwell_is_asked_once(server: ScriptedServer, reply: Reply) -> None:
    server.answer = lambda _: reply
    with pytest.raises(RetriableError):
        HubReader(connect(server.url)).read(TAGS)
    assert len(server.requests) == 1


def test_a_malformed_aspect_costs_the_others_nothing(server: ScriptedServer) -> None:
    entities = [
        {"urn": TAGS[0], "tagProperties": {"value": {"name": ["odd"]}}},
        {"urn": TAGS[1], "tagProperties": {"value": {"name": "fine"}}},
        {"urn": TAGS[2], "status": None},
    ]
    server.answer = lambda _: reply_json(entities)
    result = HubReader(connect(server.url)).read(TAGS[:4])
    assert "'tagProperties'" in str(result.bad[TAGS[0]])
    assert list(result.found) == TAGS[1:3]
    assert result.absent == [TAGS[3]]
    assert len(server.requests) == 1


def test_names_that_cannot_be_read_leave_the_snapshot_without_them(server: ScriptedServer) -> None:
    domain = "urn:li:domain:d"

    def answer(request: Request) -> Reply:
        if "/domain/" in request.path:
            return reply_json({"message": "no"}, 400)
        value = {"domains": [domain]}
        return reply_json([{"urn": "urn:li:dataProduct:p", "domains": {"value": value}}])

    server.answer = answer
    result = HubReader(connect(server.url)).read(["urn:li:dataProduct:p"])
    assert result.found["urn:li:dataProduct:p"].domains == (domain,)
    assert result.found["urn:li:dataProduct:p"].names == {}


def test_chunks_follow_the_size_of_the_answers(server: ScriptedServer) -> None:
    sizes: list[int] = []
    padding = "x" * 1000

    def answer(request: Request) -> Reply:
        urns = [item["urn"] for item in json.loads(request.body)]
        sizes.append(len(urns))
        return reply_json([{"urn": urn, "tagKey": {"value": {"name": padding}}} for urn in urns])

    server.answer = answer
    reader = HubReader(connect(server.url), max_chunk=32, max_bytes=10_000)
    assert len(reader.read(TAGS).found) == 100
    assert sizes[:4] == [32, 16, 8, 8]
    padding = ""
    reader.read(TAGS)
    assert sizes[-1] <= 32
    assert max(sizes[-3:]) == 32


def test_the_body_asks_for_the_key_first_and_for_each_aspect_once(server: ScriptedServer) -> None:
    server.answer = lambda _: reply_json([])
    HubReader(connect(server.url)).read([RAW])
    (asked,) = json.loads(server.requests[0].body)
    assert server.requests[0].path == "/openapi/v3/entity/dataset/batchGet"
    assert list(asked)[:3] == ["urn", "datasetKey", "datasetProperties"]
