"""How long a question takes over HTTP, and what of it is the model's and the engine's.

    python benchmarks/search_latency.py [--entities 10000] [--queries 300] [--home DIR]

An embedded index of made-up tables (`synthetic`, 20 columns each; their dense vectors lie in
clusters), `dataspoke search serve` as a process. In the same run, in this process: embedding the
same questions one by one on one thread, and the engine's three bare lists (100 ids each) under the
same filter. Then eight clients at once, and the service's memory. A home that is given is kept,
and used again by the next run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

import numpy as np
import requests
from logged_process import wait_until
from spoke_stack import SearchProcess
from synthetic import TABLES_PER_DATABASE, dataset_aspects, dataset_urn, questions

from dataspoke.core.documents.model import DENSE_VECTOR
from dataspoke.core.documents.render import render
from dataspoke.core.hub.aspects import snapshot_of
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.edge_graph import GraphBuilder
from dataspoke.core.index.embedder import Embedder, load_embedder
from dataspoke.core.index.model import DenseQuery, Hashes, UpsertPoint
from dataspoke.core.index.open import open_owner
from dataspoke.core.index.spec import spec_for
from dataspoke.core.settings import Settings
from dataspoke.search_service.filters import conditions, parse_filter
from dataspoke.search_service.retrieve import CANDIDATES, sparse_queries

MODEL = "all-MiniLM-L6-v2"
BATCH = 500
CLIENTS = 8
FILTER = "platform:in:postgres,snowflake,bigquery"


def points(start: int, stop: int, embedder: Embedder) -> Iterator[UpsertPoint]:
    for number in range(start, stop):
        snapshot = snapshot_of(dataset_urn(number), dataset_aspects(number))
        document = render(snapshot, model_id=embedder.model_id)
        centre = np.random.default_rng(number // TABLES_PER_DATABASE).standard_normal(embedder.dim)
        noise = np.random.default_rng(number).standard_normal(embedder.dim)
        vector = (centre + 0.7 * noise).astype(np.float32)
        yield UpsertPoint(
            urn=document.urn,
            hashes=Hashes(document.content_hash, document.payload_hash),
            dense={DENSE_VECTOR: vector / np.linalg.norm(vector)},
            sparse=document.sparse,
            payload=document.payload,
            version=1,
        )


def fill(index: EdgeIndex, entities: int, embedder: Embedder) -> None:
    began, have = time.perf_counter(), index.count(())
    for start in range(have, entities, BATCH):
        index.apply(list(points(start, min(start + BATCH, entities), embedder)))
    if index.needs_graph():
        GraphBuilder(index).build()
    print(f"{entities - have:,} entities added in {time.perf_counter() - began:.0f} s", flush=True)


def milliseconds(call: Callable[[str], object], texts: Sequence[str]) -> np.ndarray:
    taken = []
    for text in texts:
        began = time.perf_counter()
        call(text)
        taken.append((time.perf_counter() - began) * 1000)
    return np.array(taken)


def show(name: str, taken: np.ndarray) -> None:
    p50, p95, p99 = np.percentile(taken, [50, 95, 99])
    print(f"{name:<44} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms   p99 {p99:7.1f} ms", flush=True)


def anonymous_mb(pid: int) -> float:
    """What belongs to the process alone and no file backs."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(rollup.partition("Anonymous:")[2].split()[0]) / 1024


class Client:
    def __init__(self, url: str) -> None:
        self._url = f"{url}/search/semantic"
        self._session = requests.Session()

    def ask(self, text: str, **params: str) -> None:
        answer = self._session.get(self._url, params={"q": text, **params}, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"], text


def together(url: str, texts: Sequence[str]) -> tuple[float, np.ndarray]:
    """Questions per second of `CLIENTS` at once, and the milliseconds of each question."""

    def one(part: Sequence[str]) -> np.ndarray:
        client = Client(url)
        return milliseconds(lambda text: client.ask(text, filter=FILTER), part)

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        taken = np.concatenate(list(pool.map(one, [texts[n::CLIENTS] for n in range(CLIENTS)])))
    return len(texts) / (time.perf_counter() - began), taken


def bare_figures(
    home: Path, entities: int, warm: Sequence[str], asked: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    settings = Settings.from_env(environment(home))
    embedder = load_embedder(MODEL, threads=1)
    index = open_owner(settings, spec_for(embedder))
    assert isinstance(index, EdgeIndex)
    fill(index, entities, embedder)
    vectors = dict(zip([*warm, *asked], embedder.embed([*warm, *asked]), strict=True))
    where = conditions(parse_filter(FILTER))

    def bare(text: str) -> object:
        queries = [DenseQuery(DENSE_VECTOR, vectors[text]), *sparse_queries(text)]
        return index.search(queries, conditions=where, limit=CANDIDATES)

    def embed(text: str) -> object:
        return embedder.embed([text])

    for call in (bare, embed):
        milliseconds(call, warm)
    engine, model = milliseconds(bare, asked), milliseconds(embed, asked)
    index.close()
    return engine, model


def environment(home: Path) -> dict[str, str]:
    return {"DATASPOKE_MODEL": MODEL, "DATASPOKE_HOME": str(home / "dataspoke")}


@contextmanager
def home_at(path: Path | None) -> Iterator[Path]:
    if path is None:
        with tempfile.TemporaryDirectory(prefix="dataspoke-bench-") as folder:
            yield Path(folder)
    else:
        path.mkdir(parents=True, exist_ok=True)
        yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    texts = questions(3 * options.queries + 20)
    warm, asked, others = (
        texts[:20],
        texts[20 : 20 + options.queries],
        texts[-2 * options.queries :],
    )
    with home_at(options.home) as home:
        engine, model = bare_figures(home, options.entities, warm, asked)
        began = time.perf_counter()
        with SearchProcess(home, environment(home)) as service:
            print(f"ready after {time.perf_counter() - began:.1f} s", flush=True)
            client = Client(service.url)
            client.ask(warm[0])
            print(f"first answer after {time.perf_counter() - began:.1f} s", flush=True)
            wait_until(
                lambda: roster_size(service.url) == options.entities, what="the roster", timeout=300
            )
            print(f"roster filled after {time.perf_counter() - began:.1f} s", flush=True)
            milliseconds(client.ask, warm)
            plain = milliseconds(client.ask, asked)
            filtered = milliseconds(lambda text: client.ask(text, filter=FILTER), asked)
            rate, loaded = together(service.url, others)
            memory = anonymous_mb(service.pid)
        print(f"{options.entities:,} entities, {len(asked)} distinct questions, one client")
        show("one question embedded (one thread)", model)
        show("the engine's three lists, with a filter", engine)
        show("GET /search/semantic", plain)
        show("GET /search/semantic, with a filter", filtered)
        floor = np.percentile(model, 95) + np.percentile(engine, 95)
        print(f"p95 over the sum of the first two: {np.percentile(filtered, 95) / floor:.2f}")
        show(f"{CLIENTS} clients at once: {rate:.0f} questions/s", loaded)
        print(f"anonymous memory of the service: {memory:.0f} MB")


def roster_size(url: str) -> int:
    details = requests.get(f"{url}/readyz", timeout=5).json()["details"]
    return int(details["index"]["roster"])


if __name__ == "__main__":
    main()
