"""Writing: what a batch of proposals does to the store and to the change log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from dataspoke.local_hub.defaults import default_aspects
from dataspoke.local_hub.deletion import Deletion
from dataspoke.local_hub.effects import CONSEQUENCES, MUTATIONS, RULES
from dataspoke.local_hub.errors import AlreadyThere, PreconditionFailed
from dataspoke.local_hub.mcl import (
    TIMESERIES_TOPIC,
    VERSIONED_TOPIC,
    change_log,
    compare,
    entity_change_event,
    has_change_events,
)
from dataspoke.local_hub.patch import apply_patch, empty_aspect
from dataspoke.local_hub.proposals import Proposal
from dataspoke.local_hub.registry import AspectSpec, EntitySpec
from dataspoke.local_hub.transaction import AspectRow
from dataspoke.local_hub.validate import Validator
from dataspoke.local_hub.view import BatchView

NO_RUN = "no-run-id-provided"
# Rounds of consequences; none of DataHub's goes deeper than three.
_MOST_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one proposal: the aspect as it is now, as JSON texts."""

    urn: str
    aspect: str
    value: str | None
    meta: str | None
    changed: bool


class Batch:
    """Applies proposals, in their order, within one transaction, and then what follows from them.

    The consequences of all changes come after the last proposal, those of the consequences after
    them: each round sees what the one before it left.
    """

    def __init__(self, view: BatchView, validator: Validator) -> None:
        self._view = view
        self._tx = view.tx
        self._registry = view.registry
        self._validator = validator
        self._actor = view.actor
        self._now = view.now
        self._given: dict[str, set[str]] = {}
        self._written: list[Written] = []

    def apply(self, proposals: Sequence[Proposal]) -> list[Written]:
        """Write all of them or, if one is refused, raise HubError.

        The answer has the key and the defaults of new entities too, before what was proposed;
        consequences are not in it.
        """
        written = self._apply_all(proposals)
        self.settle()
        return written

    def settle(self) -> None:
        """Apply what follows from what was written or removed so far."""
        for _ in range(_MOST_ROUNDS):
            proposals = self._view.consequences()
            if not proposals:
                return
            self._apply_all(proposals)
        raise RuntimeError("The effects of a write do not come to an end")

    def _apply_all(self, proposals: Sequence[Proposal]) -> list[Written]:
        self._given = {}
        for proposal in proposals:
            self._given.setdefault(proposal.urn, set()).add(proposal.aspect.name)
        self._view.load(self._given)
        self._written = []
        for proposal in proposals:
            self._written.append(self._apply(proposal))
        return self._written

    def _apply(self, proposal: Proposal) -> Written:
        if proposal.change == "DELETE":
            return self._delete(proposal)
        entity = self._view.entities.get(proposal.urn)
        if entity is None:
            if proposal.change == "UPDATE":
                raise PreconditionFailed(f"Cannot update {proposal.urn}: it does not exist")
            self._check_version(proposal, None)
            entity = self._create(proposal)
        elif proposal.change == "CREATE_ENTITY":
            raise AlreadyThere(f"Cannot perform CREATE_ENTITY: {proposal.urn} already exists")
        if proposal.aspect.timeseries:
            return self._put_point(entity, proposal)
        if proposal.aspect.key_of and proposal.change != "RESTATE":
            # The key is what the urn says; a new entity has just got it.
            row = self._view.current.get(self._tx.aspect_id(entity, proposal.aspect.name))
            if row is not None:
                return Written(proposal.urn, proposal.aspect.name, row.value, row.meta, False)
        return self._put(entity, proposal)

    def _create(self, proposal: Proposal) -> int:
        """A new entity: its key first, then the defaults, then what was proposed."""
        spec, urn = proposal.entity, proposal.urn
        entity = self._view.entities[urn] = self._tx.add_entity(urn, spec.name)
        key = self._registry.key_of(urn)
        defaults = default_aspects(spec, key, self._given[urn])
        for name, value in {spec.key_aspect.name: key, **defaults}.items():
            aspect = spec.aspects[name]
            rule = RULES.get(name)
            if rule is not None:
                rule(
                    self._view,
                    self._view.change(
                        spec, urn, aspect, "UPSERT", None, value, proposal.metadata, {}
                    ),
                )
            self._written.append(
                self._store(entity, spec, urn, aspect, value, None, proposal.metadata, {}, "UPSERT")
            )
        return entity

    def _check_version(self, proposal: Proposal, row: AspectRow | None) -> None:
        expected = proposal.if_version
        actual = "-1" if row is None else str(row.seq)
        if expected is not None and expected != actual:
            raise PreconditionFailed(
                f"Expected version {expected}, actual version {actual} of aspect "
                f"{proposal.aspect.name} of {proposal.urn}"
            )

    def _put(self, entity: int, proposal: Proposal) -> Written:
        row = self._view.current.get(self._tx.aspect_id(entity, proposal.aspect.name))
        self._check_version(proposal, row)
        if proposal.change == "CREATE" and row is not None:
            raise AlreadyThere(
                f"Cannot perform CREATE: {proposal.urn} already has {proposal.aspect.name}"
            )
        value, aspect = proposal.value, proposal.aspect
        if proposal.change == "PATCH":
            stamp = {"actor": self._actor, "time": self._now}
            current = (
                empty_aspect(proposal.aspect.schema, stamp)
                if row is None
                else orjson.loads(row.value)
            )
            value = apply_patch(proposal.aspect.name, current, proposal.value)
            self._validator.check(proposal.aspect, value)
        if aspect.name in MUTATIONS or aspect.name in RULES:
            value = self._checked(proposal, value, row)
        change = "UPSERT" if proposal.change == "PATCH" else proposal.change
        return self._store(
            entity,
            proposal.entity,
            proposal.urn,
            proposal.aspect,
            value,
            row,
            proposal.metadata,
            proposal.headers,
            change,
        )

    def _checked(self, proposal: Proposal, value: Any, row: AspectRow | None) -> Any:
        """The value as mutations leave it, after the rules have seen it."""
        old = None if row is None else orjson.loads(row.value)
        change = self._view.change(
            proposal.entity,
            proposal.urn,
            proposal.aspect,
            proposal.change,
            old,
            value,
            proposal.metadata,
            proposal.headers,
        )
        mutate = MUTATIONS.get(proposal.aspect.name)
        if mutate is not None:
            value = mutate(self._view, change)
            change = replace(change, new=value)
        rule = RULES.get(proposal.aspect.name)
        if rule is not None:
            rule(self._view, change)
        return value

    def _store(
        self,
        entity: int,
        spec: EntitySpec,
        urn: str,
        aspect: AspectSpec,
        value: Mapping[str, Any],
        row: AspectRow | None,
        metadata: Mapping[str, Any],
        headers: Mapping[str, str],
        change: str,
    ) -> Written:
        text = orjson.dumps(value).decode()
        old: Mapping[str, Any] | None = None
        if row is not None:
            old = None if text == row.value else orjson.loads(row.value)
            if old is None or old == value:
                return self._restate(spec, urn, aspect, row, metadata, headers, change)
        run = metadata.get("runId") or NO_RUN
        meta = self._metadata(metadata, run, row)
        new = AspectRow(
            self._tx.aspect_id(entity, aspect.name),
            1 if row is None else row.seq + 1,
            None if run == NO_RUN else self._tx.run(run, self._now),
            self._now,
            self._actor,
            orjson.dumps(meta).decode(),
            text,
        )
        self._tx.put_aspect(new, row)
        self._view.current[new.id] = new
        self._log(spec, urn, aspect, change, new, meta, row, headers)
        is_key = aspect.key_of is not None
        if has_change_events(aspect.name, is_key=is_key):
            for event in compare(urn, aspect.name, old, value, is_key=is_key):
                self._tx.add_event(
                    entity_change_event(spec.name, urn, event, actor=self._actor, now=self._now)
                )
        if aspect.name in CONSEQUENCES:
            self._happened(spec, urn, aspect, change, row, value, metadata, headers)
        return Written(urn, aspect.name, text, new.meta, True)

    def _happened(
        self,
        spec: EntitySpec,
        urn: str,
        aspect: AspectSpec,
        change: str,
        row: AspectRow | None,
        value: Any,
        metadata: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> None:
        old = None if row is None else orjson.loads(row.value)
        self._view.happened(
            self._view.change(spec, urn, aspect, change, old, value, metadata, headers)
        )

    def _restate(
        self,
        spec: EntitySpec,
        urn: str,
        aspect: AspectSpec,
        row: AspectRow,
        metadata: Mapping[str, Any],
        headers: Mapping[str, str],
        change: str,
    ) -> Written:
        """The value is what it was: only the metadata say that it was seen again."""
        meta = orjson.loads(row.meta)
        meta["lastObserved"] = metadata.get("lastObserved") or self._now
        meta["lastRunId"] = metadata.get("runId") or NO_RUN
        seen = row._replace(meta=orjson.dumps(meta).decode())
        self._tx.put_aspect(seen, None)
        self._view.current[row.id] = seen
        if change == "RESTATE" or aspect.has_lineage:
            self._log(spec, urn, aspect, "RESTATE", seen, meta, row, headers)
        return Written(urn, aspect.name, seen.value, seen.meta, False)

    def _log(
        self,
        spec: EntitySpec,
        urn: str,
        aspect: AspectSpec,
        change: str,
        new: AspectRow,
        meta: Mapping[str, Any],
        previous: AspectRow | None,
        headers: Mapping[str, str],
    ) -> None:
        self._tx.add_event(
            change_log(
                topic=VERSIONED_TOPIC,
                entity_type=spec.name,
                urn=urn,
                change=change,
                aspect_name=aspect.name,
                value=new.value,
                meta=meta,
                previous_value=None if previous is None else previous.value,
                previous_meta=None if previous is None else previous.meta,
                headers=headers,
                actor=self._actor,
                now=self._now,
            )
        )

    def _metadata(
        self, given: Mapping[str, Any], run: str, row: AspectRow | None
    ) -> dict[str, Any]:
        stamp = {"actor": self._actor, "time": self._now}
        previous = {} if row is None else orjson.loads(row.meta)
        meta: dict[str, Any] = {
            "lastObserved": given.get("lastObserved") or self._now,
            "lastRunId": previous.get("runId", NO_RUN) if row is not None else NO_RUN,
            "runId": run,
            "version": str(1 if row is None else row.seq + 1),
            "aspectCreated": previous.get("aspectCreated", stamp),
            "aspectModified": stamp,
        }
        for name in ("pipelineName", "properties", "registryName", "registryVersion"):
            if given.get(name):
                meta[name] = given[name]
        return meta

    def _put_point(self, entity: int, proposal: Proposal) -> Written:
        value, aspect = proposal.value, proposal.aspect
        if aspect.name in MUTATIONS or aspect.name in RULES:
            value = self._checked(proposal, value, None)
        run = proposal.metadata.get("runId") or NO_RUN
        meta = {"lastObserved": self._now, "runId": run, "lastRunId": NO_RUN}
        meta.update(proposal.metadata)
        text, meta_text = orjson.dumps(value).decode(), orjson.dumps(meta).decode()
        self._tx.put_point(
            self._tx.aspect_id(entity, aspect.name),
            int(value.get("timestampMillis") or self._now),
            _point_key(value),
            None if run == NO_RUN else self._tx.run(run, self._now),
            meta_text,
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
                previous_value=None,
                previous_meta=None,
                headers=proposal.headers,
                actor=self._actor,
                now=self._now,
            )
        )
        for event in compare(proposal.urn, aspect.name, None, value, is_key=False):
            self._tx.add_event(
                entity_change_event(
                    proposal.entity.name, proposal.urn, event, actor=self._actor, now=self._now
                )
            )
        if aspect.name in CONSEQUENCES:
            self._happened(
                proposal.entity,
                proposal.urn,
                aspect,
                "UPSERT",
                None,
                value,
                proposal.metadata,
                proposal.headers,
            )
        return Written(proposal.urn, aspect.name, text, meta_text, True)

    def _delete(self, proposal: Proposal) -> Written:
        deletion = Deletion(self._view)
        if proposal.aspect.key_of:
            deletion.entity(proposal.urn)
        else:
            deletion.aspect(proposal.urn, proposal.aspect.name)
        return Written(proposal.urn, proposal.aspect.name, None, None, True)


def _point_key(value: Mapping[str, Any]) -> str:
    """What tells two points of the same time apart, as in the document id of GMS."""
    parts = {
        name: value[name]
        for name in ("eventGranularity", "messageId", "partitionSpec", "runId", "fieldPath")
        if value.get(name) is not None
    }
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode()
