"""Whether people who know what they look for find it first: exact names, with and without a place.

    python benchmarks/search_navigation.py FOLDER [--model hash]

FOLDER as for search_quality.py. Each entity is asked for in every way that names it and no other;
a copy of it (`documents.copies`) counts as itself. Exact names need no model of meaning: the hash
embedder, the default, gives the lower bound. Also tells how many plain questions are taken for
names.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from search_quality import fill, read

from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.embedder import load_embedder
from dataspoke.core.index.spec import spec_for
from dataspoke.search_service.parse.vocabulary import Vocabulary, vocabulary_of
from dataspoke.search_service.retrieve import Searcher
from dataspoke.search_service.roster import Roster, RosterRow
from dataspoke.search_service.understand import Question, answer_to

WAYS: Mapping[str, Callable[[RosterRow], str]] = {
    "name": lambda row: row.name,
    "name in capitals": lambda row: row.name.upper(),
    "name with spaces": lambda row: row.name.replace("_", " "),
    "name with dashes": lambda row: row.name.replace("_", "-"),
    "name in prod": lambda row: f"{row.name} in prod",
    "platform and name": lambda row: f"{row.platform} {row.name}",
    "container and name": lambda row: f"{row.path[-1]} {row.name}" if row.path else row.name,
    "qualified name": lambda row: row.qualified_name,
    "qualified name in capitals": lambda row: row.qualified_name.upper(),
    "prod.qualified name": lambda row: f"prod.{row.qualified_name}",
    "urn": lambda row: row.urn,
    "urn in capitals": lambda row: row.urn.upper(),
}


def measure(
    searcher: Searcher,
    vocabulary: Vocabulary,
    rows: list[RosterRow],
    way: Callable[[RosterRow], str],
    every: int,
) -> None:
    asked = Counter(way(row).casefold() for row in rows)
    wanted = [row for row in rows if asked[way(row).casefold()] == 1][::every]
    group_of = {row.urn: row.copies_key for row in rows}
    started = time.perf_counter()
    missed = []
    for row in wanted:
        question = Question(way(row), limit=1)
        hits = answer_to(question, searcher, vocabulary, datetime.now(UTC)).answer.hits
        if not hits or group_of[hits[0].urn] != row.copies_key:
            missed.append(way(row))
    took = (time.perf_counter() - started) / max(1, len(wanted)) * 1000
    share = 100 * (1 - len(missed) / max(1, len(wanted)))
    print(f"  hit@1 {share:6.2f}   {len(wanted)} asked, {took:.1f} ms each", missed[:3] or "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="hash")
    parser.add_argument("--every", type=int, default=1, help="ask for each N-th entity only")
    arguments = parser.parse_args()
    embedder = load_embedder(arguments.model)
    with tempfile.TemporaryDirectory() as home:
        index = EdgeIndex.open(Path(home), spec_for(embedder), now_ms=0)
        fill(index, read(arguments.folder / "entities.jsonl.gz"), embedder)
        roster = Roster(index)
        roster.refresh()
        searcher = Searcher(index, roster, embedder)
        rows = sorted(roster.facts(), key=lambda row: row.urn)
        vocabulary = vocabulary_of(rows)
        for label, way in WAYS.items():
            print(f"{label:<28}", end="", flush=True)
            measure(searcher, vocabulary, rows, way, arguments.every)
        questions = read(arguments.folder / "queries.jsonl.gz")
        named = sum(bool(searcher.exactly_named(one["query"], ())) for one in questions)
        print(f"plain questions taken for names: {named} of {len(questions)}")
        searcher.close()
        index.close()


if __name__ == "__main__":
    main()
