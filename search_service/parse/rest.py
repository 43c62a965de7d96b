"""What of a question is left to search for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dataspoke.core.documents.vocabulary import STOP_WORDS
from dataspoke.search_service.parse.tokens import Token, word_set

_SCAFFOLD = """
    find show list give get need want looking look search display tell see any every everything
    anything only just data dataset datasets table tables view views stuff thing things one ones
    item items entity entities asset assets record records info information currently contain
    contains containing hold holds holding held store stored stores live lives sit sits exist exists
    available kept keep keeps help know return fetch enumerate identify select pull bring existing
    got has have named called present us me stored located reside residing hosted please but except
    whose also and or not no without both either use used using may might must like set sets part
    let lets many much another other others catalogue catalog something someone somebody anybody
    anyone people folks team group group's i'm i'd i've we're we've what's that's there's who's
    don't doesn't aren't isn't directly immediate direct different various certain particular
    dashboards dashboard charts chart pipelines topics reports still kind kinds type types full
    whole entire complete overview inventory-of under upon via ever yet nothing nobody across
    inside within along with together while since during however though too either data's where's
    fall falls anywhere everywhere elsewhere come comes belong belongs go goes happens happen
    concerning regarding related
"""
_LOOSE = word_set(
    "ones those but anywhere everywhere except neither nor either both only and or also in on of "
    "the a an that which is are with from by , :"
)
SCAFFOLD = frozenset(_SCAFFOLD.split()) | STOP_WORDS
"""Words that frame a question and name nothing."""


def is_scaffold(word: str) -> bool:
    return word in SCAFFOLD or not any(char.isalnum() for char in word)


def rest_of(
    text: str, tokens: Sequence[Token], used: Sequence[bool], read: Sequence[str | None]
) -> str:
    """The words that no filter took, or nothing if they only frame the question.

    `read` has the spelling to search for where it is not what was typed. A question that was
    taken as it stands is returned so.
    """
    left = [at for at in range(len(tokens)) if not used[at]]
    if all(is_scaffold(tokens[at].word) for at in left):
        return ""
    if len(left) == len(tokens) and not any(read) and not any(t.foreign for t in tokens):
        return text
    while left and tokens[left[-1]].word in _LOOSE:
        left.pop()
    while left and tokens[left[0]].word in _LOOSE:
        left.pop(0)
    words = [read[at] or _surface(tokens[at]) for at in left]
    return " ".join(word for word in words if word).replace(" ,", ",").strip(" ,:")


def _surface(token: Token) -> str:
    return token.word if token.foreign or not token.text else token.text
