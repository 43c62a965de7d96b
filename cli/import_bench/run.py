"""Reading the file, writing to the hub in batches, telling how far it is."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from datahub.emitter.mcp import MetadataChangeProposalWrapper as Proposal

from dataspoke.cli.import_bench.mapping import Json, proposals
from dataspoke.core.errors import ConfigError

BATCH = 400


class Emitter(Protocol):
    """What is needed of DataHub's REST emitter."""

    def emit_mcps(self, mcps: list[Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Imported:
    """How many entities and aspects were written, and of which type."""

    entities: int
    aspects: int
    types: dict[str, int]


def read_lines(path: Path) -> list[Json]:
    """The entities of a file of JSON lines, gzipped or not. Raises ConfigError."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"Cannot read {path}: {exc}. Give a file of JSON lines, such as entities.jsonl.gz."
        ) from exc


def distinct(entities: Iterable[Json], *, now: datetime) -> Iterator[Proposal]:
    """All proposals in order; what several entities refer to is written once."""
    seen: set[tuple[str, str]] = set()
    for number, entity in enumerate(entities, start=1):
        try:
            made = list(proposals(entity, now=now))
        except (KeyError, TypeError, ValueError) as exc:
            raise ConfigError(
                f"Cannot import line {number}: {type(exc).__name__}: {exc}. Correct it."
            ) from exc
        for proposal in made:
            place = (str(proposal.entityUrn), str(proposal.aspectName))
            if proposal.entityUrn == entity["urn"] or place not in seen:
                seen.add(place)
                yield proposal


def write(
    entities: list[Json],
    emitter: Emitter | None,
    *,
    now: datetime,
    progress: Callable[[int], None],
) -> Imported:
    """Send everything; with no emitter only check and count. `progress` gets aspects written."""
    aspects = 0
    for batch in _batches(distinct(entities, now=now)):
        if emitter is not None:
            emitter.emit_mcps(batch)
        aspects += len(batch)
        progress(aspects)
    return Imported(len(entities), aspects, dict(Counter(str(one["type"]) for one in entities)))


def _batches(items: Iterable[Proposal]) -> Iterator[list[Proposal]]:
    batch: list[Proposal] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
