"""How well plain questions find their tables: dense only, words only, and as the service does.

    python benchmarks/search_quality.py FOLDER [--model all-MiniLM-L6-v2] [--sweep]

FOLDER holds `entities.jsonl.gz` and `queries.jsonl.gz`, and optionally the same with the prefix
`gov_`. Every entity goes the product's own way: snapshot, document, embedded index, search.
Figures are per cent, MACRO: per source of questions, then averaged over the sources.
The `gov_` questions state conditions; they also go through the parser, as the service does it, and
are shown by kind: P@min(10, gold), results that break a condition, and empty answers.
`--sweep` also tries other weights over the same candidate lists, `--misses` prints each question
that fell short.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataspoke.core.documents.model import DENSE_VECTOR, SPARSE_VECTOR
from dataspoke.core.documents.render import render
from dataspoke.core.entities import Column, EntitySnapshot
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.embedder import Embedder, load_embedder
from dataspoke.core.index.model import Hashes, UpsertPoint
from dataspoke.core.index.spec import spec_for
from dataspoke.core.index.views import blend, distinct_texts
from dataspoke.search_service.fusion import Weights
from dataspoke.search_service.parse.vocabulary import vocabulary_of
from dataspoke.search_service.retrieve import Lists, Searcher, rank, without_copies
from dataspoke.search_service.roster import Roster, RosterRow
from dataspoke.search_service.understand import Question, answer_to

Json = dict[str, Any]

GOV_NOW = datetime(2026, 11, 1, tzinfo=UTC)
"""The day of the governance questions."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the index offers for one question, and what its ids stand for."""

    found: Lists
    exact: list[str]
    rows: Mapping[str, RosterRow]

    def urns(self, name: str) -> list[str]:
        return [self.rows[id_].urn for id_, _ in self.found.get(name, ())]


def read(path: Path) -> list[Json]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def to_snapshot(entity: Json) -> EntitySnapshot:
    """A line of `entities` as DataHub would hold it."""
    names: dict[str, str] = {}

    def refs(kind: str, values: Sequence[str]) -> tuple[str, ...]:
        urns = tuple(f"urn:li:{kind}:{value}" for value in values)
        names.update(zip(urns, values, strict=True))
        return urns

    container = refs("container", [entity["database"]] if entity["database"] else [])
    modified = entity.get("last_modified")
    return EntitySnapshot(
        urn=entity["urn"],
        entity_type=entity["type"],
        name=entity.get("display_name") or entity["name"],
        qualified_name=entity["qualified_name"],
        description=entity["description"],
        platform=entity["platform"],
        env="PROD",
        container=next(iter(container), ""),
        containers=container,
        columns=tuple(
            Column(c["name"], c["type"], c["description"], refs("tag", c.get("tags", ())))
            for c in entity["columns"]
        ),
        tags=refs("tag", entity["tags"]),
        terms=refs("glossaryTerm", entity["glossary_terms"]),
        owners=refs("corpGroup", entity["owners"]),
        domains=refs("domain", [entity["domain"]] if entity["domain"] else []),
        upstreams=tuple(entity["upstreams"]),
        consumers=refs("corpGroup", entity.get("consumers", ())),
        last_modified=datetime.fromisoformat(modified).replace(tzinfo=UTC) if modified else None,
        names=names,
    )


def fill(index: EdgeIndex, entities: Sequence[Json], embedder: Embedder) -> None:
    documents = [render(to_snapshot(entity), model_id=embedder.model_id) for entity in entities]
    blended = blend(documents, embedder.embed(distinct_texts(documents)))
    for start in range(0, len(documents), 500):
        index.apply(
            [
                UpsertPoint(
                    urn=documents[i].urn,
                    hashes=Hashes(documents[i].content_hash, documents[i].payload_hash),
                    dense=blended[i],
                    sparse=documents[i].sparse,
                    payload=documents[i].payload,
                    version=1,
                )
                for i in range(start, min(start + 500, len(documents)))
            ]
        )


def ask(searcher: Searcher, rows: Mapping[str, RosterRow], question: str) -> Asked:
    found, _ = searcher.candidates(question, ())
    return Asked(found, searcher.exactly_named(question, ()), rows)


def figures(ranking: Sequence[str], gold: Sequence[Sequence[str]]) -> dict[str, float]:
    """hit@1, R@10, full@10, MRR@10, nDCG@10, P@min(10, gold) of one question."""
    group_of = {urn: at for at, group in enumerate(gold) for urn in group}
    first: dict[int, int] = {}
    for place, urn in enumerate(ranking[:10]):
        if urn in group_of:
            first.setdefault(group_of[urn], place)
    gain = sum(1 / math.log2(place + 2) for place in first.values())
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(gold))))
    depth = min(10, len(gold))
    return {
        "hit@1": float(bool(ranking) and ranking[0] in group_of),
        "R@10": len(first) / len(gold),
        "full@10": float(len(first) == len(gold)),
        "MRR@10": 1 / (1 + min(first.values())) if first else 0.0,
        "nDCG@10": gain / ideal,
        "P@k": sum(urn in group_of for urn in ranking[:depth]) / depth,
    }


def macro(
    asked: Sequence[tuple[Json, Asked]], ranking_of: Callable[[Json, Asked], Sequence[str]], by: str
) -> dict[str, float]:
    groups: dict[str, list[dict[str, float]]] = {}
    for query, lists in asked:
        groups.setdefault(query[by], []).append(figures(ranking_of(query, lists), query["gold"]))
    names = next(iter(groups.values()))[0]
    return {
        name: 100
        * sum(sum(row[name] for row in rows) / len(rows) for rows in groups.values())
        / len(groups)
        for name in names
    }


def fused_by(weights: Weights) -> Callable[[Json, Asked], list[str]]:
    def ranking(query: Json, lists: Asked) -> list[str]:
        ranked = rank(query["query"], lists.found, lists.exact, lists.rows, weights)
        return [candidate.row.urn for candidate in without_copies(ranked)]

    return ranking


SYSTEMS: Mapping[str, Callable[[Json, Asked], Sequence[str]]] = {
    "dense only": lambda query, lists: lists.urns(DENSE_VECTOR),
    "words only": lambda query, lists: lists.urns(SPARSE_VECTOR),
    "as the service": fused_by(Weights()),
}


def grid() -> Iterator[Weights]:
    for meaning in (0.3, 0.4, 0.5):
        for characters in (0.1, 0.2, 0.3):
            for container in (0.0, 0.3, 0.5, 0.6, 0.7):
                words = round(1 - meaning - characters, 2)
                yield Weights(meaning, words, characters, container)


def answered(
    searcher: Searcher,
    roster: Roster,
    entities: Sequence[Json],
    queries: Sequence[Json],
    *,
    misses: bool,
) -> None:
    """The questions as the service answers them, by kind."""
    vocabulary = vocabulary_of(roster.facts())
    by_urn = {entity["urn"]: entity for entity in entities}
    by_kind: dict[str, list[dict[str, float]]] = {}
    for query in queries:
        understood = answer_to(Question(query["query"]), searcher, vocabulary, GOV_NOW)
        urns = [hit.urn for hit in understood.answer.hits]
        gold = {urn for group in query["gold"] for urn in group}
        broken = [urn for urn in urns if breaks(by_urn[urn], query["kind"], gold, by_urn)]
        row = {
            "P@k": figures(urns, query["gold"])["P@k"],
            "broken": len(broken) / len(urns) if urns else 0.0,
            "empty": float(not urns),
            "relaxed": float(any(each.relaxed for each in understood.applied)),
        }
        by_kind.setdefault(query["kind"], []).append(row)
        if misses and (row["P@k"] < 1 or broken):
            ids = [each.filter.id for each in understood.applied]
            print(f"  {query['query']!r} -> {understood.rest!r} {ids} {row}")

    def mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
        return {name: 100 * sum(row[name] for row in rows) / len(rows) for name in rows[0]}

    for kind, rows in sorted(by_kind.items()):
        show(f"{kind} ({len(rows)})", mean(rows))
    show(
        "with conditions read, mean of the kinds",
        mean(
            [{name: value / 100 for name, value in mean(rows).items()} for rows in by_kind.values()]
        ),
    )
    show(
        "with conditions read, all questions", mean([r for rows in by_kind.values() for r in rows])
    )


def breaks(entity: Json, kind: str, gold: set[str], by_urn: Mapping[str, Json]) -> bool:
    """Whether a result breaks what the question states: what all right answers share in the fields
    that its kind names. Where a kind has other conditions, only right answers keep them."""
    if entity["urn"] in gold:
        return False
    parts = kind.split("+")
    if any(part in ("time", "negation", "missing") or "lineage" in part for part in parts):
        return True
    fields = {"tag": "tags", "owner": "owners", "consumer": "consumers"}
    for part in parts:
        if part in fields:
            shared = set.intersection(*(labels(by_urn[urn], fields[part]) for urn in gold))
            if not shared <= labels(entity, fields[part]):
                return True
        elif part in ("platform", "domain") and entity[part] != by_urn[min(gold)][part]:
            return True
    return False


def labels(entity: Json, field: str) -> set[str]:
    found = set(entity.get(field, ()))
    if field == "tags":
        found |= {tag for column in entity.get("columns", ()) for tag in column.get("tags", ())}
    return found


def show(label: str, row: Mapping[str, float]) -> None:
    print(f"{label:<44}" + "".join(f"{name} {value:5.1f}   " for name, value in row.items()))


def measure(
    folder: Path, prefix: str, embedder: Embedder, by: str, *, sweep: bool, misses: bool
) -> None:
    entities = read(folder / f"{prefix}entities.jsonl.gz")
    queries = read(folder / f"{prefix}queries.jsonl.gz")
    with tempfile.TemporaryDirectory() as home:
        index = EdgeIndex.open(Path(home), spec_for(embedder), now_ms=0)
        started = time.perf_counter()
        fill(index, entities, embedder)
        filled = time.perf_counter()
        roster = Roster(index)
        roster.refresh()
        rows = {row.id: row for row in roster.facts()}
        searcher = Searcher(index, roster, embedder)
        asked = [(query, ask(searcher, rows, query["query"])) for query in queries]
        per_query = (time.perf_counter() - filled) / len(queries)
        print(
            f"\n{len(entities)} {prefix}entities indexed in {filled - started:.0f} s; "
            f"{len(queries)} questions, {per_query * 1000:.1f} ms each, MACRO by {by}"
        )
        for label, ranking_of in SYSTEMS.items():
            show(label, macro(asked, ranking_of, by))
        if sweep:
            for weights in grid():
                show(str(weights), macro(asked, fused_by(weights), by))
        if prefix:
            answered(searcher, roster, entities, queries, misses=misses)
        searcher.close()
        index.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--sweep", action="store_true", help="try other weights as well")
    parser.add_argument("--misses", action="store_true", help="print what fell short")
    parser.add_argument("--only", choices=("", "gov_"), help="one of the two sets of questions")
    arguments = parser.parse_args()
    embedder = load_embedder(arguments.model)
    for prefix, by in (("", "set"), ("gov_", "kind")):
        if arguments.only not in (None, prefix):
            continue
        if (arguments.folder / f"{prefix}queries.jsonl.gz").exists():
            measure(
                arguments.folder,
                prefix,
                embedder,
                by,
                sweep=arguments.sweep,
                misses=arguments.misses,
            )


if __name__ == "__main__":
    main()
