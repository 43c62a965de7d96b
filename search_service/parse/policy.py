"""When a name or a noun without a clear cue is a condition. Pure.

A platform's name means nothing else. A tag's may: "gold" is a condition before "tables", and a
metal in "gold prices". What is doubtful stays part of what is searched for.
"""

from __future__ import annotations

from collections.abc import Sequence

from dataspoke.search_service.parse import cues
from dataspoke.search_service.parse.names import Listed
from dataspoke.search_service.parse.rest import is_scaffold
from dataspoke.search_service.parse.synonyms import CLEAR_TYPES, ORDINARY_NAMES, SUBTYPES, TYPES
from dataspoke.search_service.parse.tokens import Token, singular, word_set
from dataspoke.search_service.parse.vocabulary import Vocabulary

_ONES = word_set("ones data assets things stuff records entities items objects material")
_DETERMINERS = word_set(
    "which what a an any every each the all find show list no this that other single"
)
_SURE_ARE = ("is", "are", "only", "just", "deemed", "considered")
_NOUNS = {
    tuple(noun.split("_")): (("entity_type", entity_type), noun)
    for entity_type, nouns in TYPES.items()
    for noun in nouns.split()
} | {
    (noun,): (("subtype", subtype), noun)
    for subtype, nouns in SUBTYPES.items()
    for noun in nouns.split()
}
_LONGEST_NOUN = max(map(len, _NOUNS))


class Policy:
    """Judges places of one question."""

    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
        self._tokens = tokens
        self._vocabulary = vocabulary

    def end_of(self, listed: Listed) -> int:
        """After a label of a tag that was said with "data": `PII data`."""
        if self._word(listed.end) in ("data", "information", "level", "tier"):
            return listed.end + (listed.kind in ("tag", "term"))
        return listed.end

    def bare(self, listed: Listed, at: int, *, denied: bool) -> bool:
        """Whether names that no cue announces are a condition."""
        typed = self._typed(listed)
        if listed.noun:
            return True
        if listed.kind == "platform":
            return typed not in ORDINARY_NAMES or denied or self._before_noun(listed.end)
        if listed.kind == "env":
            return self._vocabulary.environments > 1 and self._before_noun(listed.end)
        if listed.kind == "term" and listed.sure == 1.0:
            return False
        if listed.sure < 0.9 and len(typed) < 6:
            return False
        return (
            denied
            or self._plain(listed, typed)
            or self._before_noun(listed.end)
            or (self._head(at) and self._ends(listed.end))
        )

    def after_weak_cue(self, listed: Listed, at: int) -> bool:
        """Whether names after "in", "with", "for" and the like are a condition."""
        typed = self._typed(listed)
        ends = self._ends(listed.end)
        if listed.kind == "platform":
            return listed.sure > 0.9 or len(typed) > 5
        if listed.kind == "env":
            return self._vocabulary.environments > 1 and ends
        if listed.kind == "domain":
            return ends and self._place(at) and listed.sure == 1.0
        if listed.kind == "container":
            return self._container(listed) and ends
        if listed.sure < 0.9 and len(typed) < 6:
            return False
        said = self._word(listed.items[0].start - 1) in _SURE_ARE
        return said or self._plain(listed, typed) or (ends and listed.kind == "tag")

    def _container(self, listed: Listed) -> bool:
        """A name that looks like an identifier."""
        item = listed.items[0]
        surface = self._tokens[item.start].text
        return listed.sure == 1.0 and any(char in surface for char in "_.0123456789")

    def _place(self, at: int) -> bool:
        words = {self._word(at), self._word(at + 1)}
        return bool(words & {"in", "from", "under", "within", "inside", "across", "of", "for",
                             "belonging", "part", "belong", "belongs"})  # fmt: skip

    def _plain(self, listed: Listed, typed: str) -> bool:
        """Names that are no ordinary words: acronyms, several words, words with digits."""
        for item in listed.items:
            name = item.labels[0].name
            words = item.end - item.start
            acronym = name.isupper() and 1 < len(name) < 7
            if not (acronym or words > 1 or any(c.isdigit() for c in name)) and item.sure > 0.9:
                return False
            if item.sure < 1.0 and words == 1 and typed in ORDINARY_NAMES:
                return False
            if item.sure == 0.95 and words == 1 and typed.isalpha() and len(typed) > 5:
                return False
        return True

    def _typed(self, listed: Listed) -> str:
        item = listed.items[0]
        return " ".join(token.word for token in self._tokens[item.start : item.end])

    def _word(self, at: int) -> str:
        return self._tokens[at].word if 0 <= at < len(self._tokens) else ""

    def _before_noun(self, at: int) -> bool:
        """Whether a noun of kind follows, perhaps after other labels: `gold snowflake tables`."""
        for ahead in range(at, min(at + 4, len(self._tokens))):
            if self._noun(ahead) or self._word(ahead) in _ONES:
                return True
            key = singular(self._word(ahead))
            labels = self._vocabulary.named(key)
            if self._word(ahead) not in ("and", "or", ",", "non") and not any(
                label.kind in ("platform", "tag", "env") for label in labels
            ):
                return False
        return False

    def _ends(self, at: int) -> bool:
        """Whether what follows is no further word of the same noun phrase."""
        word = self._word(at)
        if not word or is_scaffold(word) or word in (",", ":"):
            return True
        if self._noun(at) or word in cues.GROUP_NOUNS:
            return True
        followers = (cues.OWNED_BY, cues.USED_BY, cues.TAGGED, cues.LOCATED, cues.NOT, cues.NONE_OF,
                     cues.UPSTREAM, cues.DOWNSTREAM, cues.LEFT_OUT, cues.HOLDING)  # fmt: skip
        changed = ("updated", "modified", "changed", "touched", "refreshed", "untouched", "stale")
        return word in changed or any(cue.match(self._tokens, at) for cue in followers)

    def deprecated(self, at: int, *, denied: bool) -> bool:
        """`deprecated tables` where the catalogue has the flag and no such tag."""
        if self._word(at) not in cues.DEPRECATED:
            return False
        said = self._word(at - 1) in _SURE_ARE
        return denied or said or self._before_noun(at + 1) or len(self._tokens) == 1

    def passes_negation(self, word: str) -> bool:
        """Whether "not" still counts after this word."""
        return is_scaffold(word) or word in cues.GROUP_NOUNS or word in _ONES

    def entity_type(self, at: int, *, denied: bool) -> tuple[str, str, int] | None:
        """Field, value and end of a noun of kind that limits the answer."""
        found = self._noun(at)
        if found is None:
            return None
        field, value, noun, end = found
        plural = noun.endswith("s")
        clear = singular(noun) in CLEAR_TYPES
        before = self._word(at - 1)
        framed = at == 0 or before in _DETERMINERS or denied
        framed = framed or bool(self._vocabulary.named(singular(before)))
        if field == "subtype" and value not in self._vocabulary.subtypes:
            field, value, clear = "entity_type", "dataset", False
        if field == "entity_type" and (
            value not in self._vocabulary.entity_types or len(self._vocabulary.entity_types) < 2
        ):
            return None
        if clear and plural:
            return field, value, end
        if clear and framed and self._ends(end):
            return field, value, end
        if plural and self._head(at) and self._ends(end) and self._word(end) != "of":
            return field, value, end
        return None

    def _head(self, at: int) -> bool:
        return all(is_scaffold(token.word) for token in self._tokens[:at])

    def _noun(self, at: int) -> tuple[str, str, str, int] | None:
        for length in range(_LONGEST_NOUN, 0, -1):
            words = tuple(token.word for token in self._tokens[at : at + length])
            if len(words) == length and words in _NOUNS:
                (field, value), noun = _NOUNS[words]
                return field, value, noun, at + length
        return None
