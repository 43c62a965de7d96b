"""The readers of conditions, tried in turn at each word of a question. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dataspoke.search_service.filters import Filter
from dataspoke.search_service.parse import cues
from dataspoke.search_service.parse.lineage import LineageReader
from dataspoke.search_service.parse.names import Listed, Names
from dataspoke.search_service.parse.policy import Policy
from dataspoke.search_service.parse.said import Said
from dataspoke.search_service.parse.times import times_in
from dataspoke.search_service.parse.tokens import Token
from dataspoke.search_service.parse.vocabulary import Vocabulary

_GROUPS = ("owner", "consumer")
_MANY = ("tag", "term", "owner", "consumer")
_LABELS = ("platform", "tag", "term", "env", "domain", "container")
_EVERY = (*_LABELS, *_GROUPS)
_BREAKS = frozenset(("but", ",", "though", "however", "yet"))


@dataclass(frozen=True, slots=True)
class _Role:
    """After `cue` come names of `kinds`, the first kind preferred. `weak` cues, such as "with",
    need a name that is not an ordinary word."""

    cue: cues.Phrases
    kinds: tuple[str, ...]
    weak: bool = False


_ROLES = (
    _Role(cues.OWNED_BY, ("owner",)),
    _Role(cues.USED_BY, ("consumer",)),
    _Role(cues.TAGGED, ("tag", "term")),
    _Role(cues.LOCATED, ("platform", "env", "domain", "container"), weak=True),
    _Role(cues.HOLDING, ("tag", "term", "platform"), weak=True),
)


class Reader:
    """Reads one question."""

    def __init__(
        self, text: str, tokens: Sequence[Token], vocabulary: Vocabulary, now: datetime
    ) -> None:
        self._tokens = tokens
        self._vocabulary = vocabulary
        self._names = Names(tokens, vocabulary)
        self._policy = Policy(tokens, vocabulary)
        self._lineage = LineageReader(tokens, self._names)
        self._times = {self._token_at(said.start): said for said in times_in(text, now)}
        self._said: list[Said] = []
        self._not_from: int | None = None

    def read(self) -> list[Said]:
        """What is said, in the order of the question."""
        at = 0
        while at < len(self._tokens):
            taken = (
                self._time(at)
                or self._missing(at)
                or self._asked_who(at)
                or self._lineage_of(at)
                or self._name_then_cue(at)
                or self._kind_then_name(at)
                or self._cue_then_name(at, guess=False)
                or self._cue_then_name(at, guess=True)
                or self._bare(at)
                or self._entity_type(at)
            )
            if taken:
                at = taken
                self._not_from = None
                continue
            at = self._negation_or_word(at)
        self._said += self._lineage.leftovers(self._said)
        return self._said

    def _token_at(self, position: int) -> int:
        return next(
            (at for at, token in enumerate(self._tokens) if token.end > position),
            len(self._tokens),
        )

    def _time(self, at: int) -> int:
        said = self._times.get(at)
        if said is None:
            return 0
        end = at
        while end < len(self._tokens) and self._tokens[end].start < said.end:
            end += 1
        self._add(said.filters, at, end, said.confidence)
        return end

    def _missing(self, at: int) -> int:
        for kind, phrases in cues.NOBODY.items():
            length = phrases.match(self._tokens, at)
            by_whom = self._names.skip(at + length, ("by",)) > at + length
            if length and not by_whom and self._has(kind):
                self._add([Filter(kind, "exists", (), negated=True)], at, at + length, 0.9)
                return at + length
        if length := cues.NONE_OF.match(self._tokens, at):
            return self._field_nouns(at, at + length, negated=True)
        if length := cues.SOME_OF.match(self._tokens, at):
            return self._field_nouns(at, at + length, negated=False)
        for kind, nouns in cues.FIELD_NOUNS.items():
            if length := nouns.match(self._tokens, at):
                end = at + length
                if gone := cues.GONE.match(self._tokens, end):
                    self._add([Filter(kind, "exists", (), negated=True)], at, end + gone, 0.9)
                    return end + gone
        return 0

    def _has(self, kind: str) -> bool:
        if kind in ("tag", "consumer", "domain", "term"):
            return kind in self._vocabulary.kinds
        return True

    def _field_nouns(self, start: int, at: int, *, negated: bool) -> int:
        """`without an owner or domain`, unless it goes on to say which."""
        filters: list[Filter] = []
        end = at
        while found := self._field_noun(at):
            kind, at = found
            if self._names.label(self._names.skip(at, (":", "called", "named", "of")), (kind,),
                                 guess=False):  # fmt: skip
                break
            end = at
            filters.append(Filter(kind, "exists", (), negated))
            at = self._names.skip(at, ("or", "and", "nor", ",", "a", "an", "any", "no", "without"))
        if not filters:
            return 0
        end = self._names.skip(end, ("at", "assigned", "set", "yet", "whatsoever", "attached"))
        if end < len(self._tokens) and self._tokens[end].word == "all":
            end += 1
        self._add(filters, start, end, 0.9)
        return end

    def _field_noun(self, at: int) -> tuple[str, int] | None:
        for kind, nouns in cues.FIELD_NOUNS.items():
            if length := nouns.match(self._tokens, at):
                return kind, at + length
        return None

    def _asked_who(self, at: int) -> int:
        """`who owns X` asks of X itself: no condition, and nothing to search for but X."""
        if self._tokens[at].word not in ("who", "whom", "which", "what") or at > 2:
            return 0
        end = self._names.skip(at + 1, ("person", "team", "group", "people", *cues.ADVERBS))
        length = cues.OWNS.match(self._tokens, end) or cues.OWNED_BY.match(self._tokens, end)
        named = self._names.asset(end + length, guess=True) if length else None
        if not length or named is None:
            return 0
        self._said.append(Said((), at, end + length, 1.0))
        return named.end

    def _lineage_of(self, at: int) -> int:
        said = self._lineage.read(at)
        if said is None:
            return 0
        self._add(said.filters, said.start, said.end, said.confidence)
        return said.end

    def _name_then_cue(self, at: int) -> int:
        """`Maria Lopez owns`, `the marketing folks rely on`, `Maria's tables`."""
        for kind, phrases in (("owner", cues.OWNS), ("consumer", cues.USES)):
            listed = self._names.listed(at, (kind,), guess=True)
            if listed is None or listed.kind != kind:
                continue
            end = self._names.skip(listed.end, (*cues.GROUP_NOUNS, ","))
            end = self._names.skip(end, cues.ADVERBS)
            denied = cues.NOT.match(self._tokens, end)
            end = self._names.skip(end + denied, cues.ADVERBS)
            if length := phrases.match(self._tokens, end):
                if self._names.asset(end + length, guess=False) and kind == "consumer":
                    return 0
                self._add_listed(listed, at, end + length, 0.9, negated=bool(denied))
                return end + length
        return self._possessive(at)

    def _possessive(self, at: int) -> int:
        for kind in ("owner", "domain"):
            named = self._names.label(at, (kind,), guess=False)
            if named is None:
                continue
            end = self._names.skip(named.end, cues.GROUP_NOUNS)
            if self._tokens[end - 1].possessive and (kind == "owner" or end < len(self._tokens)):
                self._add_listed(Listed(kind, (named,), True, end, False), at, end, 0.7)
                return end
        return 0

    def _kind_then_name(self, at: int) -> int:
        """`the domain Finance`, `schema: analytics`, `tag PII`."""
        for kind, nouns in cues.KIND_NOUNS.items():
            if not (length := nouns.match(self._tokens, at)):
                continue
            begin = self._names.skip(at + length, (":", "of", "called", "named", "is", "="))
            listed = self._names.listed(begin, (kind,), guess=begin > at + length)
            if listed and listed.kind == kind:
                start = self._before(at, "in on from with within the of by under")
                self._add_listed(listed, start, listed.end, 0.95)
                return listed.end
        return 0

    def _cue_then_name(self, at: int, *, guess: bool) -> int:
        for role in _ROLES:
            if not (length := role.cue.match(self._tokens, at)):
                continue
            begin = self._names.skip(at + length, (":",))
            listed = self._names.listed(at + length, (*role.kinds, *_EVERY), guess=False)
            if listed is None or not (listed.noun or listed.kind in role.kinds):
                listed = self._names.listed(begin, role.kinds, guess=guess)
            if listed is None or not (listed.noun or listed.kind in role.kinds):
                continue
            if role.weak and not (listed.noun or self._policy.after_weak_cue(listed, at)):
                continue
            end = listed.end
            if listed.kind in _GROUPS:
                end = self._names.skip(end, cues.GROUP_NOUNS)
            self._add_listed(listed, at, end, 0.7 if role.weak and not listed.noun else 0.95)
            return end
        return 0

    def _bare(self, at: int) -> int:
        listed = self._names.listed(at, ("platform", "tag", "term", "env"), guess=True)
        if listed is not None and listed.items[0].start == at:
            kind = self._policy.bare(listed, at, denied=self._not_from is not None)
            if kind:
                self._add_listed(listed, at, self._policy.end_of(listed), 0.85)
                return self._policy.end_of(listed)
        domain = self._names.listed(at, _EVERY, guess=False)
        if domain is not None and domain.noun and domain.items[0].start == at:
            self._add_listed(domain, at, domain.end, 0.95)
            return domain.end
        if self._policy.deprecated(at, denied=self._not_from is not None):
            self._add([Filter("deprecated", "eq", (True,))], at, at + 1, 0.7)
            return at + 1
        return 0

    def _entity_type(self, at: int) -> int:
        found = self._policy.entity_type(at, denied=self._not_from is not None)
        if found is None:
            return 0
        field, value, end = found
        takes = self._not_from is not None
        self._add([Filter(field, "eq", (value,))], at, end, 0.4, takes=takes)
        return end

    def _negation_or_word(self, at: int) -> int:
        length = cues.NOT.match(self._tokens, at)
        if length:
            self._not_from = at
            return at + length
        word = self._tokens[at].word
        if word in _BREAKS or not self._policy.passes_negation(word):
            self._not_from = None
        return at + 1

    def _before(self, at: int, words: str) -> int:
        allowed = words.split()
        taken = self._said[-1].end if self._said else 0
        while at > taken and self._tokens[at - 1].word in allowed:
            at -= 1
        return at

    def _add_listed(
        self, listed: Listed, start: int, end: int, confidence: float, *, negated: bool = False
    ) -> None:
        """One filter with all names, or one for each where an entity can have several."""
        denied = negated or self._not_from is not None
        left_out = cues.LEFT_OUT.match(self._tokens, end)
        denied = denied or bool(left_out)
        each = [item.of(listed.kind) for item in listed.items]
        together = listed.any_of or denied or listed.kind not in _MANY
        groups = [tuple(dict.fromkeys(n for names in each for n in names))] if together else each
        filters = [Filter(listed.kind, "in" if len(names) > 1 else "eq", names) for names in groups]
        self._add(filters, start, end + left_out, confidence * listed.sure, negated=denied)

    def _add(
        self,
        filters: Sequence[Filter],
        start: int,
        end: int,
        confidence: float,
        *,
        negated: bool = False,
        takes: bool = True,
    ) -> None:
        denied = self._not_from is not None
        if denied and self._not_from is not None:
            start = min(start, self._not_from)
        turned = tuple(
            Filter(f.field, f.op, f.values, f.negated != (denied or negated)) for f in filters
        )
        self._said.append(Said(turned, start, end, confidence, takes))
