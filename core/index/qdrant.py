"""The index on a Qdrant server, shared by all processes. Same points and meaning as `edge`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from dataspoke.core.errors import AccessDeniedError, ConfigError, FatalError, RetriableError
from dataspoke.core.index.folder import folder_name
from dataspoke.core.index.model import (
    Condition,
    DenseQuery,
    Hashes,
    IndexInfo,
    IndexOp,
    IndexSpec,
    Payload,
    Scored,
    SetPayload,
    SparseQuery,
    StoredPoint,
    point_id,
)
from dataspoke.core.index.points import (
    STATE_FIELDS,
    TOMBSTONE_MS,
    Held,
    hashes_of,
    held_of,
    page_after,
    settle,
    shown_payload,
    sorted_pages,
    stored_point,
)
from dataspoke.core.index.qdrant_points import (
    not_newer_than,
    old_tombstones,
    to_filter,
    to_overwrite,
    to_point,
    to_request,
    to_source,
    written_since,
)
from dataspoke.core.index.spec import DOCUMENT_FIELD, FACTS_FIELD, NUMBER_FIELDS, VERSION_FIELD

ALIAS = "dataspoke"
# Conditional writes came with 1.16, prefix filters with 1.19.
OLDEST_SERVER = (1, 19)

_TIMEOUT_SECONDS = 20
_PAGE = 1000
_T = TypeVar("_T")


class QdrantIndex:
    """A `VectorIndex` in one collection of a server; threads may share it.

    Two writers at once are safe: each write carries a condition on the version that the server
    holds, checked by the server itself.
    """

    def __init__(self, client: QdrantClient, url: str, spec: IndexSpec) -> None:
        self._client = client
        self._url = url
        self._spec = spec
        self.collection = f"{ALIAS}-{folder_name(spec.model_id)}"

    @classmethod
    def open(
        cls, url: str, spec: IndexSpec, *, now_ms: int, api_key: str | None = None
    ) -> QdrantIndex:
        """Connect, make the collection of `spec` if it is new, drop old tombstones; idempotent.

        The alias `dataspoke` is set if nothing has it yet; see `activate`. Raises RetriableError
        if the server is away, AccessDeniedError if it refuses the key, ConfigError for a wrong
        URL, a server that is too old, or a collection of another shape.
        """
        try:
            if httpx.URL(url).scheme not in ("http", "https"):
                raise ValueError("it must start with http:// or https://")  # noqa: TRY301
            client = QdrantClient(
                url=url, api_key=api_key, timeout=_TIMEOUT_SECONDS, check_compatibility=False
            )
        except (ValueError, httpx.InvalidURL) as exc:
            raise ConfigError(
                f"Cannot use DATASPOKE_QDRANT_URL: {url!r} is no URL of a server ({exc}). "
                "Write it as http://host:6333."
            ) from exc
        index = cls(client, url, spec)
        try:
            index._check_server()
            index._create_if_new()
            index._drop_tombstones(now_ms - TOMBSTONE_MS)
        except BaseException:
            client.close()
            raise
        return index

    def activate(self) -> None:
        """Point the alias `dataspoke` at this collection, in one step."""
        self._call(
            self._client.update_collection_aliases,
            [
                models.CreateAliasOperation(
                    create_alias=models.CreateAlias(
                        collection_name=self.collection, alias_name=ALIAS
                    )
                )
            ],
        )

    def hashes(self, urns: Sequence[str]) -> dict[str, Hashes]:
        stored = self._retrieve(urns, fields=list(STATE_FIELDS))
        return {urn: hashes_of(load) for urn, load in stored.items() if held_of(load).live}

    def apply(self, ops: Sequence[IndexOp]) -> None:
        if not ops:
            return
        stored = self._retrieve([op.urn for op in ops], fields=list(STATE_FIELDS))
        held: dict[str, Held] = {urn: held_of(load) for urn, load in stored.items()}
        settled = list(settle(ops, held).values())
        writes: list[models.UpdateOperation] = []
        for version in sorted({op.version for op in settled}):
            same = [op for op in settled if op.version == version]
            points = [to_point(op) for op in same if not isinstance(op, SetPayload)]
            if points:
                body = models.PointsList(points=points, update_filter=not_newer_than(version))
                writes.append(models.UpsertOperation(upsert=body))
            writes += [to_overwrite(op) for op in same if isinstance(op, SetPayload)]
        if writes:
            self._call(self._client.batch_update_points, self.collection, writes, wait=True)

    def remember(self, hashes: Mapping[str, Hashes]) -> None:
        held = self.hashes(list(hashes))
        writes: list[models.UpdateOperation] = [
            to_source(urn, wanted) for urn, wanted in hashes.items() if held.get(urn) == wanted
        ]
        if writes:
            self._call(self._client.batch_update_points, self.collection, writes, wait=True)

    def urns(self, *, batch: int = 1000) -> Iterator[dict[str, Hashes]]:
        """Rising by urn. Holds all urns (about 200 bytes each) while it streams; points written
        meanwhile may be left out."""
        yield from sorted_pages(self._scroll_urns(()), self.hashes, batch)

    def referencing(self, urn: str, *, after: str | None, limit: int) -> list[str]:
        condition = Condition("refs", "eq", (urn,))
        return page_after(self._scroll_urns([condition]), after, limit)

    def search(
        self,
        queries: Sequence[DenseQuery | SparseQuery],
        *,
        conditions: Sequence[Condition],
        limit: int,
    ) -> list[list[Scored]]:
        if not queries:
            return []
        # Tombstones have no vectors, so without conditions there is nothing to filter.
        condition = to_filter(conditions) if conditions else None
        requests = [to_request(query, condition, limit) for query in queries]
        answers = self._call(self._client.query_batch_points, self.collection, requests)
        return [
            [Scored(str(point.id), point.score) for point in answer.points] for answer in answers
        ]

    def count(self, conditions: Sequence[Condition]) -> int:
        answer = self._call(
            self._client.count, self.collection, count_filter=to_filter(conditions), exact=True
        )
        return answer.count

    def get(self, urns: Iterable[str]) -> dict[str, Payload]:
        ids = {point_id(urn): urn for urn in urns}
        return {ids[id_]: payload for id_, payload in self.fetch(list(ids)).items()}

    def fetch(self, ids: Sequence[str]) -> dict[str, Payload]:
        fields = [DOCUMENT_FIELD, *STATE_FIELDS]
        records = self._call(self._client.retrieve, self.collection, list(ids), with_payload=fields)
        return {
            str(record.id): shown_payload(record.payload)
            for record in records
            if held_of(record.payload).live
        }

    def stream(self, *, since: int | None = None) -> Iterator[list[StoredPoint]]:
        condition = to_filter(()) if since is None else written_since(since)
        offset: Any = None
        while True:
            records, offset = self._call(
                self._client.scroll,
                self.collection,
                scroll_filter=condition,
                limit=_PAGE,
                offset=offset,
                with_payload=[DOCUMENT_FIELD, *STATE_FIELDS],
            )
            yield [stored_point(str(record.id), record.payload) for record in records]
            if offset is None:
                return

    def matching(
        self,
        conditions: Sequence[Condition],
        *,
        limit: int,
        among: Sequence[str] | None = None,
    ) -> list[str]:
        records, _ = self._call(
            self._client.scroll,
            self.collection,
            scroll_filter=to_filter(conditions, among=among),
            limit=limit,
            with_payload=False,
        )
        return [str(record.id) for record in records]

    def info(self) -> IndexInfo:
        return IndexInfo(
            engine="qdrant",
            location=self._url,
            model_id=self._spec.model_id,
            points=self.count(()),
            details={"collection": self.collection, "alias": ALIAS},
        )

    def close(self) -> None:
        """Drop the connections. Safe to repeat."""
        self._client.close()

    def _check_server(self) -> None:
        try:
            version = self._call(self._client.info).version
        except (FatalError, ValueError) as exc:  # ValueError: a web page, or other JSON
            raise ConfigError(
                f"Cannot use DATASPOKE_QDRANT_URL: what answers at {self._url} is no Qdrant "
                "server. Correct it (as a rule port 6333), or unset it to use the embedded index."
            ) from exc
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        if numbers < OLDEST_SERVER:
            oldest = ".".join(map(str, OLDEST_SERVER))
            raise ConfigError(
                f"Cannot use the Qdrant server at {self._url}: it is version {version}, and "
                f"{oldest} is the oldest that can do what we need. Upgrade it."
            )

    def _create_if_new(self) -> None:
        if not self._call(self._client.collection_exists, self.collection):
            try:
                self._create()
            except FatalError:
                # Another process made it between the question and the order.
                if not self._call(self._client.collection_exists, self.collection):
                    raise
        self._check_shape()
        self._call(
            self._client.create_payload_index,
            self.collection,
            FACTS_FIELD,
            models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, prefix=True),
        )
        for field in (*NUMBER_FIELDS, VERSION_FIELD):
            self._call(
                self._client.create_payload_index,
                self.collection,
                field,
                models.PayloadSchemaType.FLOAT,
            )
        aliases = self._call(self._client.get_aliases).aliases
        if all(alias.alias_name != ALIAS for alias in aliases):
            self.activate()

    def _create(self) -> None:
        self._call(
            self._client.create_collection,
            self.collection,
            vectors_config={
                name: models.VectorParams(size=size, distance=models.Distance.COSINE)
                for name, size in self._spec.dense.items()
            },
            sparse_vectors_config={
                name: models.SparseVectorParams(modifier=models.Modifier.IDF)
                for name in self._spec.sparse
            },
        )

    def _check_shape(self) -> None:
        params = self._call(self._client.get_collection, self.collection).config.params
        vectors = params.vectors if isinstance(params.vectors, dict) else {}
        sizes = {name: vector.size for name, vector in vectors.items()}
        sparse = set(params.sparse_vectors or {})
        if sizes != dict(self._spec.dense) or sparse != set(self._spec.sparse):
            raise ConfigError(
                f"Cannot use the collection {self.collection} at {self._url}: it has the vectors "
                f"{sizes} and {sorted(sparse)}, not {dict(self._spec.dense)} and "
                f"{sorted(self._spec.sparse)}. Delete it, start again, and run "
                "`dataspoke index reconcile`, which fills a new one from DataHub."
            )

    def _drop_tombstones(self, before: int) -> None:
        selector = models.FilterSelector(filter=old_tombstones(before))
        self._call(self._client.delete, self.collection, selector, wait=True)

    def _scroll_urns(self, conditions: Sequence[Condition]) -> Iterator[str]:
        condition = to_filter(conditions)
        offset: Any = None
        while True:
            records, offset = self._call(
                self._client.scroll,
                self.collection,
                scroll_filter=condition,
                limit=_PAGE,
                offset=offset,
                with_payload=["urn"],
            )
            yield from (str((record.payload or {})["urn"]) for record in records)
            if offset is None:
                return

    def _retrieve(self, urns: Sequence[str], *, fields: list[str]) -> dict[str, dict[str, Any]]:
        ids = {point_id(urn): urn for urn in urns}
        records = self._call(self._client.retrieve, self.collection, list(ids), with_payload=fields)
        return {ids[str(record.id)]: record.payload or {} for record in records}

    def _call(self, function: Callable[..., _T], *args: Any, **kwargs: Any) -> _T:
        """One request; what goes wrong becomes an error of ours."""
        try:
            return function(*args, **kwargs)
        except (ResponseHandlingException, httpx.HTTPError, ResourceExhaustedResponse) as exc:
            raise RetriableError(
                f"Cannot reach the Qdrant server at {self._url}: {_first_line(exc)}. "
                "Start it, or correct DATASPOKE_QDRANT_URL."
            ) from exc
        except UnexpectedResponse as exc:
            raise self._refused(exc) from exc

    def _refused(self, exc: UnexpectedResponse) -> Exception:
        status = exc.status_code or 0
        if status in (401, 403):
            return AccessDeniedError(
                f"Cannot use the Qdrant server at {self._url}: it answers {status}. "
                "Set DATASPOKE_QDRANT_API_KEY to a key that may read and write."
            )
        said = exc.content.decode(errors="replace").strip()[:300]
        if status == 429 or status >= 500:
            return RetriableError(
                f"Cannot use the Qdrant server at {self._url}: it answers {status} ({said}). "
                "Look at its log; the same request is tried again."
            )
        return FatalError(
            f"Cannot use the collection {self.collection} at {self._url}: the server answers "
            f"{status} ({said}). If it was deleted, start again, which makes it anew, and run "
            "`dataspoke index reconcile`."
        )


def _first_line(exc: BaseException) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]
