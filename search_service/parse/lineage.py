"""What a question says of upstreams and downstreams of a named entity. Pure.

The verbs turn with the order of words: "what feeds X" asks for the upstreams of X, "what does X
feed" for its downstreams.
"""

from __future__ import annotations

from collections.abc import Sequence

from dataspoke.search_service.filters import Filter
from dataspoke.search_service.parse import cues
from dataspoke.search_service.parse.names import NamedAssets, Names
from dataspoke.search_service.parse.said import Said
from dataspoke.search_service.parse.tokens import Token, word_set

_UP, _DOWN = "upstream_of", "downstream_of"
_AFTERMATH = word_set(
    "break breaks breaking broken change changes changed changing affected affect affects impacted "
    "impact fail fails failing depend depends happens happen would upstream downstream lineage "
    "stop stops feed feeds source sources goes wrong dropped modified deleted altered by if when "
    "computed built derived downstreams upstreams tomorrow suddenly out down late somehow will "
    "built from on ultimately transitively indirectly directly level hop suffer suffers"
)
_OF_DATA = word_set(
    "upstream upstreams downstream downstreams feed feeds feeding lineage dependents descendants "
    "ancestors derived provenance"
)
_MOST_VALUES = 20


class LineageReader:
    """Reads lineage at a place of one question."""

    def __init__(self, tokens: Sequence[Token], names: Names) -> None:
        self._tokens = tokens
        self._names = names
        self._every_hop = any(cues.EVERY_HOP.match(tokens, at) for at in range(len(tokens)))

    def read(self, at: int) -> Said | None:
        return self._cue_then_asset(at) or self._asset_then_cue(at)

    def leftovers(self, said: Sequence[Said]) -> list[Said]:
        """The words that only frame a lineage question ("what breaks if …"), to be left out."""
        fields = {one.field for each in said for one in each.filters}
        if not fields & {_UP, _DOWN}:
            return []
        framing = [(at, 1) for at, token in enumerate(self._tokens) if token.word in _AFTERMATH] + [
            (at, cues.EVERY_HOP.match(self._tokens, at)) for at in range(len(self._tokens))
        ]
        return [Said((), at, at + length, 1.0) for at, length in framing if length]

    def _cue_then_asset(self, at: int) -> Said | None:
        readings = (
            (cues.UPSTREAM, _UP),
            (cues.DOWNSTREAM, _DOWN),
            (cues.USED_BY, _UP),
        )
        found = [(phrases.match(self._tokens, at), field) for phrases, field in readings]
        for guess in (False, True):
            for length, field in sorted(found, key=lambda pair: -pair[0]):
                named = self._names.asset(at + length, guess=guess) if length else None
                if named and named.plain and not self._clear(at, length):
                    continue
                if named and not (guess and self._is_label(at + length)):
                    return self._said(field, named, at, named.end)
        return None

    def _clear(self, at: int, length: int) -> bool:
        """Whether the cue speaks of nothing but data, so that an ordinary word may be a table."""
        return any(token.word in _OF_DATA for token in self._tokens[at : at + length])

    def _is_label(self, at: int) -> bool:
        at = self._names.skip(at, cues.ARTICLES)
        kinds = ("owner", "consumer", "domain", "platform", "tag")
        return self._names.label(at, kinds, guess=True) is not None

    def _asset_then_cue(self, at: int) -> Said | None:
        named = self._names.asset(at, guess=False)
        if named is None:
            return None
        verb = self._names.skip(named.end, cues.ADVERBS)
        turned = (
            (cues.UPSTREAM, _DOWN),
            (cues.DOWNSTREAM, _UP),
            (cues.FLIPPED_UPSTREAM, _UP),
            (cues.FLIPPED_DOWNSTREAM, _DOWN),
            (cues.USES, _UP),
            (cues.USED_BY, _DOWN),
        )
        found = [(phrases.match(self._tokens, verb), field) for phrases, field in turned]
        length, field = max(found, key=lambda pair: pair[0])
        if not length:
            length, field = cues.DOWNSTREAM_STEMS.match(self._tokens, verb), _UP
        if not length:
            return None if named.plain else self._direction_before(named, at)
        if self._names.asset(verb + length, guess=False):
            return None
        if named.plain and not self._clear(verb, length):
            return None
        return self._said(field, named, at, verb + length)

    def _direction_before(self, named: NamedAssets, at: int) -> Said | None:
        """`which upstream tables does X have`."""
        for token in self._tokens[:at]:
            for word, field in (("upstream", _UP), ("downstream", _DOWN)):
                if token.word.startswith(word):
                    return self._said(field, named, at, named.end)
        return None

    def _said(self, field: str, named: NamedAssets, start: int, end: int) -> Said:
        urns = tuple(sorted({asset.urn for asset in named.assets}))[:_MOST_VALUES]
        op = "all" if self._every_hop else "in" if len(urns) > 1 else "eq"
        return Said((Filter(field, op, urns),), start, end, 0.95 * named.sure)
