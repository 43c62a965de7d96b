from __future__ import annotations

from pathlib import Path

import pytest
from airline_catalogue import airline, settings_in, upsert
from search_support import Writer, entities_of, running, wait_for
from starlette.testclient import TestClient

from dataspoke.core.index.embedder import Embedder
from dataspoke.core.index.hash_embedder import HashEmbedder
from dataspoke.search_service import runtime


class NewModel(HashEmbedder):
    model_id = "new"


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str, Embedder]:
    models: dict[str, Embedder] = {"hash": HashEmbedder(), "new": NewModel()}
    monkeypatch.setattr(runtime, "load_embedder", models.__getitem__)
    return models


def model_of(client: TestClient) -> str:
    return str(client.get("/readyz").json()["details"]["model"])


def found(client: TestClient, text: str) -> list[str]:
    answer = client.get("/search/semantic", params={"q": text}).json()
    return [result["name"] for result in answer["results"]]


def test_the_old_model_answers_until_the_new_index_is_full(
    tmp_path: Path, models: dict[str, Embedder]
) -> None:
    old = Writer(settings_in(tmp_path), models["hash"])
    old.apply(*(upsert(snapshot, models["hash"]) for snapshot in airline()))
    old.close()
    with running(settings_in(tmp_path)) as client:
        wait_for(lambda: entities_of(client) == len(airline()))
    changed = settings_in(tmp_path, DATASPOKE_MODEL="new")
    new = Writer(changed, models["new"])
    new.apply(upsert(airline()[0], models["new"]))
    with running(changed) as client:
        assert model_of(client) == models["hash"].model_id
        assert found(client, "seats")
        wait_for(lambda: client.get("/readyz").json()["details"]["next_model"]["entities"] == 1)
        new.apply(*(upsert(snapshot, models["new"]) for snapshot in airline()[1:]))
        wait_for(lambda: model_of(client) == "new")
        assert found(client, "seats")
        assert "next_model" not in client.get("/readyz").json()["details"]
    new.close()
    with running(changed) as client:
        assert model_of(client) == "new"


def test_a_first_model_has_nothing_to_wait_for(tmp_path: Path, models: dict[str, Embedder]) -> None:
    with running(settings_in(tmp_path, DATASPOKE_MODEL="new")) as client:
        assert model_of(client) == "new"
