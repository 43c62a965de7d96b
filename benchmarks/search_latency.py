"""How long a question takes over HTTP, and what of it is the model's and the engine's.

    python benchmarks/search_latency.py [--entities 10000] [--queries 300]

An embedded index of synthetic tables (20 columns each, their words real, their dense vectors
random: an exact search costs the same), `dataspoke search serve` as a process, one client. In the
same run, in this process: embedding the same questions one by one, and the engine's two bare
searches (dense and sparse, 100 hits, payloads included).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

import numpy as np
import requests
from spoke_stack import SearchProcess
from vector_sync import MODEL, NOUNS, PARTS, properties, schema, urn

from dataspoke.core.documents.model import DENSE_VECTOR, SPARSE_VECTOR
from dataspoke.core.documents.render import render
from dataspoke.core.documents.words import query_vector
from dataspoke.core.hub.aspects import snapshot_of
from dataspoke.core.index.embedder import load_embedder
from dataspoke.core.index.model import DenseQuery, Hashes, SparseQuery, UpsertPoint
from dataspoke.core.index.open import open_owner
from dataspoke.core.index.spec import spec_for
from dataspoke.core.settings import Settings

BATCH = 500
HITS = 100


def questions(count: int) -> list[str]:
    """Distinct questions of three to five words."""
    return [
        f"{PARTS[n % len(PARTS)]} of each {NOUNS[n % len(NOUNS)]} by "
        f"{PARTS[(n // len(PARTS)) % len(PARTS)]} {n}"
        for n in range(count)
    ]


def points(start: int, stop: int, model_id: str, dim: int) -> list[UpsertPoint]:
    chance = np.random.default_rng(start)
    made = []
    for number in range(start, stop):
        aspects = {
            "schemaMetadata": {"value": schema(number)},
            "datasetProperties": {"value": properties(number, number, visible=True)},
        }
        document = render(snapshot_of(urn(number), aspects), model_id=model_id)
        vector = chance.standard_normal(dim).astype(np.float32)
        made.append(
            UpsertPoint(
                urn=document.urn,
                hashes=Hashes(document.content_hash, document.payload_hash),
                dense={DENSE_VECTOR: vector / np.linalg.norm(vector)},
                sparse=document.sparse,
                payload=document.payload,
                version=1,
            )
        )
    return made


def milliseconds(call: Callable[[str], object], texts: Sequence[str]) -> np.ndarray:
    taken = []
    for text in texts:
        began = time.perf_counter()
        call(text)
        taken.append((time.perf_counter() - began) * 1000)
    return np.array(taken)


def show(name: str, taken: np.ndarray) -> None:
    p50, p95 = np.percentile(taken, [50, 95])
    print(f"{name:<42} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dataspoke-bench-") as folder:
        home = Path(folder)
        env = {"DATASPOKE_MODEL": MODEL, "DATASPOKE_HOME": str(home / "dataspoke")}
        settings = Settings.from_env(env)
        embedder = load_embedder(MODEL, threads=1)
        spec = spec_for(embedder)
        asked = questions(options.queries + 20)
        warm, asked = asked[:20], asked[20:]

        index = open_owner(settings, spec)
        for start in range(0, options.entities, BATCH):
            stop = min(start + BATCH, options.entities)
            index.apply(points(start, stop, embedder.model_id, embedder.dim))
        vectors = dict(zip(warm + asked, embedder.embed(warm + asked), strict=True))

        def bare(text: str) -> object:
            queries = [
                DenseQuery(DENSE_VECTOR, vectors[text]),
                SparseQuery(SPARSE_VECTOR, query_vector(text)),
            ]
            return index.search(queries, conditions=(), limit=HITS)

        def embed(text: str) -> object:
            return embedder.embed([text])

        for call in (bare, embed):
            milliseconds(call, warm)
        engine, model = milliseconds(bare, asked), milliseconds(embed, asked)
        index.close()

        with SearchProcess(home, env) as service:
            session = requests.Session()

            def ask(text: str, **params: str) -> object:
                answer = session.get(
                    f"{service.url}/search/semantic", params={"q": text, **params}, timeout=30
                )
                assert answer.status_code == 200, answer.text
                return answer.json()

            milliseconds(ask, warm)
            whole = milliseconds(ask, asked)
            filtered = milliseconds(lambda text: ask(text, filter="platform:eq:postgres"), asked)

        print(f"{options.entities:,} entities, {len(asked)} distinct questions, one client")
        show("one question embedded (one thread)", model)
        show("the engine's two searches", engine)
        show("GET /search/semantic", whole)
        show("GET /search/semantic, with a filter", filtered)
        floor = np.percentile(model, 95) + np.percentile(engine, 95)
        print(f"p95 over the sum of the first two: {np.percentile(whole, 95) / floor:.2f}")


if __name__ == "__main__":
    main()
