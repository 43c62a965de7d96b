"""The two forms in which the OpenAPI writes an entity: version 3, and the older version 2.

Version 3 has the aspects beside the urn, ``{"urn": …, "status": {"value": …}}``; version 2 has
them in ``aspects``. A single aspect that is written comes as ``{"value": …}`` in version 3, and
bare in version 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.reads import Reading


@dataclass(frozen=True)
class Shape:
    """One of the two forms. `version` is 2 or 3."""

    version: int

    @property
    def base(self) -> str:
        """The path below which the entities are."""
        return f"/openapi/v{self.version}/entity"

    def entity(
        self,
        urn: str,
        aspects: Mapping[str, Reading],
        *,
        metadata: bool = False,
        scroll: str | None = None,
    ) -> bytes:
        """One entity; `scroll` is the scroll id that continues behind it."""
        parts = [
            b'"%s":%s' % (name.encode(), self.aspect(reading, metadata=metadata))
            for name, reading in aspects.items()
        ]
        if self.version == 2:
            parts = [b'"aspects":{%s}' % b",".join(parts)] if parts else []
        parts.insert(0, b'"urn":' + orjson.dumps(urn))
        if scroll is not None:
            parts.append(b'"scrollId":' + orjson.dumps(scroll))
        return b"{%s}" % b",".join(parts)

    def aspect(self, reading: Reading, *, metadata: bool) -> bytes:
        """One aspect, with its system metadata if asked for."""
        parts = [b'"value":' + reading.value.encode()]
        if metadata and reading.meta is not None:
            parts.append(b'"systemMetadata":' + reading.meta.encode())
            if self.version == 3 and reading.modified_at is not None:
                parts.append(
                    b'"auditStamp":{"time":%d,"actor":%s}'
                    % (reading.modified_at, orjson.dumps(reading.actor))
                )
        return b"{%s}" % b",".join(parts)

    def page(
        self,
        entities: Iterable[bytes],
        *,
        total: int,
        scroll: str | None,
        facets: list[dict[str, Any]],
    ) -> bytes:
        """A page of a scroll; without scroll id when it is the last one."""
        name = b"entities" if self.version == 3 else b"results"
        parts = [b'"%s":[%s]' % (name, b",".join(entities))]
        if scroll is not None:
            parts.append(b'"scrollId":' + orjson.dumps(scroll))
        if self.version == 3:
            parts.append(b'"totalCount":%d,"facets":%s' % (total, orjson.dumps(facets)))
        return b"{%s}" % b",".join(parts)

    def read_entities(self, body: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Urns and what is given for their aspects. Raises BadRequest."""
        if not isinstance(body, list):
            raise BadRequest("Cannot parse the request: expected a list of entities")
        for entity in body:
            urn = entity.get("urn") if isinstance(entity, Mapping) else None
            if not isinstance(urn, str):
                raise BadRequest("Missing `urn` field")
            if self.version == 3:
                yield urn, {name: given for name, given in entity.items() if name != "urn"}
                continue
            aspects = entity.get("aspects")
            if not isinstance(aspects, Mapping):
                raise BadRequest("Missing `aspects` field")
            yield urn, aspects

    def read_aspect(self, body: Any) -> Mapping[str, Any]:
        """A single aspect as `{value, systemMetadata?, headers?}`."""
        if self.version == 3 and isinstance(body, Mapping) and "value" in body:
            return body
        return {"value": body}


V2, V3 = Shape(2), Shape(3)
