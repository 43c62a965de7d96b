"""Names of the catalogue at a place in a question: labels, lists of labels, assets. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dataspoke.search_service.parse.cues import (
    ARTICLES,
    GROUP_NOUNS,
    KIND_NOUNS,
)
from dataspoke.search_service.parse.rest import is_scaffold
from dataspoke.search_service.parse.spelling import distance
from dataspoke.search_service.parse.synonyms import TYPES
from dataspoke.search_service.parse.tokens import (
    Token,
    singular,
    squeezed,
    squeezed_letters,
    word_set,
)
from dataspoke.search_service.parse.vocabulary import Asset, Label, Vocabulary

_MOST_PARTIAL = 3
_MOST_ASSETS = 5
_MOST_COMPARED = 500
_SHORTEST_GUESS = 5
_LONGEST_GUESS = 30
_MOST_WORDS = 4
_OR = ("or", "nor")
_AND = ("and", "plus", "and/or")
_REPEATED = word_set("in on by from with at tagged owned used of the a an our either both")
_TYPE_OF = {
    noun.replace("_", ""): entity_type
    for entity_type, nouns in TYPES.items()
    for noun in nouns.split()
} | {"report": "dashboard", "view": "dataset", "model": "mlModel", "topic": "dataset"}


@dataclass(frozen=True, slots=True)
class Named:
    """Labels that the tokens from `start` to `end` name. `sure` is 1 for the name itself, less
    for a synonym, a part or a misspelling."""

    labels: tuple[Label, ...]
    start: int
    end: int
    sure: float = 1.0

    def of(self, kind: str) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels if label.kind == kind)


@dataclass(frozen=True, slots=True)
class Listed:
    """`A, B or C`: names of one kind, up to the token `end`."""

    kind: str
    items: tuple[Named, ...]
    any_of: bool
    end: int
    noun: bool

    @property
    def sure(self) -> float:
        return min(item.sure for item in self.items)


@dataclass(frozen=True, slots=True)
class NamedAssets:
    """`plain` says that the name could be an ordinary word: `orders`, not `stg_orders`, nor `the
    orders table`."""

    assets: tuple[Asset, ...]
    end: int
    sure: float = 1.0
    plain: bool = False


class Names:
    """Finds what the catalogue calls its things among the tokens of one question."""

    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
        self._tokens = tokens
        self._vocabulary = vocabulary
        self._letters = [squeezed_letters(token.word) for token in tokens]
        self._known = [self._known_keys(at) for at in range(len(tokens))]
        self._near: dict[int, list[tuple[int, str]]] = {}
        self._guesses: dict[int, NamedAssets | None] = {}

    def skip(self, at: int, words: Iterable[str]) -> int:
        while at < len(self._tokens) and self._tokens[at].word in words:
            at += 1
        return at

    def label(self, at: int, kinds: Sequence[str], *, guess: bool) -> Named | None:
        """The longest name of one of `kinds` at `at`; with `guess` also a part of the name of a
        person or group, or a misspelling."""
        exact = self._exact(at, kinds)
        if exact or not guess:
            return exact
        found = [self._part(at, kinds), self._misspelt(at, kinds)]
        return max((each for each in found if each), key=lambda each: each.end, default=None)

    def _exact(self, at: int, kinds: Sequence[str]) -> Named | None:
        for end, key in self._known_at(at):
            for table, sure in ((self._vocabulary.labels, 1.0), (self._vocabulary.aliases, 0.95)):
                labels = tuple(label for label in table.get(key, ()) if label.kind in kinds)
                if labels:
                    return Named(labels, at, end, sure)
        return None

    def _part(self, at: int, kinds: Sequence[str]) -> Named | None:
        for end, key in self._known_at(at):
            labels = [each for each in self._vocabulary.parts.get(key, ()) if each.kind in kinds]
            if 0 < len(labels) <= _MOST_PARTIAL:
                return Named(tuple(labels), at, end, 0.8)
        return None

    def _misspelt(self, at: int, kinds: Sequence[str]) -> Named | None:
        for end, near in self._near_keys(at):
            labels = tuple(x for x in self._vocabulary.named(near) if x.kind in kinds)
            if labels:
                return Named(labels, at, end, 0.8)
        return None

    def _unknown(self, start: int, end: int) -> bool:
        """Whether one of the words is none that the catalogue or the grammar knows."""
        known = self._vocabulary.words
        words = (token.word for token in self._tokens[start:end])
        return any(
            not is_scaffold(word) and word not in known and singular(word) not in known
            for word in words
        )

    def _keys(self, at: int, longest: int) -> Iterable[tuple[int, str]]:
        """The keys of the stretches that begin at `at`, longest first."""
        found: list[tuple[int, str]] = []
        joined = ""
        for end in range(at, min(len(self._tokens), at + longest)):
            if not self._letters[end]:
                break
            joined += self._letters[end]
            found.append((end + 1, singular(joined)))
        return reversed(found)

    def _known_at(self, at: int) -> list[tuple[int, str]]:
        return self._known[at] if at < len(self._known) else []

    def _known_keys(self, at: int) -> list[tuple[int, str]]:
        """Those keys that the catalogue has."""
        has = self._vocabulary
        return [
            (end, key)
            for end, key in self._keys(at, has.longest)
            if key in has.labels or key in has.aliases or key in has.parts or key in has.assets
        ]

    def _near_keys(self, at: int) -> list[tuple[int, str]]:
        """Keys of labels that are nearly what stands at `at`."""
        if at not in self._near:
            self._near[at] = [
                (end, near)
                for end, key in self._keys(at, _MOST_WORDS)
                if _SHORTEST_GUESS <= len(key) <= _LONGEST_GUESS and self._unknown(at, end)
                for near in self._vocabulary.label_speller.nearest(key)
            ]
        return self._near[at]

    def listed(self, at: int, kinds: Sequence[str], *, guess: bool) -> Listed | None:
        """Names that share a kind, the first of `kinds` that does, or the one said after them."""
        first = self._first(at, kinds, guess=guess)
        if first is None:
            return None
        items, any_of, end = [first], True, first.end
        while (following := self._next(end, kinds, guess=guess)) is not None:
            item, either = following
            if not any(label.kind in {x.kind for x in first.labels} for label in item.labels):
                break
            any_of = either if len(items) == 1 else any_of and either
            items.append(item)
            end = item.end
        return self._of_one_kind(items, kinds, any_of, end)

    def _first(self, at: int, kinds: Sequence[str], *, guess: bool) -> Named | None:
        """A name may begin with a word that else only leads to it: `Data Platform`."""
        start = self.skip(at, ARTICLES)
        for begin in range(at, start + 1):
            if found := self._exact(begin, kinds):
                return found
        return self.label(start, kinds, guess=guess)

    def _next(self, end: int, kinds: Sequence[str], *, guess: bool) -> tuple[Named, bool] | None:
        at = self.skip(end, GROUP_NOUNS)
        for noun in KIND_NOUNS.values():
            at += noun.match(self._tokens, at)
        comma = at < len(self._tokens) and self._tokens[at].word == ","
        at += comma
        word = self._tokens[at].word if at < len(self._tokens) else ""
        if not comma and word not in (*_OR, *_AND):
            return None
        at += word in (*_OR, *_AND)
        item = self.label(at, kinds, guess=False)
        item = item or self.label(self.skip(at, _REPEATED), kinds, guess=guess)
        return (item, word not in _AND) if item else None

    def _of_one_kind(
        self, items: Sequence[Named], kinds: Sequence[str], any_of: bool, end: int
    ) -> Listed | None:
        for kind, nouns in KIND_NOUNS.items():
            length = nouns.match(self._tokens, end)
            if length and all(item.of(kind) for item in items):
                return Listed(kind, tuple(items), any_of, end + length, noun=True)
        for kind in kinds:
            if all(item.of(kind) for item in items):
                return Listed(kind, tuple(items), any_of, end, noun=False)
        kept = [item for item in items[:1]]
        kind = kept[0].labels[0].kind
        return Listed(kind, tuple(kept), True, kept[0].end, noun=False)

    def asset(self, at: int, *, guess: bool) -> NamedAssets | None:
        """The entities named at `at`, and the token after the name and the noun that follows."""
        start = self.skip(at, ARTICLES)
        noun = self._type_at(start)
        for begin in dict.fromkeys((at, start, start + 1 if noun else start)):
            for end, key in self._known_at(begin):
                assets = self._vocabulary.assets.get(key)
                if assets:
                    return self._with_noun(assets, begin, end, noun if begin > start else "")
        if not guess:
            return None
        if at not in self._guesses:
            self._guesses[at] = self._guessed(start + bool(noun), noun)
        return self._guesses[at]

    def _with_noun(self, assets: tuple[Asset, ...], begin: int, end: int, noun: str) -> NamedAssets:
        after = self._type_at(end)
        wanted = after or noun
        kept = tuple(asset for asset in assets if asset.entity_type == wanted)
        coined = any(_is_coined(token.text) for token in self._tokens[begin:end])
        return NamedAssets(kept or assets, end + bool(after), plain=not (coined or kept))

    def _type_at(self, at: int) -> str:
        if at >= len(self._tokens):
            return ""
        word = self._tokens[at].word
        return _TYPE_OF.get(word) or _TYPE_OF.get(singular(word), "")

    def _guessed(self, at: int, noun: str) -> NamedAssets | None:
        """A misspelt name, or words that all stand in the names of a few entities."""
        stop = at
        while stop < len(self._tokens) and not self._ends(stop):
            stop += 1
        typed = [token.word for token in self._tokens[at:stop]]
        if not typed:
            return None
        wanted = self._type_at(stop) or noun
        end = stop + bool(self._type_at(stop))
        coined = any(_is_coined(token.text) for token in self._tokens[at:stop])
        if not coined and not wanted:
            return None
        near = self._nearly(squeezed(typed))
        if near:
            return NamedAssets(near, end, 0.7)
        assets = self._holding([squeezed([word]) for word in typed], wanted)
        return NamedAssets(assets, end, 0.6) if assets else None

    def _ends(self, at: int) -> bool:
        word = self._tokens[at].word
        return word in (",", ":") or is_scaffold(word) or bool(self._type_at(at))

    def _nearly(self, key: str) -> tuple[Asset, ...]:
        if len(key) < _SHORTEST_GUESS:
            return ()
        allowed = 1 if len(key) < 8 else 2
        half = len(key) // 2
        begin, finish, compared = key[:half], key[-half:], 0
        best: tuple[int, tuple[Asset, ...]] = (allowed + 1, ())
        for known, assets in self._vocabulary.assets.items():
            if not (known.startswith(begin) or known.endswith(finish)):
                continue  # one slip leaves one half as it was
            if abs(len(known) - len(key)) > allowed:
                continue
            compared += 1
            if compared > _MOST_COMPARED:
                break
            if (far := distance(key, known, allowed)) < best[0]:
                best = (far, assets)
        return best[1]

    def _holding(self, words: Sequence[str], entity_type: str) -> tuple[Asset, ...]:
        found: dict[Asset, None] = {}
        for known, assets in self._vocabulary.assets.items():
            if all(word in known for word in words):
                for asset in assets:
                    if not entity_type or asset.entity_type == entity_type:
                        found[asset] = None
                if len(found) > _MOST_ASSETS:
                    return ()
        return tuple(found)


def _is_coined(text: str) -> bool:
    """Whether a word is one that only a machine's name would be: `stg_orders`, `orderItems`."""
    if not any(char.isalpha() for char in text):
        return False
    return any(char in "_.0123456789" for char in text) or any(
        low.islower() and high.isupper() for low, high in pairwise(text)
    )
