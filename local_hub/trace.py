"""Traces: what became of a write, asked for by the id that its answer bore.

The id is in the `traceparent` header of the answer and in the system metadata of each version
that the write made. What was accepted and refused later is kept in memory: the hub tells it only
of the writes since it was started, as GMS tells it only as far back as its queue goes.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

import orjson

from dataspoke.local_hub.errors import BadRequest
from dataspoke.local_hub.registry import Registry
from dataspoke.local_hub.store import Store
from dataspoke.local_hub.system_metadata import TRACE_PROPERTY

_MOST_REFUSED = 10_000
_PAST = "Consumer has processed past the offset."


class Trace(NamedTuple):
    """The trace of one request. The first half of its id is the time in microseconds."""

    id: str

    @classmethod
    def new(cls) -> Trace:
        return cls(f"{time.time_ns() // 1000:016x}{secrets.token_hex(8)}")

    @property
    def headers(self) -> dict[str, str]:
        """The header of the answer."""
        return {"traceparent": f"00-{self.id}-{secrets.token_hex(8)}-01"}


class Refused:
    """Why writes were refused that had been accepted; the latest ones, safe in any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._reasons: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def add(self, trace: str, urn: str, aspect: str, reason: str) -> None:
        with self._guard:
            self._reasons[trace, urn, aspect] = reason
            while len(self._reasons) > _MOST_REFUSED:
                self._reasons.popitem(last=False)

    def reason(self, trace: str, urn: str, aspect: str) -> str | None:
        with self._guard:
            return self._reasons.get((trace, urn, aspect))


def status_of(
    registry: Registry,
    store: Store,
    refused: Refused,
    trace: str,
    urn: str,
    aspect: str,
    *,
    detailed: bool,
) -> dict[str, Any]:
    """What a write did to one aspect. Raises HubError for an unknown aspect."""
    spec = registry.aspect(registry.entity_of(urn), aspect)
    if spec.timeseries:
        return _status("NO_OP", "TRACE_NOT_IMPLEMENTED")
    reason = refused.reason(trace, urn, aspect)
    row = store.aspect(urn, aspect)
    if reason is None and row is not None:
        meta = orjson.loads(row.meta)
        active = (meta.get("properties") or {}).get(TRACE_PROPERTY)
        if active == trace:
            return _status("ACTIVE_STATE", "ACTIVE_STATE")
        last = _moment(active) if active else row.modified_at
        state = "HISTORIC_STATE" if _moment(trace) <= last else "NO_OP"
        return _status(state, state)
    primary: dict[str, Any] = {"writeStatus": "ERROR"}
    if reason is None:
        primary["writeMessage"] = _PAST
    elif detailed:
        primary["writeExceptions"] = [{"message": reason}]
    search = {"writeStatus": "ERROR", "writeMessage": "Primary storage write failed."}
    return {"success": False, "primaryStorage": primary, "searchStorage": search}


def _status(primary: str, search: str) -> dict[str, Any]:
    return {
        "success": True,
        "primaryStorage": {"writeStatus": primary},
        "searchStorage": {"writeStatus": search},
    }


def _moment(trace: str) -> int:
    """UTC ms at which a trace began; raises BadRequest."""
    try:
        return int(trace[:16], 16) // 1000
    except ValueError as exc:
        raise BadRequest(f"Cannot parse the trace id {trace[:100]!r}") from exc
