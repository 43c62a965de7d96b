"""Vector sync as people run it: a hub, the stock `datahub actions`, and the question whether
index and hub agree."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.emitter.rest_emitter import DatahubRestEmitter
from datahub.metadata.schema_classes import DatasetPropertiesClass
from datahub_cli import ActionsProcess
from hub_process import HubProcess

import dataspoke.recipes
from dataspoke.actions.vector_sync import reconcile_run
from dataspoke.actions.vector_sync.check import Differences
from dataspoke.core.settings import Settings

RECIPES = Path(next(iter(dataspoke.recipes.__path__))) / "actions"


def dataset(name: object) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.{name},PROD)"


class Silent:
    def phase(self, title: str, total: int | None) -> None: ...
    def at(self, done: int) -> None: ...


class Stage:
    """A hub, an emitter, a home for the action, and the question whether all agree."""

    def __init__(
        self,
        hub: HubProcess,
        home: Path,
        *,
        recipe: str = "vector_sync.yml",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.hub = hub
        self._recipe = RECIPES / recipe
        self.home = home
        self.emitter = DatahubRestEmitter(hub.url, token=hub.token)
        self.env = {
            "DATAHUB_GMS_URL": hub.url,
            "DATASPOKE_HOME": str(home),
            "DATASPOKE_MODEL": "hash",
        }
        self.env |= {"DATAHUB_GMS_TOKEN": hub.token} if hub.token else {}
        self.env |= dict(env or {})
        self.settings = Settings.from_env(self.env)

    def emit(self, urn: str, aspect: object) -> None:
        self.emitter.emit(MetadataChangeProposalWrapper(entityUrn=urn, aspect=aspect))  # type: ignore[arg-type]

    def table(self, name: object, description: str = "orders of customers") -> None:
        self.emit(dataset(name), DatasetPropertiesClass(name=str(name), description=description))

    def recipe(self, *changes: tuple[str, str]) -> Path:
        text = self._recipe.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = self.home / self._recipe.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def action(self, *changes: tuple[str, str]) -> ActionsProcess:
        return ActionsProcess(self.recipe(*changes), self.env, home=self.home)

    def differences(self) -> Differences:
        return reconcile_run.prove(self.settings, types=(), progress=Silent())

    def wait_until_equal(self, timeout: float = 60) -> None:
        until = time.monotonic() + timeout
        while not (found := self.differences()).equal:
            assert time.monotonic() < until, found
        assert found.compared

    def indexed(self) -> set[str]:
        """What the ledger holds; nothing while there is no database yet."""
        try:
            return {
                urn
                for (urn,) in self._ask("SELECT urn FROM dataspoke_index_points WHERE alive = 1")
            }
        except sqlite3.OperationalError:
            return set()

    def payload(self, urn: str) -> str:
        rows = self._ask("SELECT payload FROM dataspoke_index_points WHERE urn = ?", urn)
        return str(rows[0][0])

    def _ask(self, query: str, *values: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'dataspoke.db'}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()
