"""What only the index on a server has to deal with: outages, keys, versions, other writers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from index_support import NOW_MS, SPEC, make_point
from qdrant_client import QdrantClient
from qdrant_rest import QdrantProcess

from dataspoke.core.errors import AccessDeniedError, ConfigError, FatalError, RetriableError
from dataspoke.core.index.model import DeletePoint, Hashes, IndexOp, IndexSpec, SetPayload
from dataspoke.core.index.points import TOMBSTONE_MS
from dataspoke.core.index.qdrant import ALIAS, QdrantIndex
from dataspoke.core.index.qdrant_points import to_overwrite, to_point


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QdrantProcess]:
    with QdrantProcess(tmp_path_factory.mktemp("outages")) as process:
        yield process


@pytest.fixture
def spec(request: pytest.FixtureRequest) -> IndexSpec:
    """A collection for each test."""
    return replace(SPEC, model_id=request.node.name)


@pytest.fixture
def client(server: QdrantProcess) -> Iterator[QdrantClient]:
    client = QdrantClient(url=server.url, check_compatibility=False)
    yield client
    client.close()


def test_an_outage_is_retriable_and_ends_with_the_server_back(
    server: QdrantProcess, spec: IndexSpec
) -> None:
    index = QdrantIndex.open(server.url, spec, now_ms=NOW_MS)
    index.apply([make_point("urn:a")])
    server.kill()
    with pytest.raises(RetriableError, match=r"Cannot reach .*DATASPOKE_QDRANT_URL"):
        index.apply([make_point("urn:b")])
    with pytest.raises(RetriableError):
        QdrantIndex.open(server.url, spec, now_ms=NOW_MS)
    server.start()
    index.apply([make_point("urn:b")])
    assert index.count([]) == 2
    index.close()


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_a_wrong_key_names_the_variable(tmp_path: Path) -> None:
    with QdrantProcess(tmp_path, api_key="right") as server:
        with pytest.raises(AccessDeniedError, match="DATASPOKE_QDRANT_API_KEY") as refused:
            QdrantIndex.open(server.url, SPEC, now_ms=NOW_MS, api_key="wrong")
        assert "wrong" not in str(refused.value)
        with pytest.raises(AccessDeniedError):
            QdrantIndex.open(server.url, SPEC, now_ms=NOW_MS)
        QdrantIndex.open(server.url, SPEC, now_ms=NOW_MS, api_key="right").close()


def test_a_server_that_is_too_old_is_refused(tmp_path: Path) -> None:
    with (
        QdrantProcess(tmp_path, version="1.15.4") as server,
        pytest.raises(ConfigError, match=r"version 1\.15\.4, and 1\.19 is the oldest"),
    ):
        QdrantIndex.open(server.url, SPEC, now_ms=NOW_MS)


@pytest.mark.parametrize("url", ["localhost:not-a-port", "ftp://somewhere", ""])
def test_a_wrong_url_is_an_error_of_the_operator(url: str) -> None:
    with pytest.raises(ConfigError, match="DATASPOKE_QDRANT_URL"):
        QdrantIndex.open(url, SPEC, now_ms=NOW_MS)


def test_a_collection_of_another_shape_is_refused(server: QdrantProcess, spec: IndexSpec) -> None:
    QdrantIndex.open(server.url, spec, now_ms=NOW_MS).close()
    with pytest.raises(ConfigError, match="it has the vectors"):
        QdrantIndex.open(server.url, replace(spec, dense={"meaning": 4}), now_ms=NOW_MS)


def test_a_collection_that_vanished_is_told(
    server: QdrantProcess, spec: IndexSpec, client: QdrantClient
) -> None:
    index = QdrantIndex.open(server.url, spec, now_ms=NOW_MS)
    client.delete_collection(index.collection)
    with pytest.raises(FatalError, match="start again, which makes it anew"):
        index.count([])
    index.close()


def test_the_alias_stays_until_the_new_collection_is_activated(tmp_path: Path) -> None:
    def aliased() -> str:
        [alias] = client.get_aliases().aliases
        assert alias.alias_name == ALIAS
        return alias.collection_name

    with QdrantProcess(tmp_path) as server:
        client = QdrantClient(url=server.url, check_compatibility=False)
        blue = QdrantIndex.open(server.url, SPEC, now_ms=NOW_MS)
        other = replace(SPEC, model_id="other")
        green = QdrantIndex.open(server.url, other, now_ms=NOW_MS)
        assert aliased() == blue.collection
        green.activate()
        green.activate()
        assert aliased() == green.collection
        for opened in (client, blue, green):
            opened.close()


@pytest.mark.parametrize(
    "op",
    [
        make_point("urn:a", "stale", version=4),
        SetPayload("urn:a", Hashes("stale", ""), {"name": "stale"}, 4),
        DeletePoint("urn:a", 4),
    ],
    ids=["upsert", "payload", "delete"],
)
def test_the_server_itself_refuses_a_stale_write(
    server: QdrantProcess, spec: IndexSpec, op: IndexOp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer was faster between our look at the version and our write."""
    index = QdrantIndex.open(server.url, spec, now_ms=NOW_MS)
    index.apply([make_point("urn:a", "first", version=3)])
    seen = index._retrieve(["urn:a"], fields=["_version", "content_hash", "payload_hash"])
    index.apply([make_point("urn:a", "newer", version=5)])
    monkeypatch.setattr(index, "_retrieve", lambda urns, fields: seen)
    index.apply([op])
    monkeypatch.undo()
    assert index.hashes(["urn:a"])["urn:a"].content_hash == "text newer"
    index.close()


def test_one_batch_may_carry_many_versions(server: QdrantProcess, spec: IndexSpec) -> None:
    index = QdrantIndex.open(server.url, spec, now_ms=NOW_MS)
    index.apply([make_point(f"urn:{n}", version=n) for n in range(10)])
    index.apply(
        [
            DeletePoint("urn:1", 20),
            make_point("urn:2", "two", version=21),
            SetPayload("urn:3", Hashes("c", "p"), {"name": "three"}, 22),
            SetPayload("urn:1", Hashes("c", "p"), {"name": "gone"}, 23),
        ]
    )
    assert index.count([]) == 9
    assert index.get(["urn:3"])["urn:3"]["name"] == "three"
    index.close()


def test_old_tombstones_are_dropped_on_opening(
    server: QdrantProcess, spec: IndexSpec, client: QdrantClient
) -> None:
    index = QdrantIndex.open(server.url, spec, now_ms=NOW_MS)
    index.apply([DeletePoint("urn:a", 1), DeletePoint("urn:b", NOW_MS)])
    index.close()
    assert client.count(index.collection).count == 2
    QdrantIndex.open(server.url, spec, now_ms=NOW_MS + TOMBSTONE_MS).close()
    assert client.count(index.collection).count == 1


def test_the_stored_document_can_be_read_without_us() -> None:
    stored = to_point(make_point("urn:a", tags=["t"])).payload
    assert stored is not None
    assert stored["_document"]["tags"] == ["t"]
    overwrite = to_overwrite(SetPayload("urn:a", Hashes("c", "p"), {"tags": ["t"]}, 1))
    assert overwrite.overwrite_payload.payload["_document"]["tags"] == ["t"]
