"""The current state of many entities, in few requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote

from dataspoke.core.entities import EntitySnapshot
from dataspoke.core.errors import RetriableError, SkippableError
from dataspoke.core.hub.aspects import references_of, snapshot_of
from dataspoke.core.hub.connection import HubConnection, InternalError
from dataspoke.core.hub.shapes import aspects_of, name_aspects_of, name_from
from dataspoke.core.hub.trace import source_of
from dataspoke.core.urns import entity_type_of, key_aspect_of

MAX_CHUNK = 200
MAX_NAMES = 1000
MAX_BYTES = 8_000_000
_BROKEN_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Every urn asked for is in exactly one of the four.

    `same` are those that the caller's `known` passed over; `sources` are the fingerprints of what
    was found, where the caller gave `known`. `absent` means not in DataHub's answer, which is not
    yet deleted: see `HubReader.exists`.
    """

    found: dict[str, EntitySnapshot] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    bad: dict[str, SkippableError] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)


class Known(Protocol):
    """What the caller remembers of entities; `salt` as in `trace.Source.fingerprint`."""

    @property
    def salt(self) -> str: ...

    def sources(self, urns: Sequence[str]) -> Mapping[str, str]:
        """Fingerprint by urn, as far as one is remembered."""
        ...


class HubReader:
    """Reads snapshots with one `batchGet` per entity type and chunk.

    A chunk has at most `max_chunk` entities and follows the size of the answers: after one
    above `max_bytes` the next chunk of that type is half as long, after one far below it twice.
    Safe to share between threads. All methods raise RetriableError while DataHub is away.
    """

    def __init__(
        self,
        connection: HubConnection,
        *,
        max_chunk: int = MAX_CHUNK,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._connection = connection
        self._max_chunk = max_chunk
        self._max_bytes = max_bytes
        self._chunks: dict[str, int] = {}

    def read(self, urns: Sequence[str], *, known: Known | None = None) -> ReadResult:
        """Snapshots of `urns` with the present names of all they refer to.

        One entity that DataHub or we cannot read is in `bad` and costs the others nothing but
        a few requests. Duplicates in `urns` are read once. With `known`, entities of the same
        fingerprint as before are not even parsed.
        """
        result = ReadResult()
        read: dict[str, dict[str, Any]] = {}
        for entity_type, group in _by_type(urns, result.bad).items():
            try:
                aspects = aspects_of(entity_type)
            except SkippableError as exc:
                result.bad.update(dict.fromkeys(group, exc))
                continue
            answers = self._fetch(entity_type, group, aspects, self._max_chunk, result.bad)
            for urn in group:
                if urn in answers:
                    read[urn] = answers[urn]
                elif urn not in result.bad:
                    result.absent.append(urn)
        names = self._pass_over(read, known, result) if known else {}
        for urn, answer in read.items():
            try:
                result.found[urn] = snapshot_of(urn, answer)
            except SkippableError as exc:
                result.bad[urn] = exc
        names |= self.names(
            {ref for snapshot in result.found.values() for ref in references_of(snapshot)}
            - names.keys()
        )
        for urn, snapshot in result.found.items():
            own = {ref: names[ref] for ref in references_of(snapshot) if names.get(ref)}
            if own:
                result.found[urn] = replace(snapshot, names=own)
        return result

    def _pass_over(
        self, read: dict[str, dict[str, Any]], known: Known, result: ReadResult
    ) -> dict[str, str]:
        """Take out of `read` what is as it was; returns the names that were asked for."""
        sources = {urn: source_of(urn, answer) for urn, answer in read.items()}
        mentioned = {urn for source in sources.values() for urn in source.urns}
        names = self.names(mentioned)
        for urn, source in sources.items():
            result.sources[urn] = source.fingerprint(names, salt=known.salt)
        before = known.sources(list(sources))
        result.same.extend(urn for urn in sources if before.get(urn) == result.sources[urn])
        for urn in result.same:
            del read[urn]
        # Empty for those without a name of their own, so that nobody asks for them again.
        return {urn: names.get(urn, "") for urn in mentioned}

    def names(self, urns: Iterable[str]) -> dict[str, str]:
        """What people call these entities; those without a name of their own are left out."""
        names: dict[str, str] = {}
        ignored: dict[str, SkippableError] = {}
        for entity_type, group in _by_type(urns, ignored).items():
            aspects = name_aspects_of(entity_type)
            if not aspects:
                continue
            answers = self._fetch(entity_type, group, aspects, MAX_NAMES, ignored)
            for urn, answer in answers.items():
                if name := name_from(entity_type, answer):
                    names[urn] = name
        return names

    def exists(self, urn: str) -> bool:
        """Whether DataHub's primary store has the entity, soft-deleted or not.

        Raises SkippableError for what is no urn.
        """
        aspect = key_aspect_of(entity_type_of(urn))
        path = f"/aspects/{quote(urn, safe='')}"
        return self._connection.get_or_none(path, aspect=aspect, version=0) is not None

    def list_urns(self, entity_type: str, *, start: int, count: int) -> list[str]:
        """A page of the primary store's urns of a type; empty after the last page."""
        body = {"entity": entity_type, "start": start, "count": count}
        answer = self._connection.post("/entities", body, action="listUrns")
        try:
            return [str(urn) for urn in answer["value"].get("entities") or ()]
        except (TypeError, KeyError, AttributeError) as exc:
            raise RetriableError(
                f"Cannot list the {entity_type} urns of DataHub at {self._connection.server}: "
                "the answer has no 'value'. See whether something stands before it."
            ) from exc

    def _fetch(
        self,
        entity_type: str,
        urns: Sequence[str],
        aspects: Sequence[str],
        limit: int,
        bad: dict[str, SkippableError],
    ) -> dict[str, dict[str, Any]]:
        """Answers by urn; what DataHub refuses alone goes into `bad`.

        A 500 is the fault of an entity only where DataHub answers for others.
        """
        found: dict[str, dict[str, Any]] = {}
        broken: dict[str, InternalError] = {}
        answered = False
        key = f"{entity_type}/{len(aspects)}"
        # A stack of chunks still to ask for: a refused one comes back as its two halves.
        todo = [list(urns)]
        while todo:
            rest = todo.pop()
            size = min(limit, self._chunks.get(key, limit))
            if len(rest) > size:
                todo.append(rest[size:])
                rest = rest[:size]
            try:
                entities, answer_bytes = self._batch_get(entity_type, rest, aspects)
            except (SkippableError, InternalError) as exc:
                if len(rest) > 1:
                    half = len(rest) // 2
                    todo += [rest[half:], rest[:half]]
                elif isinstance(exc, SkippableError):
                    bad[rest[0]] = exc
                else:
                    broken[rest[0]] = exc
                    if not answered and len(broken) >= _BROKEN_IN_A_ROW:
                        raise
                continue
            answered = True
            found.update(entities)
            self._chunks[key] = next_chunk(len(rest), size, answer_bytes, limit, self._max_bytes)
        if broken and not answered:
            raise next(iter(broken.values()))
        bad.update({urn: SkippableError(str(exc)) for urn, exc in broken.items()})
        return found

    def _batch_get(
        self, entity_type: str, urns: Sequence[str], aspects: Sequence[str]
    ) -> tuple[dict[str, dict[str, Any]], int]:
        wanted: dict[str, dict[str, str]] = {aspect: {} for aspect in aspects}
        answer = self._connection.request(
            "POST",
            f"/openapi/v3/entity/{entity_type}/batchGet",
            body=[{"urn": urn, **wanted} for urn in urns],
        )
        try:
            return {entity["urn"]: entity for entity in answer.body}, answer.size
        except (TypeError, KeyError) as exc:
            raise RetriableError(
                f"Cannot read {entity_type} entities from DataHub at {self._connection.server}: "
                "the answer is no list of entities. See whether something stands before it."
            ) from exc


def next_chunk(asked: int, size: int, answer_bytes: int, limit: int, max_bytes: int) -> int:
    """How many entities to ask for next, after `asked` of them took `answer_bytes`.

    >>> next_chunk(200, 200, 9_000_000, 200, 8_000_000)
    100
    >>> next_chunk(100, 100, 1_000_000, 200, 8_000_000)
    200
    """
    if answer_bytes > max_bytes:
        return max(1, asked // 2)
    if asked == size and answer_bytes < max_bytes // 4:
        return min(limit, size * 2)
    return size


def _by_type(urns: Iterable[str], bad: dict[str, SkippableError]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for urn in dict.fromkeys(urns):
        try:
            groups.setdefault(entity_type_of(urn), []).append(urn)
        except SkippableError as exc:
            bad[urn] = exc
    return groups
