"""How fast vector sync follows DataHub, over the whole way as real processes.

    python benchmarks/vector_sync.py changed   [--entities 2000]
    python benchmarks/vector_sync.py unchanged [--entities 5000] [--postgres]
    python benchmarks/vector_sync.py resync    [--entities 10000]
    python benchmarks/vector_sync.py fresh     [--entities 30]

A local hub, the stock `datahub actions` with `recipes/actions/vector_sync.yml`, and the search
service. The action is stopped (SIGSTOP) while every dataset, of 20 columns, is written once; then
it goes on. Measured from there until every event was received and the work table is empty.

`changed`: each dataset got another description, so that each is read, rendered, embedded and
written; against the bare embedder over the same distinct texts right after it, in the same run.
`unchanged`: each got another custom property, which no document shows, so that each is read,
rendered, compared and passed over. `--postgres` keeps the work table in PostgreSQL.

`resync`: nothing changed at all, and `dataspoke index reconcile` looks at each entity.

`fresh` renames one dataset at a time and measures from DataHub's answer until a search finds it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

import requests
from logged_process import wait_until
from spoke_stack import Stack

from dataspoke.actions.vector_sync import reconcile_run
from dataspoke.actions.vector_sync.classify import KINDS
from dataspoke.core.documents.render import render
from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.hub.reader import HubReader
from dataspoke.core.index.embedder import load_embedder
from dataspoke.core.index.outbox import Outbox
from dataspoke.core.index.spec import spec_for
from dataspoke.core.index.views import distinct_texts
from dataspoke.core.settings import Settings
from dataspoke.core.store.database import Database
from dataspoke.core.work.table import SqlWorkTable

MODEL = "all-MiniLM-L6-v2"
COLUMNS = 20
PER_REQUEST = 200
SETTLE_S = 5.0
NOUNS = (
    "order",
    "customer",
    "parcel",
    "invoice",
    "payment",
    "review",
    "author",
    "voucher",
    "refund",
    "stock",
    "shelf",
    "return",
)
PARTS = (
    "id",
    "name",
    "status",
    "created_at",
    "amount",
    "currency",
    "country",
    "city",
    "email",
    "note",
    "kind",
    "source",
)
SENTENCES = (
    "One row per {noun} as the shop's system wrote it, without corrections.",
    "Counted daily from the {noun} events; late ones are added on the next day.",
    "The {noun} as the finance team sees it, with tax and currency.",
)


def urn(number: int) -> str:
    noun = NOUNS[number % len(NOUNS)]
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,shop.{noun}s.{noun}_{number:05d},PROD)"


def properties(number: int, turn: int, *, visible: bool) -> dict[str, object]:
    """A dataset's `datasetProperties`; `turn` shows in its document only when `visible`."""
    noun = NOUNS[number % len(NOUNS)]
    text = SENTENCES[number % len(SENTENCES)].format(noun=noun)
    shown = (
        f" Version {turn} of the {PARTS[(number + turn) % len(PARTS)]} rules." if visible else ""
    )
    return {
        "name": f"{noun}_{number:05d}",
        "description": text + shown,
        "customProperties": {"turn": str(turn)},
        "tags": [],
    }


def schema(number: int) -> dict[str, object]:
    noun = NOUNS[number % len(NOUNS)]
    fields = [
        {
            "fieldPath": f"{NOUNS[(number + at) % len(NOUNS)]}_{PARTS[at % len(PARTS)]}_{at}",
            "nullable": True,
            "type": {"type": {"com.linkedin.schema.StringType": {}}},
            "nativeDataType": "text",
            "recursive": False,
            "isPartOfKey": False,
            "description": f"The {PARTS[at % len(PARTS)]} of the {noun}.",
        }
        for at in range(COLUMNS)
    ]
    return {
        "schemaName": f"{noun}_{number:05d}",
        "platform": "urn:li:dataPlatform:postgres",
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": fields,
    }


class Bench:
    """A running stack and its work table."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.settings = Settings.from_env(stack.env)
        self.database = Database.open(self.settings.database_url)
        self.work = SqlWorkTable(self.database)

    def write(self, aspect: str, values: Iterator[tuple[str, dict[str, object]]]) -> int:
        """Upsert one aspect of each entity; returns how many."""
        batch: list[dict[str, object]] = []
        written = 0
        for entity, value in values:
            batch.append(
                {
                    "entityType": "dataset",
                    "entityUrn": entity,
                    "changeType": "UPSERT",
                    "aspectName": aspect,
                    "aspect": {"value": json.dumps(value), "contentType": "application/json"},
                }
            )
            written += 1
            if len(batch) == PER_REQUEST:
                self._post(batch)
                batch = []
        if batch:
            self._post(batch)
        return written

    def _post(self, proposals: list[dict[str, object]]) -> None:
        answer = requests.post(
            f"{self.stack.hub.url}/aspects?action=ingestProposalBatch",
            json={"proposals": proposals, "async": "false"},
            timeout=120,
        )
        assert answer.status_code == 200, answer.text

    def received(self) -> int:
        page = requests.get(f"{self.stack.health_url}/metrics", timeout=10).text
        match = re.search(r"^dataspoke_sync_events_total ([\d.e+]+)$", page, re.MULTILINE)
        assert match is not None, page
        return int(float(match[1]))

    def open_rows(self) -> int:
        return self.work.stats(now=int(time.time() * 1000), kinds=KINDS).open

    def wait_idle(self, *, events: int) -> None:
        wait_until(
            lambda: self.open_rows() == 0 and self.received() >= events,
            what="every event received and the work table empty",
            timeout=1200,
            pause=0.1,
        )

    def follow(self, aspect: str, values: Iterator[tuple[str, dict[str, object]]]) -> float:
        """Write while the action is stopped; seconds from its waking to an empty work table."""
        before = self.received()
        os.kill(self.stack.action.pid, signal.SIGSTOP)
        written = self.write(aspect, values)
        # The hub is done with its own search index too: its work is not ours to measure.
        time.sleep(SETTLE_S)
        began = time.perf_counter()
        os.kill(self.stack.action.pid, signal.SIGCONT)
        self.wait_idle(events=before + written)
        return time.perf_counter() - began


def fill(bench: Bench, entities: int) -> None:
    before = bench.received()
    written = bench.write("schemaMetadata", ((urn(n), schema(n)) for n in range(entities)))
    written += bench.write(
        "datasetProperties",
        ((urn(n), properties(n, 0, visible=True)) for n in range(entities)),
    )
    bench.wait_idle(events=before + written)


def changed(home: Path, entities: int) -> None:
    with Stack(home, "dataspoke-events", model=MODEL) as stack:
        bench = Bench(stack)
        fill(bench, entities)
        embedder = load_embedder(MODEL)
        outbox = Outbox(bench.database, spec_for(embedder))
        seconds = bench.follow(
            "datasetProperties",
            ((urn(n), properties(n, 1, visible=True)) for n in range(entities)),
        )
        wait_until(lambda: outbox.backlog()[0] == 0, what="the index holds all", timeout=60)
        snapshots = HubReader(HubConnection.open(bench.settings)).read(
            [urn(n) for n in range(entities)]
        )
        documents = [
            render(snapshot, model_id=embedder.model_id) for snapshot in snapshots.found.values()
        ]
        assert len(documents) == entities
        texts = distinct_texts(documents)
        embedder.embed(texts[:64])
        began = time.perf_counter()
        embedder.embed(texts)
        bare = time.perf_counter() - began
    print(f"changed entities:  {entities / seconds:8.1f} /s  ({entities} in {seconds:.1f} s)")
    print(f"bare embedder:     {entities / bare:8.1f} /s  ({entities} in {bare:.1f} s)")
    print(f"ratio:             {bare / seconds:8.1%}")


def unchanged(home: Path, entities: int, *, postgres: bool) -> None:
    with Stack(home, "dataspoke-events", postgres_store=postgres) as stack:
        bench = Bench(stack)
        fill(bench, entities)
        for turn in (1, 2, 3):
            seconds = bench.follow(
                "datasetProperties",
                (
                    (
                        urn(n),
                        properties(n, 0, visible=True) | {"customProperties": {"t": str(turn)}},
                    )
                    for n in range(entities)
                ),
            )
            where = "PostgreSQL" if postgres else "SQLite"
            rate = entities / seconds
            print(f"unchanged entities, {where}, turn {turn}: {rate:,.0f} /s ({seconds:.2f} s)")


def resync(home: Path, entities: int) -> None:
    with Stack(home, "dataspoke-events") as stack:
        bench = Bench(stack)
        fill(bench, entities)
        for turn in (1, 2):
            began = time.perf_counter()
            summary, dead = reconcile_run.repair(
                bench.settings, max_removals=0.3, types=(), restart=True, progress=_Silent()
            )
            seconds = time.perf_counter() - began
            assert summary.listed >= entities
            assert not dead
            print(f"reconcile, turn {turn}: {entities / seconds:,.0f} entities/s ({seconds:.1f} s)")


class _Silent:
    def phase(self, title: str, total: int | None) -> None: ...
    def at(self, done: int) -> None: ...


def fresh(home: Path, entities: int) -> None:
    with Stack(home, "dataspoke-events", model=MODEL) as stack:
        bench = Bench(stack)
        fill(bench, entities)
        seconds = []
        for number in range(entities):
            name = f"renamed_{number:03d}_ledger"
            bench.write("datasetProperties", iter([(urn(number), {"name": name, "tags": []})]))
            began = time.perf_counter()
            wait_until(
                lambda name=name, number=number: (
                    [hit["urn"] for hit in stack.search.find(name, limit=1)] == [urn(number)]
                ),
                what="the new name is found",
                pause=0.01,
            )
            seconds.append(time.perf_counter() - began)
    seconds.sort()
    print(
        f"a rename is found after {seconds[len(seconds) // 2]:.2f} s (median of {entities}), "
        f"{seconds[-1]:.2f} s at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["changed", "unchanged", "resync", "fresh"])
    parser.add_argument("--entities", type=int)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dataspoke-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        if options.what == "changed":
            changed(home, options.entities or 2_000)
        elif options.what == "fresh":
            fresh(home, options.entities or 30)
        elif options.what == "resync":
            resync(home, options.entities or 10_000)
        else:
            unchanged(home, options.entities or 5_000, postgres=options.postgres)


if __name__ == "__main__":
    main()
