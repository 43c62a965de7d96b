"""From words to filters: the one entry point is `parse`. Pure.

A question is read once, from left to right. At each word the readers below are tried in turn; the
first that understands what stands there takes it. A name of the catalogue alone is rarely a
condition ("orders" may be a tag, a table and a topic): a cue, a noun of kind, or a name that means
nothing else makes it one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from dataspoke.search_service.parse.model import Parsed, ParsedFilter
from dataspoke.search_service.parse.reader import Reader
from dataspoke.search_service.parse.rest import rest_of
from dataspoke.search_service.parse.tokens import MAX_TOKENS, tokens_of
from dataspoke.search_service.parse.topics import mended
from dataspoke.search_service.parse.vocabulary import Vocabulary, key_of


def parse(
    text: str, vocabulary: Vocabulary, now: datetime, *, dropped: Collection[str] = ()
) -> Parsed:
    """What `text` asks for. The words of a filter among `dropped` (ids) are searched for instead.

    A question that is the very name or urn of an entity is no condition.
    """
    if key_of(text) in vocabulary.assets or text.casefold().startswith("urn:li:"):
        return Parsed(text)
    tokens = tokens_of(text)
    if len(tokens) >= MAX_TOKENS:
        return Parsed(text)
    said = Reader(text, tokens, vocabulary, now).read()
    used = [False] * len(tokens)
    stated_else = any(each.takes and each.filters for each in said)
    filters: dict[str, ParsedFilter] = {}
    for each in said:
        for one in each.filters:
            start, end = tokens[each.start].start, tokens[each.end - 1].end
            filters.setdefault(
                one.id, ParsedFilter(one.id, one, (start, end), text[start:end], each.confidence)
            )
        takes = each.takes or stated_else
        if takes and (not each.filters or any(f.id not in dropped for f in each.filters)):
            used[each.start : each.end] = [True] * (each.end - each.start)
    read, corrections = mended(tokens, used, vocabulary)
    kept = tuple(each for each in filters.values() if each.id not in dropped)
    rest = rest_of(text, tokens, used, read)
    if not kept and not rest:
        rest = text
    return Parsed(rest, kept, corrections)
