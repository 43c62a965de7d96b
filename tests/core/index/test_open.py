from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from index_support import SPEC, make_point
from qdrant_rest import QdrantProcess

from dataspoke.core.errors import FatalError, MissingExtraError
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.open import open_owner, open_writer
from dataspoke.core.index.outbox import OutboxIndex
from dataspoke.core.index.qdrant import QdrantIndex
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({}, home=tmp_path)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(f"sqlite:///{tmp_path / 'ledger.db'}")) as database:
        yield database


def test_without_a_server_the_owner_has_the_engine_and_writers_the_outbox(
    settings: Settings, ledger: Database
) -> None:
    owner = open_owner(settings, SPEC)
    assert isinstance(owner, EdgeIndex)
    assert owner.info().location.startswith(str(settings.index_dir))
    assert isinstance(open_writer(settings, SPEC, ledger), OutboxIndex)
    with pytest.raises(FatalError, match="uses it"):
        open_owner(settings, SPEC)
    owner.close()


def test_with_a_server_both_use_it(
    settings: Settings, ledger: Database, qdrant_server: QdrantProcess
) -> None:
    settings = replace(settings, qdrant_url=qdrant_server.url)
    spec = replace(SPEC, model_id="both")
    owner, writer = open_owner(settings, spec), open_writer(settings, spec, ledger)
    assert isinstance(owner, QdrantIndex)
    assert isinstance(writer, QdrantIndex)
    writer.apply([make_point("urn:a")])
    assert owner.count([]) == 1
    assert not settings.index_dir.exists()
    owner.close()
    writer.close()


@pytest.mark.parametrize(
    ("url", "library", "extra"),
    [(None, "qdrant_edge", "search"), ("http://127.0.0.1:1", "qdrant_client", "qdrant")],
)
def test_a_missing_library_names_its_extra(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str | None, library: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'dataspoke\[{extra}\]'"):
        open_owner(replace(settings, qdrant_url=url), SPEC)
