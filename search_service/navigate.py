"""When a question is a name: exact names, qualified names and urns, with or without a place. Pure.

`orders`, `SALES.ORDERS`, `sales orders`, `snowflake orders`, `orders in prod` and the urn all name
a table. A run of the words typed must be the name (or an ending of the qualified name), and every
other word must say where that entity lies or what it is; so a plain question is no name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

from dataspoke.core.documents.copies import environments_in
from dataspoke.core.documents.keys import fold, key, squeezed

_MOST_WORDS = 20
_WORD = re.compile(r"[^\W_]+")
_STEP = re.compile(r"[\s.]+")
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"
_FILLERS = frozenset({"a", "at", "called", "from", "in", "named", "of", "on", "the"})

_ENVIRONMENTS = {
    "PROD": "prod production prd live",
    "PRD": "prod production prd live",
    "DEV": "dev development",
    "STG": "stg stage staging",
    "TEST": "test testing tst",
    "TST": "test testing tst",
    "QA": "qa",
    "UAT": "uat",
    "EI": "ei",
    "PRE": "pre preprod",
    "NON_PROD": "nonprod",
    "SBX": "sandbox sbx",
}
_PRODUCTION = frozenset({"prod", "production", "prd", "live"})
_TYPES = {
    "dataset": "dataset table view topic",
    "container": "container database schema bucket folder",
    "chart": "chart",
    "dashboard": "dashboard report",
    "dataFlow": "pipeline flow dag",
    "dataJob": "job task",
    "glossaryTerm": "term glossary",
    "glossaryNode": "term group glossary",
    "tag": "tag",
    "domain": "domain",
    "dataProduct": "data product",
    "mlModel": "model ml",
    "document": "document doc page",
}
_PLATFORMS = {"postgres": "postgresql", "mssql": "sqlserver sql server", "bigquery": "bq"}

# Of equal names: production, then what is not deprecated, then what is used, then the question.
_IN_PRODUCTION, _CURRENT, _USED, _DATASET, _FOUND = 0.5, 0.25, 0.14, 0.06, 0.05
_HALF_USED = 100


class Named(Protocol):
    """What is known of an entity, as the payload has it (`documents.model`)."""

    @property
    def urn(self) -> str: ...
    @property
    def entity_type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def qualified_name(self) -> str: ...
    @property
    def platform(self) -> str: ...
    @property
    def platform_instance(self) -> str: ...
    @property
    def env(self) -> str: ...
    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def subtypes(self) -> tuple[str, ...]: ...
    @property
    def deprecated(self) -> bool: ...
    @property
    def usage(self) -> int: ...


@dataclass(frozen=True)
class Typed:
    """A question as far as it may be a name."""

    text: str

    @cached_property
    def folded(self) -> str:
        return fold(self.text.strip().strip(_QUOTES))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All words in order, or none where there are too many for a name."""
        words = tuple(_WORD.findall(self.folded))
        return words if len(words) <= _MOST_WORDS else ()

    @cached_property
    def steps(self) -> str:
        """The parts between white space and dots, with dots between and around them."""
        return f".{'.'.join(_STEP.split(self.folded))}."

    @cached_property
    def runs(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Each run of words without gaps, and where it stands; runs of fillers alone are none."""
        found: dict[str, list[tuple[int, int]]] = {}
        for start in range(len(self.words)):
            for end in range(start + 1, len(self.words) + 1):
                if not _FILLERS.issuperset(self.words[start:end]):
                    found.setdefault("".join(self.words[start:end]), []).append((start, end))
        return {run: tuple(spans) for run, spans in found.items()}

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which keys (`documents.keys`) the entities meant may be found."""
        whole = (key("name", self.folded), key("urn", self.folded))
        runs = (key(kind, run) for run in self.runs for kind in ("name", "bare"))
        return (*whole, *runs)


@dataclass(frozen=True, slots=True)
class Exact:
    """`field` says which part of an entity the whole question is: `urn`, `qualified name`, `name`,
    `name and place`, or nothing; `level` orders how literally so, 0 for not at all."""

    field: str = ""
    level: int = 0


def exactness(typed: Typed, entity: Named) -> Exact:
    """A literal name comes before one with other separators, and a name before name and place."""
    if typed.folded == fold(entity.urn):
        return Exact("urn", 8)
    if typed.folded == fold(entity.qualified_name) and "." in typed.folded:
        return Exact("qualified name", 7)
    name, endings = fold(entity.name), _endings(entity)
    if typed.folded == name or typed.folded in endings:
        return Exact("name", 6)
    bare = {squeezed(name), *map(squeezed, endings)}
    spans = [span for run in typed.runs.keys() & bare for span in typed.runs[run]]
    if any(end - start == len(typed.words) for start, end in spans):
        return Exact("name", 5)
    if not spans:
        return Exact()
    place = _place(entity) | _FILLERS
    if any(place.issuperset((*typed.words[:start], *typed.words[end:])) for start, end in spans):
        told = [ending for ending in (name, *endings) if f".{ending}." in typed.steps]
        dotted = any("." in ending for ending in told)
        return Exact("name and place", 1 + bool(told) + dotted + (dotted and endings[0] in told))
    return Exact()


def navigated(exact: Exact, entity: Named, score: float) -> float:
    """The final score of an entity, from its score (0…1) among all and what is exact of it.

    Levels never overlap; within one, entities are ordered as said above.
    """
    if not exact.level:
        return score
    return (
        1
        + exact.level
        + _IN_PRODUCTION * in_production(entity.env, entity.path)
        + _CURRENT * (not entity.deprecated)
        + _USED * entity.usage / (entity.usage + _HALF_USED)
        + _DATASET * (entity.entity_type == "dataset")
        + _FOUND * min(1.0, score)
    )


@lru_cache(maxsize=50_000)
def in_production(env: str, path: tuple[str, ...]) -> bool:
    """Neither the environment nor a database named after one says otherwise."""
    named = set(environments_in(path))
    return env in ("PROD", "PRD", "") and named <= _PRODUCTION


def _endings(entity: Named) -> tuple[str, ...]:
    parts = fold(entity.qualified_name).split(".")
    return tuple(".".join(parts[start:]) for start in range(max(1, len(parts) - 1)))


def _place(entity: Named) -> set[str]:
    """The words that may say where an entity lies or what it is."""
    told = (
        entity.platform,
        _PLATFORMS.get(entity.platform, ""),
        entity.platform_instance,
        _ENVIRONMENTS.get(entity.env, entity.env),
        _TYPES.get(entity.entity_type, ""),
        *entity.path,
        *entity.subtypes,
        *fold(entity.qualified_name).split(".")[:-1],
    )
    return {word for text in told for word in _words_of(text)}


@lru_cache(maxsize=20_000)
def _words_of(text: str) -> tuple[str, ...]:
    return tuple(_distinct((*_WORD.findall(text.casefold()), squeezed(text))))


def _distinct(words: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(word for word in words if word)
