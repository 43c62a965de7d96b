"""Writing: what a batch of proposals does to the store and to the change log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dataspoke.local_hub.defaults import default_aspects
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
from dataspoke.local_hub.registry import AspectSpec, EntitySpec, Registry
from dataspoke.local_hub.transaction import AspectRow, Transaction
from dataspoke.local_hub.validate import Validator

NO_RUN = "no-run-id-provided"


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one proposal: the aspect as it is now, as JSON texts."""

    urn: str
    aspect: str
    value: str | None
    meta: str | None
    changed: bool


class Batch:
    """Applies proposals, in their order, within one transaction. `now` in UTC ms."""

    def __init__(
        self, tx: Transaction, registry: Registry, validator: Validator, actor: str, now: int
    ) -> None:
        self._tx = tx
        self._registry = registry
        self._validator = validator
        self._actor = actor
        self._now = now
        self._entities: dict[str, int] = {}
        self._current: dict[int, AspectRow] = {}
        self._given: dict[str, set[str]] = {}
        self._written: list[Written] = []

    def apply(self, proposals: Sequence[Proposal]) -> list[Written]:
        """Write all of them or, if one is refused, raise HubError.

        The answer has the key and the defaults of new entities too, before what was proposed.
        """
        self._load(proposals)
        for proposal in proposals:
            self._written.append(self._apply(proposal))
        return self._written

    def _load(self, proposals: Iterable[Proposal]) -> None:
        """Read everything that the proposals touch, in two queries."""
        for proposal in proposals:
            self._given.setdefault(proposal.urn, set()).add(proposal.aspect.name)
        self._entities = self._tx.entities(self._given)
        ids = [
            self._tx.aspect_id(entity, name)
            for urn, entity in self._entities.items()
            for name in self._given[urn]
        ]
        self._current = self._tx.aspects(ids)

    def _apply(self, proposal: Proposal) -> Written:
        if proposal.change == "DELETE":
            return self._delete(proposal)
        entity = self._entities.get(proposal.urn)
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
            row = self._current.get(self._tx.aspect_id(entity, proposal.aspect.name))
            if row is not None:
                return Written(proposal.urn, proposal.aspect.name, row.value, row.meta, False)
        return self._put(entity, proposal)

    def _create(self, proposal: Proposal) -> int:
        """A new entity: its key first, then the defaults, then what was proposed."""
        spec, urn = proposal.entity, proposal.urn
        entity = self._entities[urn] = self._tx.add_entity(urn, spec.name)
        key = self._registry.key_of(urn)
        defaults = default_aspects(spec, key, self._given[urn])
        for name, value in {spec.key_aspect.name: key, **defaults}.items():
            aspect = spec.aspects[name]
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
        row = self._current.get(self._tx.aspect_id(entity, proposal.aspect.name))
        self._check_version(proposal, row)
        if proposal.change == "CREATE" and row is not None:
            raise AlreadyThere(
                f"Cannot perform CREATE: {proposal.urn} already has {proposal.aspect.name}"
            )
        value = proposal.value
        if proposal.change == "PATCH":
            stamp = {"actor": self._actor, "time": self._now}
            current = (
                empty_aspect(proposal.aspect.schema, stamp)
                if row is None
                else orjson.loads(row.value)
            )
            value = apply_patch(proposal.aspect.name, current, proposal.value)
            self._validator.check(proposal.aspect, value)
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
        self._current[new.id] = new
        self._log(spec, urn, aspect, change, new, meta, row, headers)
        is_key = aspect.key_of is not None
        if has_change_events(aspect.name, is_key=is_key):
            for event in compare(urn, aspect.name, old, value, is_key=is_key):
                self._tx.add_event(
                    entity_change_event(spec.name, urn, event, actor=self._actor, now=self._now)
                )
        return Written(urn, aspect.name, text, new.meta, True)

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
        self._current[row.id] = seen
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
        return Written(proposal.urn, aspect.name, text, meta_text, True)

    def _delete(self, proposal: Proposal) -> Written:
        self._tx.flush()  # it reads what the proposals before it wrote
        deletion = Deletion(self._tx, self._registry, self._actor, self._now)
        if proposal.aspect.key_of:
            deletion.entity(proposal.urn)
            entity = self._entities.pop(proposal.urn, None)
            if entity is not None:
                for name in self._given[proposal.urn]:
                    self._current.pop(self._tx.aspect_id(entity, name), None)
        elif deletion.aspect(proposal.urn, proposal.aspect.name):
            entity = self._entities[proposal.urn]
            del self._current[self._tx.aspect_id(entity, proposal.aspect.name)]
        return Written(proposal.urn, proposal.aspect.name, None, None, True)


def _point_key(value: Mapping[str, Any]) -> str:
    """What tells two points of the same time apart, as in the document id of GMS."""
    parts = {
        name: value[name]
        for name in ("eventGranularity", "messageId", "partitionSpec", "runId", "fieldPath")
        if value.get(name) is not None
    }
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode()


class Deletion:
    """Hard deletion of entities and of single aspects, with their change logs."""

    def __init__(self, tx: Transaction, registry: Registry, actor: str, now: int) -> None:
        self._tx = tx
        self._registry = registry
        self._actor = actor
        self._now = now

    def entity(self, urn: str) -> tuple[int, int]:
        """Remove an entity; how many aspects and how many points went with it."""
        entity = self._tx.entities([urn]).get(urn)
        if entity is None:
            return 0, 0
        spec = self._registry.entity_of(urn)
        aspects = self._tx.aspects_of(entity)
        names = [name for name in aspects if name != spec.key_aspect.name]
        for name in [*names, spec.key_aspect.name]:
            if name in aspects:
                self._log(spec, urn, spec.aspects.get(name), name, aspects[name])
        return len(aspects), self._tx.delete_entity(entity)

    def aspect(self, urn: str, name: str) -> bool:
        """Remove one aspect that is not the key; whether it was there."""
        entity = self._tx.entities([urn]).get(urn)
        if entity is None:
            return False
        aspect = self._tx.aspect_id(entity, name)
        row = self._tx.aspects([aspect]).get(aspect)
        self._tx.delete_aspect(aspect)
        if row is None:
            return False
        spec = self._registry.entity_of(urn)
        self._log(spec, urn, spec.aspects.get(name), name, row)
        return True

    def revert(self, urn: str, name: str, run: str) -> None:
        """Put back the newest version by another run, or remove the aspect if there is none."""
        entity = self._tx.entities([urn]).get(urn)
        if entity is None:
            return
        aspect = self._tx.aspect_id(entity, name)
        row = self._tx.aspects([aspect]).get(aspect)
        survivor = self._tx.previous(aspect, run)
        if survivor is None or row is None:
            self.aspect(urn, name)
            return
        self._tx.restore(survivor)
        self._tx.flush()
        spec = self._registry.entity_of(urn)
        self._log(spec, urn, spec.aspects.get(name), name, row, survivor)

    def soft(self, urn: str) -> None:
        """Mark an entity as removed, where its type can be."""
        entity = self._tx.entities([urn]).get(urn)
        spec = self._registry.entity_of(urn)
        if entity is None or "status" not in spec.aspects:
            return
        proposal = Proposal(spec, urn, spec.aspects["status"], "UPSERT", {"removed": True}, {}, {})
        self._write([proposal])
        self._tx.flush()

    def _write(self, proposals: Sequence[Proposal]) -> None:
        Batch(self._tx, self._registry, Validator(), self._actor, self._now).apply(proposals)

    def points_of_run(self, run: str) -> int:
        """Remove the points that a run wrote; how many there were."""
        return self._tx.delete_run_points(run)

    def _log(
        self,
        spec: EntitySpec,
        urn: str,
        aspect: AspectSpec | None,
        name: str,
        row: AspectRow,
        new: AspectRow | None = None,
    ) -> None:
        self._tx.add_event(
            change_log(
                topic=VERSIONED_TOPIC,
                entity_type=spec.name,
                urn=urn,
                change="DELETE" if new is None else "UPSERT",
                aspect_name=name,
                value=None if new is None else new.value,
                meta=None if new is None else orjson.loads(new.meta),
                previous_value=row.value,
                previous_meta=row.meta,
                headers=None,
                actor=self._actor,
                now=self._now,
            )
        )
        is_key = aspect is not None and aspect.key_of is not None
        value = None if new is None else orjson.loads(new.value)
        for event in compare(urn, name, orjson.loads(row.value), value, is_key=is_key):
            self._tx.add_event(
                entity_change_event(spec.name, urn, event, actor=self._actor, now=self._now)
            )
