"""What a catalogue calls its things, ready to be found in a question. Pure.

Names are compared by one squeezed key (see `tokens.squeezed`): `Growth Analytics`,
`growth_analytics` and `growth analytics` are one name. A `Vocabulary` never changes; another state
of the catalogue is another vocabulary, and what both share is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

from dataspoke.core.documents.words import humanise
from dataspoke.core.urns import last_part
from dataspoke.search_service.parse.spelling import Speller
from dataspoke.search_service.parse.synonyms import ENVIRONMENTS, IDEAS, PLATFORMS
from dataspoke.search_service.parse.tokens import fold_word, squeezed

_LONGEST_NAME = 8
_KINDS = ("platform", "env", "subtype", "container", "tag", "term", "owner", "domain", "consumer")
_NAMES_ITSELF = {"tag": "tag", "domain": "domain", "glossaryTerm": "term"}


class Label(NamedTuple):
    """A name by which entities are filtered; `kind` is the field of the filter."""

    kind: str
    name: str


class Asset(NamedTuple):
    """An entity that a question about lineage may name."""

    urn: str
    entity_type: str
    name: str


class Row(Protocol):
    """What of one entity the vocabulary needs; `search_service.roster` has it."""

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
    def env(self) -> str: ...
    @property
    def subtypes(self) -> Sequence[str]: ...
    @property
    def path(self) -> Sequence[str]: ...
    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def tag_names(self) -> Sequence[str]: ...
    @property
    def terms(self) -> Sequence[str]: ...
    @property
    def term_names(self) -> Sequence[str]: ...
    @property
    def owners(self) -> Sequence[str]: ...
    @property
    def owner_names(self) -> Sequence[str]: ...
    @property
    def domains(self) -> Sequence[str]: ...
    @property
    def domain_names(self) -> Sequence[str]: ...
    @property
    def consumers(self) -> Sequence[str]: ...
    @property
    def consumer_names(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Vocabulary:
    """Names by key. `parts` leads from one word of a person's or group's name to its labels,
    `aliases` from synonyms, `assets` from names and endings of qualified names."""

    labels: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)
    aliases: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)
    parts: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)
    assets: Mapping[str, tuple[Asset, ...]] = field(default_factory=dict)
    entity_types: frozenset[str] = frozenset()
    subtypes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    environments: int = 0
    longest: int = 1
    words: frozenset[str] = frozenset()
    label_speller: Speller = field(default_factory=lambda: Speller(()))
    word_speller: Speller = field(default_factory=lambda: Speller(()))

    def named(self, key: str) -> tuple[Label, ...]:
        """The labels of that name, else those of which it is a synonym."""
        return self.labels.get(key) or self.aliases.get(key, ())


def vocabulary_of(rows: Iterable[Row]) -> Vocabulary:
    """The vocabulary of a catalogue. Some microseconds an entity."""
    assets: dict[str, tuple[Asset, ...]] = {}
    words: set[str] = set()
    types: set[str] = set()
    seen: dict[str, set[Sequence[str]]] = {kind: set() for kind in _KINDS}
    urns: dict[str, set[Sequence[str]]] = {kind: set() for kind in _KINDS}
    for row in rows:
        asset = _asset(row.urn, row.entity_type, row.name)
        types.add(row.entity_type)
        words.update(_words_of(row.name))
        for key in _asset_keys(row.name, row.qualified_name):
            before = assets.get(key)
            assets[key] = (*before, asset) if before else (asset,)
        seen["platform"].add((row.platform,))
        seen["env"].add((row.env,))
        seen["subtype"].add(row.subtypes)
        seen["container"].add(row.path)
        seen["tag"].add(row.tag_names)
        seen["term"].add(row.term_names)
        seen["owner"].add(row.owner_names)
        seen["domain"].add(row.domain_names)
        seen["consumer"].add(row.consumer_names)
        urns["tag"].add(row.tags)
        urns["term"].add(row.terms)
        urns["owner"].add(row.owners)
        urns["domain"].add(row.domains)
        urns["consumer"].add(row.consumers)
        if kind := _NAMES_ITSELF.get(row.entity_type):
            seen[kind].add((row.name,))
    labels = {Label(kind, x) for kind, lists in seen.items() for names in lists for x in names if x}
    labels |= {
        Label(kind, last_part(urn))
        for kind, lists in urns.items()
        for each in lists
        for urn in each
    }
    return _vocabulary(frozenset(labels), assets, frozenset(types), frozenset(words))


def _vocabulary(
    labels: frozenset[Label],
    assets: Mapping[str, tuple[Asset, ...]],
    types: frozenset[str],
    words: frozenset[str],
) -> Vocabulary:
    named = _by_key(sorted(labels))
    aliases = _aliases(named)
    words |= {word for label in labels for word in _words_of(label.name)}
    return Vocabulary(
        labels=named,
        aliases=aliases,
        parts=_parts(sorted(labels)),
        assets=assets,
        entity_types=types,
        subtypes=frozenset(fold_word(x.name) for x in labels if x.kind == "subtype"),
        kinds=frozenset(label.kind for label in labels),
        environments=sum(label.kind == "env" for label in labels),
        longest=_LONGEST_NAME,
        words=words,
        label_speller=_speller(frozenset(named) | frozenset(aliases)),
        word_speller=_speller(frozenset(word for word in words if len(word) > 3)),
    )


@lru_cache(maxsize=8)
def _speller(words: frozenset[str]) -> Speller:
    return Speller(words)


@lru_cache(maxsize=500_000)
def _asset(urn: str, entity_type: str, name: str) -> Asset:
    return Asset(urn, entity_type, name)


@lru_cache(maxsize=500_000)
def key_of(name: str) -> str:
    """The key of a name as a whole."""
    return squeezed([fold_word(name)])


@lru_cache(maxsize=500_000)
def _words_of(name: str) -> tuple[str, ...]:
    return tuple(word for word in humanise(name).split() if not word.isdecimal())


@lru_cache(maxsize=500_000)
def _asset_keys(name: str, qualified_name: str) -> tuple[str, ...]:
    steps = qualified_name.split(".")
    endings = [".".join(steps[at:]) for at in range(max(1, len(steps) - 1))]
    keys = dict.fromkeys(key_of(each) for each in (name, *endings))
    return tuple(key for key in keys if key)


def _by_key(labels: Iterable[Label]) -> dict[str, tuple[Label, ...]]:
    """Labels that differ in case or spacing alone share a key; of one kind all are kept."""
    found: dict[str, dict[Label, None]] = {}
    for label in labels:
        if key := key_of(label.name):
            found.setdefault(key, {})[label] = None
    return {key: tuple(kept) for key, kept in found.items()}


def _aliases(named: Mapping[str, tuple[Label, ...]]) -> dict[str, tuple[Label, ...]]:
    """Synonyms of the labels that are there; a name of the catalogue itself is never one."""
    found: dict[str, tuple[Label, ...]] = {}
    tables = ((IDEAS, ("tag", "term")), (PLATFORMS, ("platform",)), (ENVIRONMENTS, ("env",)))
    for groups, kinds in tables:
        for group in groups:
            keys = [key_of(word) for word in group]
            there = [
                label
                for key in keys
                for variant in (key, f"contains{key}", f"{key}data", f"has{key}")
                for label in named.get(variant, ())
                if label.kind in kinds
            ]
            if there:
                best = tuple(label for label in there if label.kind == there[0].kind)[:1]
                for key in keys:
                    found.setdefault(key, best)
    return found


def _parts(labels: Iterable[Label]) -> dict[str, tuple[Label, ...]]:
    """By one or more leading words, or one word, of names of people and groups."""
    found: dict[str, dict[Label, None]] = {}
    for label in labels:
        if label.kind in ("owner", "consumer", "domain"):
            split = humanise(label.name).split()
            beginnings = ["".join(split[:length]) for length in range(1, len(split))]
            for part in {*split, *beginnings} if len(split) > 1 else ():
                if len(part) > 2:
                    found.setdefault(squeezed([part]), {})[label] = None
    return {key: tuple(kept) for key, kept in found.items()}
