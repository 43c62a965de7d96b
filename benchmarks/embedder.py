"""How many texts per second our embedder takes, and torch if it is installed.

    python benchmarks/embedder.py [--texts 512] [--rounds 3] [--model NAME] [--threads N]

The texts are renderings of made-up tables, of 15 to 250 word pieces. Prints the best and the
median round; the machine should do nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence

from dataspoke.core.index.embedder import load_embedder
from dataspoke.core.index.models import find_model
from dataspoke.core.settings import DEFAULT_MODEL

_NOUNS = ("customer", "order", "invoice", "payment", "shipment", "address", "product", "stock")
_PARTS = ("id", "name", "created_at", "amount", "status", "code", "total", "email", "type", "note")


def make_texts(count: int, *, seed: int = 7) -> list[str]:
    """Texts like those of vector sync: name, place, description, columns."""
    chance = random.Random(seed)
    texts = []
    for number in range(count):
        noun = chance.choice(_NOUNS)
        columns = ", ".join(
            f"{chance.choice(_NOUNS)} {chance.choice(_PARTS)}".replace("_", " ")
            for _ in range(chance.randint(3, 60))
        )
        description = f"One row per {noun} and {chance.choice(_NOUNS)} of the shop. "
        texts.append(
            f"{noun} {chance.choice(_PARTS)} {number}. table in warehouse sales. "
            f"{description * chance.randint(0, 3)}{columns}"
        )
    return texts


def measure(embed: Callable[[list[str]], object], texts: list[str], rounds: int) -> Sequence[float]:
    """Texts per second of each round, after a warm-up."""
    embed(texts[:32])
    speeds = []
    for _ in range(rounds):
        started = time.perf_counter()
        embed(texts)
        speeds.append(len(texts) / (time.perf_counter() - started))
    return speeds


def report(name: str, speeds: Sequence[float]) -> None:
    best, middle = max(speeds), statistics.median(speeds)
    print(f"{name:<28} best {best:7.1f} texts/s   median {middle:7.1f} texts/s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    texts = make_texts(options.texts)
    embedder = load_embedder(options.model, threads=options.threads, progress=print)
    report("ours (ONNX Runtime)", measure(embedder.embed, texts, options.rounds))
    queries = [text[:40] for text in texts[:64]]
    one_by_one = measure(lambda some: [embedder.embed([text]) for text in some], queries, 3)
    report("ours, one query at a time", one_by_one)
    report("hash", measure(load_embedder("hash").embed, texts, options.rounds))
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ModuleNotFoundError:
        print("torch is not installed: no comparison")
        return
    if options.threads:
        torch.set_num_threads(options.threads)
    model = SentenceTransformer(str(find_model(options.model).folder), device="cpu")
    report("sentence-transformers, torch", measure(model.encode, texts, options.rounds))


if __name__ == "__main__":
    main()
