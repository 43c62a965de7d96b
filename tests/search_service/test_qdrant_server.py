from __future__ import annotations

from pathlib import Path

from airline_catalogue import airline, settings_in, upsert
from qdrant_rest import QdrantProcess
from search_support import running, wait_for

from dataspoke.core.index.embedder import Embedder
from dataspoke.core.index.open import open_writer
from dataspoke.core.index.spec import spec_for
from dataspoke.core.store.database import Database


def test_with_a_qdrant_server_it_reads_there_and_drains_nothing(
    tmp_path: Path, embedder: Embedder
) -> None:
    with QdrantProcess(tmp_path / "qdrant") as server:
        settings = settings_in(tmp_path, DATASPOKE_QDRANT_URL=server.url)
        database = Database.open(settings.database_url)
        writer = open_writer(settings, spec_for(embedder), database)
        writer.apply([upsert(snapshot, embedder) for snapshot in airline()])
        database.close()
        with running(settings) as client:
            details = client.get("/readyz").json()["details"]
            assert details["index"]["engine"] == "qdrant"
            assert "outbox" not in details
            question = {"q": "customer email", "filter": ["tag:eq:pii", "-platform:eq:postgres"]}
            answer = client.get("/search/semantic", params=question).json()
            assert [result["name"] for result in answer["results"]] == ["frequent_flyers"]

            server.kill()
            assert client.get("/readyz").status_code == 503
            away = client.get("/search/semantic", params=question)
            assert away.status_code == 503
            assert away.json()["detail"].startswith("Cannot ")
            assert client.get("/healthz").status_code == 200

            server.start()
            wait_for(lambda: client.get("/readyz").status_code == 200)
            assert client.get("/search/semantic", params=question).json()["total"] == 1
