"""Writing aspects: new versions, no-ops and points, each with what the change log tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from dataspoke.local_hub.change_events import told
from dataspoke.local_hub.mcl import TIMESERIES_TOPIC, VERSIONED_TOPIC, change_log
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.retention import POLICY_ASPECT
from dataspoke.local_hub.system_metadata import (
    NO_RUN,
    new_metadata,
    properties_member,
    request_metadata,
    seen_again,
)
from dataspoke.local_hub.transaction import AspectRow
from dataspoke.local_hub.view import BatchView


class Written(NamedTuple):
    """What became of one proposal: the aspect as it is now, as JSON texts."""

    urn: str
    aspect: str
    value: str | None
    meta: str | None
    changed: bool


def accepted(
    proposals: Sequence[Proposal], written: Sequence[Written], now: int, trace: str | None
) -> list[Written]:
    """What was proposed, as an answer that does not wait for the store; `written` for patches."""
    stored = {(one.urn, one.aspect): one for one in written}
    answer = []
    for proposal in proposals:
        urn, name, given = proposal.urn, proposal.aspect.name, proposal.metadata
        meta = request_metadata(given, now, properties_member(given, trace))
        if proposal.change == "PATCH":
            one = stored.get((urn, name))
            answer.append(Written(urn, name, one.value if one else None, meta, False))
        else:
            value = None if proposal.value is None else orjson.dumps(proposal.value).decode()
            answer.append(Written(urn, name, value, meta, False))
    return answer


class AspectWriter:
    """Stores checked values in the transaction of a batch."""

    def __init__(self, view: BatchView) -> None:
        self._view = view
        self._tx = view.tx
        self._actor = view.actor
        self._now = view.now
        self._trace = properties_member({}, view.trace)

    def put(
        self, entity: int, proposal: Proposal, value: Any, row: AspectRow | None, change: str
    ) -> Written:
        """Make `value` the latest version; if it is what `row` holds, say only that it was seen."""
        aspect = proposal.aspect
        text = orjson.dumps(value).decode()
        old: Mapping[str, Any] | None = None
        if row is not None:
            old = None if text == row.value else orjson.loads(row.value)
            if old is None or old == value:
                return self._see_again(proposal, row, change)
        given = proposal.metadata
        run = given.get("runId") or NO_RUN
        meta = new_metadata(given, run, row, self._view.stamp, self._now, self._properties(given))
        new = AspectRow(
            self._tx.aspect_id(entity, aspect.name),
            1 if row is None else row.seq + 1,
            None if run == NO_RUN else self._tx.run(run, self._now),
            self._now,
            self._actor,
            meta,
            text,
        )
        if row is None:
            self._tx.add_aspect(new)
        else:
            self._tx.replace_aspect(
                new, row, self._tx.policies.of(proposal.entity.name, aspect.name)
            )
        if aspect.name == POLICY_ASPECT:
            self._tx.policies.forget()
        self._view.current[new.id] = new
        self._log(proposal, change, new, row)
        self._tell(proposal, old, value)
        if aspect.name in self._view.follow:
            self._happened(proposal, change, old, value)
        return Written(proposal.urn, aspect.name, text, meta, True)

    def put_point(self, entity: int, proposal: Proposal, value: Any) -> Written:
        """Add a point of a timeseries, or replace the one of the same time and partition."""
        aspect, given = proposal.aspect, proposal.metadata
        run = given.get("runId") or NO_RUN
        meta = request_metadata(given, self._now, self._properties(given))
        text = orjson.dumps(value).decode()
        self._tx.put_point(
            self._tx.aspect_id(entity, aspect.name),
            int(value.get("timestampMillis", self._now)),
            _point_key(value),
            None if run == NO_RUN else self._tx.run(run, self._now),
            meta,
            text,
        )
        self._tx.add_event(
            change_log(
                topic=TIMESERIES_TOPIC,
                entity_type=proposal.entity.name,
                urn=proposal.urn,
                change="UPSERT",
                aspect_name=aspect.name,
                value=text,
                meta=meta,
                stamp=self._view.stamp,
                now=self._now,
                headers=proposal.headers,
            )
        )
        self._tell(proposal, None, value)
        if aspect.name in self._view.follow:
            self._happened(proposal, "UPSERT", None, value)
        return Written(proposal.urn, aspect.name, text, meta, True)

    def _see_again(self, proposal: Proposal, row: AspectRow, change: str) -> Written:
        """The value is what it was: only the metadata say that it was seen again."""
        meta = seen_again(proposal.metadata, row.meta, self._now)
        seen = row._replace(meta=meta)
        self._tx.touch_aspect(seen)
        self._view.current[row.id] = seen
        if change == "RESTATE" or proposal.aspect.has_lineage:
            self._log(proposal, "RESTATE", seen, row)
        return Written(proposal.urn, proposal.aspect.name, seen.value, meta, False)

    def _properties(self, given: Mapping[str, Any]) -> str:
        if not given.get("properties"):
            return self._trace
        return properties_member(given, self._view.trace)

    def _log(
        self, proposal: Proposal, change: str, new: AspectRow, previous: AspectRow | None
    ) -> None:
        self._tx.add_event(
            change_log(
                topic=VERSIONED_TOPIC,
                entity_type=proposal.entity.name,
                urn=proposal.urn,
                change=change,
                aspect_name=proposal.aspect.name,
                value=new.value,
                meta=new.meta,
                stamp=self._view.stamp,
                now=self._now,
                previous_value=None if previous is None else previous.value,
                previous_meta=None if previous is None else previous.meta,
                headers=proposal.headers,
            )
        )

    def _tell(self, proposal: Proposal, old: Any | None, new: Any) -> None:
        """The entity change events of a write."""
        aspect = proposal.aspect
        events = told(
            proposal.entity.name,
            proposal.urn,
            aspect.name,
            old,
            new,
            is_key=aspect.key_of is not None,
            actor=self._actor,
            now=self._now,
        )
        self._tx.add_events(events)

    def _happened(self, proposal: Proposal, change: str, old: Any | None, new: Any) -> None:
        self._view.happened(self._view.change(proposal, change, old, new))


def _point_key(value: Mapping[str, Any]) -> str:
    """What tells two points of the same time apart, as in the document id of GMS."""
    parts = {
        name: value[name]
        for name in ("eventGranularity", "messageId", "partitionSpec", "runId", "fieldPath")
        if value.get(name) is not None
    }
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode()
